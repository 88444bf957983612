package gate_test

import (
	"testing"

	"ferry"
	"ferry/internal/gate"
)

// TestShare: several sessions of a user have one share, by whatever protocol; of those
// whom nobody knows each address has one.
func TestShare(t *testing.T) {
	anonymous := user("anonymous")
	anonymous.Anonymous = true
	h := newHouse(t, gate.Limits{}, user("alice"), user("bob"), anonymous)
	share := func(protocol, ip, name string) string {
		t.Helper()
		c := h.connect(ip)
		c.Speaks(protocol)
		s, err := c.Login(t.Context(), ferry.Claim{Name: name, Password: password(name)})
		if err != nil {
			t.Fatal(err)
		}
		return s.Share()
	}
	alice := share("ftp", "192.0.2.1", "alice")
	if got := share("sftp", "192.0.2.2", "alice"); got != alice {
		t.Errorf("alice has the shares %q and %q", alice, got)
	}
	if got := share("ftp", "192.0.2.1", "bob"); got == alice {
		t.Errorf("bob has alice's share %q", got)
	}
	one := share("ftp", "192.0.2.3", "anonymous")
	if got := share("sftp", "192.0.2.3", "anonymous"); got != one {
		t.Errorf("one address has the shares %q and %q", one, got)
	}
	if got := share("sftp", "192.0.2.4", "anonymous"); got == one {
		t.Errorf("two addresses have one share %q", got)
	}
}
