package clients

import (
	"testing"

	"ferry/internal/interop/harness"
)

// TestUserLifecycle: a running server goes by what `ferry user` says: at once
// where somebody loses an account, with a transfer that runs, and at the next
// login where a password changes.
func TestUserLifecycle(t *testing.T) {
	t.Parallel()
	const config = harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"
	for _, c := range []struct {
		name   string
		verb   []string
		back   []string // undoes it
		stdin  string
		secret string // the password then
	}{
		{"disabled", []string{"set", "bob", "--disabled"}, []string{"set", "bob", "--no-disabled"}, "", "first-4711"},
		{"expired", []string{"set", "bob", "--expires", "2020-01-01"}, []string{"set", "bob", "--expires", "never"}, "", "first-4711"},
		{"removed", []string{"remove", "bob", "--yes"}, []string{"add", "bob", "--password-stdin"}, "second-4712", "second-4712"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{Config: config})
			harness.WantLogin(t, v, "bob", "first-4711", false)
			harness.AddUser(t, v, "bob", "first-4711")
			idle := harness.PhoneAs(t, v, "", "bob", "first-4711")
			busy := harness.PhoneAs(t, v, "", "bob", "first-4711")
			other := harness.Phone(t, v)
			conn, err := busy.Begin("STOR f")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(harness.Specimen(1, 100_000)[:50_000]); err != nil {
				t.Fatal(err)
			}

			harness.MustManage(t, v, "", c.verb...)
			for who, l := range map[string]harness.Caller{"idle": idle, "busy": busy} {
				a, err := l.Hear()
				if who == "busy" && err == nil && a.Code == 426 {
					a, err = l.Hear()
				}
				if err != nil || a.Code != 421 {
					t.Errorf("the %s session heard %v, %v; want 421", who, a, err)
				}
			}
			harness.WantNoFile(t, v.Path("f"))
			harness.WantLogin(t, v, "bob", "first-4711", false)
			other.Want("NOOP", 200)

			harness.MustManage(t, v, c.stdin, c.back...)
			harness.WantLogin(t, v, "bob", c.secret, true)
		})
	}
}

// TestPasswordChange: the new password counts at once, the old one no more,
// not even where it had been remembered.
func TestPasswordChange(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\n"})
	harness.AddUser(t, v, "bob", "first-4711")
	harness.WantLogin(t, v, "bob", "first-4711", true)
	harness.MustManage(t, v, "second-4712", "passwd", "bob", "--password-stdin")
	harness.WantLogin(t, v, "bob", "first-4711", false)
	harness.WantLogin(t, v, "bob", "second-4712", true)
	// A right that is taken away holds from the next login on.
	harness.MustManage(t, v, "", "set", "bob", "--read-only")
	harness.PhoneAs(t, v, "", "bob", "second-4712").Want("MKD d", 550)
}
