package event_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/event"
)

// TestThreat36RefusalsAreBounded: a client's refusals are told up to a number a minute,
// then counted, and nobody else's are held back by that.
func TestThreat36RefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		lines := map[string]int{}
		more := map[string]int{}
		b := event.Bound(func(e ferry.Event) {
			mu.Lock()
			defer mu.Unlock()
			who := fmt.Sprintf("%s %s %s", e.Peer.Addr(), e.Kind, e.User)
			if lines[who]++; e.Kind == ferry.EventMore {
				more[fmt.Sprintf("%s %s %s", e.Peer.Addr(), e.Of, e.User)] += e.More
			}
		})
		tell := func(n int, kind ferry.EventKind, address, user string) {
			for i := range n {
				b.Sink()(ferry.Event{Kind: kind, User: user, Peer: netip.AddrPortFrom(netip.MustParseAddr(address), uint16(1000+i))})
			}
		}
		want := func(line string, n int) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if lines[line] != n {
				t.Errorf("%d lines of %q, want %d", lines[line], line, n)
			}
		}
		tell(1000, ferry.EventLoginFailed, "192.0.2.1", "root")
		tell(1000, ferry.EventLoginFailed, "2001:db8::1", "root")
		tell(1000, ferry.EventLoginFailed, "2001:db8::2", "root") // the same host
		tell(1, ferry.EventLoginFailed, "192.0.2.2", "alice")
		tell(100, ferry.EventDenied, "192.0.2.1", "bob")
		tell(1, ferry.EventDenied, "192.0.2.1", "carol") // behind the same router
		tell(100, ferry.EventUpload, "192.0.2.1", "bob")
		want("192.0.2.1 login-failed root", 20)
		want("2001:db8::1 login-failed root", 20)
		want("2001:db8::2 login-failed root", 0)
		want("192.0.2.2 login-failed alice", 1)
		want("192.0.2.1 denied bob", 20)
		want("192.0.2.1 denied carol", 1)
		want("192.0.2.1 upload bob", 100)

		time.Sleep(time.Minute)
		synctest.Wait()
		for who, n := range map[string]int{"192.0.2.1 login-failed ": 980, "2001:db8::1 login-failed ": 1980, "192.0.2.1 denied bob": 80, "192.0.2.2 login-failed ": 0} {
			if more[who] != n {
				t.Errorf("%d more of %q are told, want %d", more[who], who, n)
			}
		}
		tell(1, ferry.EventLoginFailed, "192.0.2.1", "root")
		want("192.0.2.1 login-failed root", 21)

		tell(29, ferry.EventLoginFailed, "192.0.2.1", "root")
		b.Close() // the count is not lost with the server
		if n := more["192.0.2.1 login-failed "]; n != 990 {
			t.Errorf("%d more are told, want 990", n)
		}
	})
}

// TestThreat36ManyAddressesShareABound: who has a million addresses has no million lines.
func TestThreat36ManyAddressesShareABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, counted := 0, 0
		b := event.Bound(func(e ferry.Event) { lines++; counted += e.More })
		for i := range 100_000 {
			address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			b.Sink()(ferry.Event{Kind: ferry.EventLoginFailed, Peer: netip.AddrPortFrom(address, 1000)})
		}
		if lines > 5000 {
			t.Errorf("%d lines", lines)
		}
		told := lines
		b.Close()
		if lines != told+1 || told+counted != 100_000 {
			t.Errorf("%d lines, then %d more; %d counted", told, lines-told, counted)
		}
	})
}
