package event

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/logqueue"
)

// closeTime is how long Close waits for what is not yet written.
const closeTime = 2 * time.Second

// TransferLog writes a line for every upload and download into a file. It never holds
// up a session: what the disk does not take in time, or not at all, is lost, counted
// and told of in the server's log, at most once a minute.
type TransferLog struct {
	path   string
	format Format
	log    *slog.Logger
	lines  logqueue.Lines
	file   *logFile
	close  func() error
}

// logFile is the file that lines go to now. It belongs to the goroutine that writes.
type logFile struct{ *os.File }

// OpenTransferLog opens the log file at path for appending; a new one is for
// the server's own user alone (mode 0600), an existing one keeps its mode.
// l hears of lines that were lost.
func OpenTransferLog(path string, format Format, l *slog.Logger) (*TransferLog, error) {
	file, err := openLog(path)
	if err != nil {
		return nil, err
	}
	t := &TransferLog{path: path, format: format, log: l, file: &logFile{file}}
	t.lines = logqueue.NewLines(t.file, t.lost)
	t.close = sync.OnceValue(t.finish)
	return t, nil
}

// openLog does not wait for the reader of a pipe: where there is none, nothing would
// end the waiting.
func openLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, transferLogError(path, err)
	}
	return file, nil
}

// CheckTransferLog tells what keeps the file at path from being opened for appending, in
// the words of OpenTransferLog, and makes none.
//
// It opens none either: who reads a pipe would see it end when it is closed again.
func CheckTransferLog(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = checkDirectory(filepath.Dir(path))
	case err == nil && info.IsDir():
		err = syscall.EISDIR
	case err == nil:
		err = unix.Access(path, unix.W_OK)
	}
	if err != nil {
		return transferLogError(path, err)
	}
	return nil
}

// checkDirectory tells what keeps a file from being made in dir.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	}
	return unix.Access(dir, unix.W_OK|unix.X_OK)
}

// transferLogError says why the file cannot be opened.
func transferLogError(path string, err error) error {
	if errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("cannot open the transfer log %s: it is a pipe, and nobody reads it: start its reader first", path)
	}
	return fmt.Errorf("cannot open the transfer log %s: %w; make its directory, and writable for the server, or choose another file", path, ferry.WithoutPath(err))
}

// Sink takes the events; those that are no transfers it leaves alone.
func (t *TransferLog) Sink() ferry.Sink {
	return func(e ferry.Event) {
		if isTransfer(e.Kind) {
			t.lines.Put(t.format.appendLine(nil, e))
		}
	}
}

// Reopen writes what waits into the file that is open, and goes on with the
// one that has the path now: for logrotate, after it has renamed the old one.
// When that cannot be opened the old one stays in use. It waits for what is being
// written.
func (t *TransferLog) Reopen() error {
	answer := make(chan error, 1)
	t.lines.Do(func() { answer <- t.swap() })
	select {
	case err := <-answer:
		return err
	case <-t.lines.Ended():
	}
	select {
	case err := <-answer: // it was the last thing done
		return err
	default:
		return fmt.Errorf("cannot reopen the transfer log %s: %w", t.path, os.ErrClosed)
	}
}

// Close writes what waits and closes the file. What is not written after two seconds,
// and events that come later, are lost. It may be called more than once.
func (t *TransferLog) Close() error { return t.close() }

func (t *TransferLog) finish() error {
	if !t.lines.Close(closeTime) {
		return fmt.Errorf("the transfer log %s: its last lines could not be written in time", t.path)
	}
	return t.file.Close()
}

// swap goes on with a newly opened file.
func (t *TransferLog) swap() error {
	file, err := openLog(t.path)
	if err != nil {
		return err
	}
	old := t.file.File
	t.file.File = file
	t.lines.NewFile()
	if err := old.Close(); err != nil {
		return fmt.Errorf("the old transfer log may miss its last lines: %w", err)
	}
	return nil
}

// lost tells of lines that are not in the file.
func (t *TransferLog) lost(lines int, err error) {
	if err != nil {
		t.log.Error("the transfer log lost lines: they could not be written", "file", t.path, "lines", lines, "error", err)
		return
	}
	t.log.Warn("the transfer log lost lines: they came faster than the disk takes them", "file", t.path, "lines", lines)
}
