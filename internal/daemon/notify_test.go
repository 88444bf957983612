package daemon

import (
	"log/slog"
	"net"
	"path/filepath"
	"testing"
)

func TestSystemdIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	notifySystemd(slog.New(slog.DiscardHandler), "READY=1")
	heard := make([]byte, 64)
	n, err := systemd.Read(heard)
	if err != nil || string(heard[:n]) != "READY=1" {
		t.Errorf("systemd heard %q, %v", heard[:n], err)
	}
}
