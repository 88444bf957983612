package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// notifyReloading tells systemd that the configuration is read again (Type=notify-reload);
// READY=1 says that this is over.
func notifyReloading(log *slog.Logger) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return // cannot be
	}
	notifySystemd(log, fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000))
}

// notifySystemd tells systemd how the service is (sd_notify(3)), where it
// asked for that by NOTIFY_SOCKET.
func notifySystemd(log *slog.Logger, state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"}) // "@" means abstract here too
	if err != nil {
		log.Warn("systemd could not be told", "state", state, "error", err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		log.Warn("systemd could not be told", "state", state, "error", err)
	}
}
