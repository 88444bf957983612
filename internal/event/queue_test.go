package event_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/event"
)

// TestSlowDiskNeverHoldsUpASession writes into a pipe that nobody reads: when
// it is full the writer hangs, and every session goes on.
func TestSlowDiskNeverHoldsUpASession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	l, err := event.OpenTransferLog(path, event.Xferlog, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for range 50_000 { // more than the pipe, what the writer has in hand (a whole queue) and the queue hold
		l.Sink()(upload())
	}
	if err := syscall.Close(reader); err != nil { // the hanging write fails
		t.Fatal(err)
	}
	l.Close()
	if got := said.String(); !strings.Contains(got, "faster than the disk") || strings.Count(got, "\n") > 2 {
		t.Errorf("log %q, want one line about what was lost", got)
	}
}
