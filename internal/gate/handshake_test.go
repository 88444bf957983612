package gate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/gate"
)

// TestHandshakesThatFail: each is told, and counts as the protocol says: an offence at once,
// what is clumsy from the 21st a minute on, anything else never.
func TestHandshakesThatFail(t *testing.T) {
	for _, c := range []struct {
		blame gate.Blame
		every time.Duration
		times int // after which the address is shut out; 0: never
	}{
		{gate.Offence, 0, 3},
		{gate.Clumsy, 0, 23},
		{gate.Clumsy, time.Second, 23},
		{gate.Clumsy, 3 * time.Second, 0},
		{gate.Blameless, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, gate.Limits{BanAfter: 3})
			reason := errors.New("no TLS")
			for n := 1; n <= 100; n++ {
				v := h.connect("192.0.2.7")
				v.HandshakeFailed(reason, c.blame)
				v.Close(nil)
				if e := h.last(ferry.EventRefused); !errors.Is(e.Err, reason) || e.Session != v.ID() {
					t.Errorf("event %+v", e)
				}
				_, err := h.gate.Admit(t.Context(), "ftps", address("192.0.2.7"), address("192.0.2.1"))
				if out := errors.Is(err, ferry.ErrBanned); out != (c.times > 0 && n >= c.times) {
					t.Fatalf("%+v: after %d: %v", c, n, err)
				} else if out {
					return
				}
				time.Sleep(c.every)
			}
		})
	}
}
