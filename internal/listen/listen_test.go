package listen_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/listen"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	taken, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		addr string
		want string
		is   error // nil: any
	}{
		{taken.Addr().String(), "another program uses this port", syscall.EADDRINUSE},
		{"192.0.2.1:0", "this machine does not have the address", syscall.EADDRNOTAVAIL},
		{"2121", "write HOST:PORT", nil},
		{"127.0.0.1", "write HOST:PORT", nil},
		{"[::1", "write HOST:PORT", nil},
		{"127.0.0.1:99999", "from 0 to 65535", nil},
		{"127.0.0.1:no-such-port", `the port "no-such-port" is unknown`, nil},
	}
	for _, test := range tests {
		l, err := listen.Listen(t.Context(), "tcp", test.addr)
		if err == nil {
			l.Close()
			t.Errorf("%s: no error", test.addr)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.addr) {
			t.Errorf("%s: %q does not say %q", test.addr, err, test.want)
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v is not %v", test.addr, err, test.is)
		}
	}
}

func TestListenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, addr := range []string{"localhost:0", "127.0.0.1:0"} {
		for range 20 { // what the resolver answers first is chance
			l, err := listen.Listen(ctx, "tcp", addr)
			if err == nil {
				l.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: %v, want context.Canceled", addr, err)
			}
		}
	}
}

// dial connects to l and gives both ends.
func dial(t *testing.T, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
