package daemon

import (
	"log/slog"
	"net"
	"os"
)

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
