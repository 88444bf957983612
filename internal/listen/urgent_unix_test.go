//go:build unix

package listen_test

import (
	"io"
	"net"
	"syscall"
	"testing"

	"ferry/internal/listen"
)

// What clients send for ABOR (RFC 959 §4.1.3): IAC IP, and IAC DM of which
// the last byte is urgent. None of it may get lost.
func TestUrgentDataStaysInLine(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := listen.Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		client, server := dial(t, l)
		sendUrgent(t, client, "\xff\xf4\xff\xf2")
		if _, err := client.Write([]byte("ABOR\r\n")); err != nil {
			t.Fatal(err)
		}
		const want = "\xff\xf4\xff\xf2ABOR\r\n"
		got := make([]byte, len(want))
		if _, err := io.ReadFull(server, got); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", addr, got, err)
		}
		l.Close()
	}
}

func sendUrgent(t *testing.T, c net.Conn, s string) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.Sendto(int(fd), []byte(s), syscall.MSG_OOB, nil)
	})
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}
