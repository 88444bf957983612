package gate_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/gate"
)

// crowd is a house with the limits of a server as it is installed.
func crowd(t *testing.T) *house {
	return newHouse(t, gate.Limits{Sessions: 2000, PerAddress: 200, BeforeLogin: gate.BeforeLogin{Start: 100, Rate: 30, Full: 500}}, user("alice"))
}

// flood connects n times from each of ten addresses, and says how many got in.
func (h *house) flood(n int) (in []*gate.Conn) {
	for i := range 10 * n {
		c, err := h.gate.Admit(context.Background(), "ftp", address(fmt.Sprintf("198.51.100.%d", i%10)), netip.AddrPort{})
		if err == nil {
			in = append(in, c)
			continue
		}
		wantErr(h.t, err, ferry.ErrCrowded)
	}
	return in
}

// still tells how many of the connections have not been ended.
func still(conns []*gate.Conn) (n int) {
	for _, c := range conns {
		if c.Context().Err() == nil {
			n++
		}
	}
	return n
}

// TestThreat33ConnectionsWithoutALogin: 2,000 connections of ten addresses that
// never log in keep nobody out, of another address or, once they have had their time,
// of one of theirs; and who is logged in stays.
func TestThreat33ConnectionsWithoutALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := crowd(t)
		before, _ := h.enter("alice")
		flood := h.flood(200)
		if n := still(flood); n > 500 || n < 100 {
			t.Errorf("%d of 2000 are in, want 100 to 500", n)
		}
		if got := h.taken("all"); got != still(flood)+1 {
			t.Errorf("%d seats are taken by %d connections and a session", got, still(flood))
		}
		for range 50 {
			h.login(h.connect("192.0.2.8"), "alice")
		}
		time.Sleep(11 * time.Second)
		for range 50 {
			h.login(h.connect("198.51.100.1"), "alice")
		}
		if err := context.Cause(before.Context()); err != nil {
			t.Errorf("who was logged in: %v", err)
		}
		if told := h.events(ferry.EventRefused); len(told) != 1 || !errors.Is(told[0].Err, ferry.ErrCrowded) {
			t.Errorf("told %d times, want once a minute: %v", len(told), told)
		}
	})
}

// TestThreat33TheOldestGivesWay: of the address that has the most, and only who is not logged
// in.
func TestThreat33TheOldestGivesWay(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits gate.Limits
		want   error // of a connection when everybody is logged in
	}{
		{"without a login", gate.Limits{BeforeLogin: gate.BeforeLogin{Start: 4, Rate: 100, Full: 4}}, nil},
		{"in all", gate.Limits{Sessions: 5}, ferry.ErrServerFull},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, test.limits, user("alice"))
			inside, _ := h.enter("alice")
			lone, first, second, third := h.connect("192.0.2.20"), h.connect("192.0.2.21"), h.connect("192.0.2.21"), h.connect("192.0.2.21")
			fresh := h.connect("192.0.2.22")
			wantErr(t, context.Cause(first.Context()), ferry.ErrCrowded)
			if _, err := first.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"}); !errors.Is(err, ferry.ErrCrowded) {
				t.Errorf("who gave way logs in: %v", err)
			}
			first.Close(ferry.ErrCrowded)
			for _, c := range []*gate.Conn{lone, second, third, fresh} {
				h.login(c, "alice")
			}
			if err := context.Cause(inside.Context()); err != nil {
				t.Errorf("who was logged in: %v", err)
			}
			_, err := h.gate.Admit(t.Context(), "ftp", address("192.0.2.23"), netip.AddrPort{})
			wantErr(t, err, test.want)
		})
	}
}

// TestThreat33AnAddressTakesItsOwnSeats: where an address has all its seats, its own
// connections without a login give way, and nobody else's.
func TestThreat33AnAddressTakesItsOwnSeats(t *testing.T) {
	h := newHouse(t, gate.Limits{PerAddress: 2}, user("alice"))
	other, idle := h.connect("192.0.2.20"), h.connect("192.0.2.7")
	h.enter("alice")
	h.enter("alice")
	wantErr(t, context.Cause(idle.Context()), ferry.ErrCrowded)
	if other.Context().Err() != nil {
		t.Error("another address had to go")
	}
	_, err := h.gate.Admit(t.Context(), "ftp", address("192.0.2.7"), netip.AddrPort{})
	wantErr(t, err, ferry.ErrAddressFull)
}

// TestThreat33LoggedOut: who has ended a login is without one again.
func TestThreat33LoggedOut(t *testing.T) {
	h := newHouse(t, gate.Limits{Sessions: 1}, user("alice"))
	c, session := h.enter("alice")
	session.End()
	session = h.login(c, "alice")
	session.End()
	h.connect("192.0.2.8")
	wantErr(t, context.Cause(c.Context()), ferry.ErrCrowded)
}
