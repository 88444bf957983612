package threats

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// strange are passwords and names that have opened doors elsewhere.
func strange() []string {
	return []string{"", " ", "  ", "*", "!", "x", "%", "NULL", "null", "\x01", "$6$", "''", "0"}
}

// TestThreat29EmptyPasswords: nothing matches nothing, whoever the user is.
func TestThreat29EmptyPasswords(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.NoWaiting})
	harness.AddUser(t, v, "bob", "first-4711")
	for _, name := range []string{harness.User, "bob", "nobody", "root", "anonymous", "ftp"} {
		for _, secret := range strange() {
			k, _, err := harness.Call("", v.Addr)
			if err != nil {
				t.Fatal(err)
			}
			l := harness.Caller{RawClient: k, T: t}
			l.Want("USER "+name, 331)
			l.Want("PASS "+secret, 530, 501)
			l.Want("PWD", 530)
			k.HangUp()
		}
	}
	for _, secret := range []string{"", "\n", "\r\n"} {
		if o := harness.Manage(t, v, secret, "add", "eve", "--password-stdin"); o.Code == 0 {
			t.Errorf("a user with the password %q was added", secret)
		}
		if o := harness.Manage(t, v, secret, "passwd", "bob", "--password-stdin"); o.Code == 0 {
			t.Errorf("a user was given the password %q", secret)
		}
	}
	harness.WantLogin(t, v, "bob", "first-4711", true)
}

// TestThreat24And31UserNames: names that would be SQL, paths, or numbers if
// somebody took them for that. They are all just unknown, and the accounts
// are there afterwards.
func TestThreat24And31UserNames(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.NoWaiting})
	harness.AddUser(t, v, "bob", "first-4711")
	hostile := []string{
		"' OR '1'='1", "bob'--", `bob"--`, "bob';DROP TABLE users;--", "' UNION SELECT 'x','x'--", "bob\\", "bob/*", "%", "_ob", "b%",
		"0", "-1", "+0", "bob ", " bob", "BOB", "bob\x00", "bob\x00alice", "../bob", "bob/../alice", ".", "..", "/", "%u", "${HOME}", "$(id)", "`id`",
		strings.Repeat("b", 4000), "bob\r", "b\xc3\xb6b", "\xff\xfe",
	}
	k, _, err := harness.Call("", v.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer k.HangUp()
	l := harness.Caller{RawClient: k, T: t}
	for _, name := range hostile {
		l.Want("USER "+name, 331, 501, 500)
		l.Want("PASS first-4711", 530, 503)
		l.Want("PWD", 530)
		if strings.Contains(name, "\x00") {
			continue // no program can be given that
		}
		if o := harness.Manage(t, v, "x-4711", "show", "--", name); o.Code == 0 {
			t.Errorf("there is a user %q", name)
		}
	}
	for _, name := range []string{"", ".", "..", "../eve", "a/b", "a\nb", "anonymous", "-"} {
		if o := harness.Manage(t, v, "x-4711", "add", "--password-stdin", "--", name); o.Code == 0 {
			t.Errorf("a user %q was added", name)
		}
	}
	harness.WantLogin(t, v, "bob", "first-4711", true)
}

// TestThreat30BruteForce: a failed login is answered late, and the same
// whether the user is there or not; the connection closes after a few; the
// address is shut out after more, others are not; and it is let in again.
func TestThreat30BruteForce(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.CheapLogins + `
[limits]
fails = 2
fail_delay = "100ms"
ban_after = 6
ban_for = "3s"
`})
	const attacker = "127.0.0.66"
	answers := map[string]bool{}
	guess := func(name string) (closed bool) {
		k, a, err := harness.Call(attacker, v.Addr)
		if err != nil || a.Code != 220 {
			t.Fatalf("%v, %v", a, err)
		}
		defer k.HangUp()
		l := harness.Caller{RawClient: k, T: t}
		l.Want("USER "+name, 331)
		answers[l.Want("PASS wrong", 530).Text] = true
		l.Want("USER "+name, 331)
		return l.Want("PASS wrong", 421).Code == 421
	}
	for _, name := range []string{harness.User, "nobody", "root"} {
		if !guess(name) {
			t.Errorf("two failed logins as %s did not end the connection", name)
		}
	}
	if len(answers) != 1 {
		t.Errorf("failed logins are told apart: %v", answers)
	}
	if k, a, err := harness.Call(attacker, v.Addr); err != nil || a.Code != 421 {
		t.Errorf("after 6 failed logins the address was met with %v, %v", a, err)
	} else {
		k.HangUp()
	}
	v.Log.Wait(t, "msg=ban", v.Ended)
	harness.PhoneAs(t, v, "127.0.0.5", harness.User, harness.Password)
	harness.Eventually(t, "the ban ends", func() bool {
		k, a, err := harness.Call(attacker, v.Addr)
		if err != nil {
			t.Fatal(err)
		}
		k.HangUp()
		return a.Code == 220
	})
	harness.PhoneAs(t, v, attacker, harness.User, harness.Password)
}

