package interop

import (
	"os"
	"slices"
	"testing"
)

// manage runs `ferry user VERB NAME ...` on the state of a server that runs.
func manage(t testing.TB, v *server, stdin string, args ...string) output {
	t.Helper()
	args = append([]string{"user"}, args...)
	return program{stdin: stdin}.run(t, os.Getenv(binaryEnv), append(args, "--state", v.setup.state)...)
}

func mustManage(t testing.TB, v *server, stdin string, args ...string) {
	t.Helper()
	if o := manage(t, v, stdin, args...); o.code != 0 {
		t.Fatalf("ferry user %q: exit status %d\n%s%s", args, o.code, o.out, o.err)
	}
}

func addUser(t testing.TB, v *server, name, secret string, more ...string) {
	t.Helper()
	mustManage(t, v, secret, slices.Concat([]string{"add", name, "--password-stdin"}, more)...)
}

// wantLogin tries to log in, and wants it to go well or not.
func wantLogin(t testing.TB, v *server, name, secret string, well bool) {
	t.Helper()
	k, err := callAs("", v.addr, name, secret)
	if err == nil {
		k.hangUp()
	}
	if (err == nil) != well {
		t.Errorf("login of %s with %q: %v, want it to go well: %v", name, secret, err, well)
	}
}

// TestUserLifecycle: a running server goes by what `ferry user` says: at once
// where somebody loses an account, with a transfer that runs, and at the next
// login where a password changes.
func TestUserLifecycle(t *testing.T) {
	t.Parallel()
	const config = cheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"
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
			v := start(t, setup{config: config})
			wantLogin(t, v, "bob", "first-4711", false)
			addUser(t, v, "bob", "first-4711")
			idle := phoneAs(t, v, "", "bob", "first-4711")
			busy := phoneAs(t, v, "", "bob", "first-4711")
			other := phone(t, v)
			conn, err := busy.begin("STOR f")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(specimen(1, 100_000)[:50_000]); err != nil {
				t.Fatal(err)
			}

			mustManage(t, v, "", c.verb...)
			for who, l := range map[string]caller{"idle": idle, "busy": busy} {
				a, err := l.hear()
				if who == "busy" && err == nil && a.code == 426 {
					a, err = l.hear()
				}
				if err != nil || a.code != 421 {
					t.Errorf("the %s session heard %v, %v; want 421", who, a, err)
				}
			}
			wantNoFile(t, v.path("f"))
			wantLogin(t, v, "bob", "first-4711", false)
			other.want("NOOP", 200)

			mustManage(t, v, c.stdin, c.back...)
			wantLogin(t, v, "bob", c.secret, true)
		})
	}
}

// TestPasswordChange: the new password counts at once, the old one no more,
// not even where it had been remembered.
func TestPasswordChange(t *testing.T) {
	t.Parallel()
	v := start(t, setup{config: cheapLogins + "[limits]\nfail_delay = \"0s\"\n"})
	addUser(t, v, "bob", "first-4711")
	wantLogin(t, v, "bob", "first-4711", true)
	mustManage(t, v, "second-4712", "passwd", "bob", "--password-stdin")
	wantLogin(t, v, "bob", "first-4711", false)
	wantLogin(t, v, "bob", "second-4712", true)
	// A right that is taken away holds from the next login on.
	mustManage(t, v, "", "set", "bob", "--read-only")
	phoneAs(t, v, "", "bob", "second-4712").want("MKD d", 550)
}
