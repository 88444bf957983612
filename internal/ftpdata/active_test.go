package ftpdata

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// activePeers is a service with an active port, and clients that listen on loopback.
type activePeers struct {
	t    *testing.T
	s    *Service
	who  Session
	mu   sync.Mutex
	log  bytes.Buffer
	addr netip.Addr
}

func (a *activePeers) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

// said is how often the log tells of another port.
func (a *activePeers) said() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Count(a.log.String(), "comes from a random port")
}

// freePort finds a port that is free at addr, and the one below it.
func freePort(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", netip.AddrPortFrom(addr, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).AddrPort().Port()
		_ = l.Close()
		below, err := net.Listen("tcp", netip.AddrPortFrom(addr, port-1).String())
		if err == nil {
			_ = below.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// withPeers runs test for IPv4 and IPv6.
func withPeers(t *testing.T, test func(t *testing.T, a *activePeers)) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		t.Run(addr, func(t *testing.T) {
			a := &activePeers{t: t, addr: netip.MustParseAddr(addr)}
			log := slog.New(slog.NewTextHandler(a, nil))
			here := netip.AddrPortFrom(a.addr, freePort(t, a.addr))
			a.who = Session{ID: "s", Local: here, Reached: here, Log: func() *slog.Logger { return log }}
			a.s = New(Config{First: 50000, Last: 50009, DataTimeout: time.Minute}, TCPNetwork{}, nil, nil)
			defer a.s.Close()
			test(t, a)
		})
	}
}

// client listens as one does before PORT.
func (a *activePeers) client() net.Listener {
	a.t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(a.addr, 0).String())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect makes a connection to a client, and tells the port that it comes from.
func (a *activePeers) connect(l net.Listener) (ours, theirs net.Conn, from uint16) {
	a.t.Helper()
	to := l.Addr().(*net.TCPAddr).AddrPort()
	ours, err := a.s.Open(context.Background(), a.who, ConnectTo(to))
	if err != nil {
		a.t.Fatal(err)
	}
	theirs, err = l.Accept()
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs, theirs.RemoteAddr().(*net.TCPAddr).AddrPort().Port()
}

// TestActivePortIsBelowTheControlPort: many at once, to many peers and to several
// ports of one (RFC 959 §3.2).
func TestActivePortIsBelowTheControlPort(t *testing.T) {
	withPeers(t, func(t *testing.T, a *activePeers) {
		for range 20 {
			if _, _, from := a.connect(a.client()); from != a.who.Local.Port()-1 {
				t.Fatalf("it comes from port %d, of a control port %d", from, a.who.Local.Port())
			}
		}
		if n := a.said(); n != 0 {
			t.Errorf("the log tells %d times of another port", n)
		}
	})
}

// TestActivePortToOnePort: a client that has one port for all its transfers gets
// them all, also while an earlier one still holds the pair of ports, open or in
// TIME_WAIT on our side, with one line in the log.
func TestActivePortToOnePort(t *testing.T) {
	withPeers(t, func(t *testing.T, a *activePeers) {
		l := a.client()
		for i := range 50 {
			ours, theirs, _ := a.connect(l)
			if i%2 == 0 { // we end it first, and so have TIME_WAIT
				_ = ours.Close()
				_, _ = theirs.Read(make([]byte, 1))
				_ = theirs.Close()
			}
		}
		if n := a.said(); n != 1 {
			t.Errorf("the log tells %d times of another port, want once", n)
		}
	})
}

// TestActivePortThatIsTaken: another program listens there, or it wants a privilege.
func TestActivePortThatIsTaken(t *testing.T) {
	withPeers(t, func(t *testing.T, a *activePeers) {
		taken, err := net.Listen("tcp", netip.AddrPortFrom(a.addr, a.who.Local.Port()-1).String())
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		for range 2 {
			if _, _, from := a.connect(a.client()); from == a.who.Local.Port()-1 {
				t.Error("it comes from the port of another program")
			}
		}
		if n := a.said(); n != 1 {
			t.Errorf("the log tells %d times of another port, want once", n)
		}
	})
}

// TestActivePortAsConfigured: a number, or any.
func TestActivePortAsConfigured(t *testing.T) {
	withPeers(t, func(t *testing.T, a *activePeers) {
		fixed := freePort(t, a.addr)
		for _, test := range []struct {
			config int
			ok     func(from uint16) bool
		}{
			{int(fixed), func(from uint16) bool { return from == fixed }},
			{AnyPort, func(from uint16) bool { return from != fixed && from != a.who.Local.Port()-1 }},
		} {
			t.Run(fmt.Sprint(test.config), func(t *testing.T) {
				a.s.cfg.ActivePort = test.config
				for range 3 {
					if _, _, from := a.connect(a.client()); !test.ok(from) {
						t.Errorf("it comes from port %d", from)
					}
				}
			})
		}
	})
}