// TestThreat23SiteExec: no command of a client's runs a program, whatever it
// is called and whatever stands in it.
func TestThreat23SiteExec(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	proof := filepath.Join(t.TempDir(), "proof")
	l := harness.Phone(t, v)
	for _, text := range []string{
		"SITE EXEC touch " + proof, "SITE exec touch " + proof, "SITE EXEC %08x%n%n%n", "SITE INDEX touch " + proof, "SITE MINFO x", "SITE GROUP x",
		"SITE CPWD touch " + proof, "SITE TAR x", "SITE EXECUTE x", "SITE PSWD a b",
	} {
		l.Want(text, 500, 501, 502, 504)
	}
	for _, name := range []string{"$(touch " + proof + ")", "`touch " + proof + "`", "|touch " + proof, ";touch " + proof + ";", "--use-compress-program=touch", "%s%s%s%n%n"} {
		name = strings.ReplaceAll(name, "/", "\\")
		l.WantStored("STOR "+name, []byte("x"))
		l.WantFetched("RETR "+name, []byte("x"))
		if _, err := l.Fetch("LIST " + name); err != nil {
			t.Errorf("LIST %s: %v", name, err)
		}
		attempt(l, "RETR "+name+".tar.gz")
		l.Want("DELE "+name, 250)
	}
	harness.WantNoFile(t, proof)
	harness.WantNoFile(t, v.Path("--use-compress-program=touch"))
}

// TestThreat32Offsets: offsets that are negative, beyond everything, or no
// numbers.
func TestThreat32Offsets(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	content := harness.Specimen(1, 1000)
	harness.WriteFile(t, v.Path("f"), content)
	l := harness.Phone(t, v)
	for _, offset := range []string{"-1", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "99999999999999999999999", "0x10", "1e3", "1.5", "", "+1", "1 2", "٣"} {
		l.Want("REST "+offset, 501)
	}
	for _, span := range []string{"-1 5", "5 -1", "0 9223372036854775808", "x y", "5"} {
		l.Want("RANG "+span, 501)
	}
	for _, offset := range []uint64{1001, 1 << 31, 1 << 32, 1<<63 - 1} {
		l.Want(fmt.Sprintf("REST %d", offset), 350)
		harness.WantRefused(l, "RETR f", 554)
		l.Want(fmt.Sprintf("REST %d", offset), 350)
		harness.WantRefused(l, "STOR f", 554)
	}
	l.WantFetched("RETR f", content)
	harness.WantStands(t, v, "f", 1)
}

// TestThreat17And22Lines: lines without an end, and Telnet commands in every
// wrong place. The session goes on.
func TestThreat17And22Lines(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	l := harness.Phone(t, v)
	l.Want("NOOP "+strings.Repeat("x", 1<<20), 500) // threat 17
	l.Want("NOOP", 200)
	l.Want("\xff\xf4\xff\xf2ABOR", 226) // threat 22
	if err := l.Say("NO\xff\xfbx\xff\xfdy\xff\xf1OP"); err != nil {
		t.Fatal(err)
	}
	// WILL is met with DONT, DO with WONT, and the command is read.
	if row, err := l.In.ReadLine(); err != nil || row != "\xff\xfex\xff\xfcy200 Ok." {
		t.Errorf("NOOP with Telnet options was answered %q, %v", row, err)
	}
	content := []byte("content")
	l.WantStored("STOR a\xff\xffb", content)
	harness.WantFile(t, v.Path("a\xffb"), content)
	l.WantFetched("RETR a\xff\xffb", content)
	// An answer is wanted for none of them, and no room is taken by them.
	if err := l.Say(strings.Repeat("\xff\xfa\x18\xff\xf0", 20_000) + strings.Repeat("\xff\xfb\x01\xff\xfc\x01", 20_000)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "the dialogue is in step again", func() bool {
		_ = l.Conn.SetReadDeadline(time.Now().Add(harness.Patience))
		row, err := l.In.ReadLine()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(row, "500 ") || strings.Contains(row, "501 ")
	})
	l.Want("NOOP", 200)
}

// TestThreat34State: what the server remembers is for nobody else to read, and
// there is no way in but the ones that it has announced.
func TestThreat34State(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "new", "state")
	transfers := filepath.Join(t.TempDir(), "transfers")
	v := harness.Start(t, harness.Setup{State: state, Config: harness.CheapLogins + fmt.Sprintf("[log]\ntransfer_log = %q\n", transfers)})
	harness.AddUser(t, v, "bob", "first-4711")
	l := harness.PhoneAs(t, v, "", "bob", "first-4711")
	l.WantStored("STOR f", []byte("x"))
	err := filepath.WalkDir(state, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = os.ModeDir | 0o700
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v", path, info.Mode(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(transfers); err != nil || info.Mode() != 0o600 {
		t.Errorf("the transfer log: %v, %v", info, err)
	}
	again := harness.Start(t, harness.Setup{State: state, Listen: "127.0.0.1:0"}) // and nobody has asked for a passive port here
	_, port, err := net.SplitHostPort(again.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if open := harness.Listeners(t, again.Pid()); len(open) != 1 || open[0] != "tcp "+port {
		t.Errorf("the server listens at %q, and has announced tcp %s only", open, port)
	}
}
