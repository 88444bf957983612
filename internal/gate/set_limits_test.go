package gate_test

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/gate"
)

// TestNewLimitsHoldAtOnce: for those who are there, too.
func TestNewLimitsHoldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{FailDelay: -1, BanAfter: 1}, user("alice"))
		guess := func(v *gate.Conn) error {
			_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "x"})
			return err
		}
		early := h.connect("192.0.2.7")
		_ = guess(early)
		knock := func() error {
			v, err := h.gate.Admit(t.Context(), "ftp", address("192.0.2.7"), netip.AddrPort{})
			if err == nil {
				v.Close(nil)
			}
			return err
		}
		if err := knock(); !errors.Is(err, ferry.ErrBanned) {
			t.Fatalf("after a guess: %v", err)
		}
		h.gate.SetLimits(gate.Limits{FailDelay: -1, BanAfter: 1, NeverBan: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
		if err := knock(); err != nil {
			t.Errorf("spared, and %v", err)
		}
		h.gate.SetLimits(gate.Limits{FailDelay: -1, MaxFails: 1})
		if err := guess(early); !errors.Is(err, ferry.ErrTooManyLogins) {
			t.Errorf("one more guess, where one is too many: %v", err)
		}
		early.Close(nil)
		h.enter("alice")
		h.gate.SetLimits(gate.Limits{FailDelay: -1, PerAddress: 1})
		if err := knock(); !errors.Is(err, ferry.ErrAddressFull) {
			t.Errorf("with one connection of the address: %v", err)
		}
	})
}
