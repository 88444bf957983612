package interop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noWaiting makes failed logins cost nothing, where they are not the subject.
const noWaiting = cheapLogins + "[limits]\nfail_delay = \"0s\"\nfails = 0\nban_after = 0\n"

// strange are passwords and names that have opened doors elsewhere.
func strange() []string {
	return []string{"", " ", "  ", "*", "!", "x", "%", "NULL", "null", "\x01", "$6$", "''", "0"}
}

// TestThreat29EmptyPasswords: nothing matches nothing, whoever the user is.
func TestThreat29EmptyPasswords(t *testing.T) {
	t.Parallel()
	v := start(t, setup{config: noWaiting})
	addUser(t, v, "bob", "first-4711")
	for _, name := range []string{user, "bob", "nobody", "root", "anonymous", "ftp"} {
		for _, secret := range strange() {
			k, _, err := call("", v.addr)
			if err != nil {
				t.Fatal(err)
			}
			l := caller{k, t}
			l.want("USER "+name, 331)
			l.want("PASS "+secret, 530, 501)
			l.want("PWD", 530)
			k.hangUp()
		}
	}
	for _, secret := range []string{"", "\n", "\r\n"} {
		if o := manage(t, v, secret, "add", "eve", "--password-stdin"); o.code == 0 {
			t.Errorf("a user with the password %q was added", secret)
		}
		if o := manage(t, v, secret, "passwd", "bob", "--password-stdin"); o.code == 0 {
			t.Errorf("a user was given the password %q", secret)
		}
	}
	wantLogin(t, v, "bob", "first-4711", true)
}

// TestThreat24And31UserNames: names that would be SQL, paths, or numbers if
// somebody took them for that. They are all just unknown, and the accounts
// are there afterwards.
func TestThreat24And31UserNames(t *testing.T) {
	t.Parallel()
	v := start(t, setup{config: noWaiting})
	addUser(t, v, "bob", "first-4711")
	hostile := []string{
		"' OR '1'='1", "bob'--", `bob"--`, "bob';DROP TABLE users;--", "' UNION SELECT 'x','x'--", "bob\\", "bob/*", "%", "_ob", "b%",
		"0", "-1", "+0", "bob ", " bob", "BOB", "bob\x00", "bob\x00alice", "../bob", "bob/../alice", ".", "..", "/", "%u", "${HOME}", "$(id)", "`id`",
		strings.Repeat("b", 4000), "bob\r", "b\xc3\xb6b", "\xff\xfe",
	}
	k, _, err := call("", v.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer k.hangUp()
	l := caller{k, t}
	for _, name := range hostile {
		l.want("USER "+name, 331, 501, 500)
		l.want("PASS first-4711", 530, 503)
		l.want("PWD", 530)
		if strings.Contains(name, "\x00") {
			continue // no program can be given that
		}
		if o := manage(t, v, "x-4711", "show", "--", name); o.code == 0 {
			t.Errorf("there is a user %q", name)
		}
	}
	for _, name := range []string{"", ".", "..", "../eve", "a/b", "a\nb", "anonymous", "-"} {
		if o := manage(t, v, "x-4711", "add", "--password-stdin", "--", name); o.code == 0 {
			t.Errorf("a user %q was added", name)
		}
	}
	wantLogin(t, v, "bob", "first-4711", true)
}

// TestThreat30BruteForce: a failed login is answered late, and the same
// whether the user is there or not; the connection closes after a few; the
// address is shut out after more, others are not; and it is let in again.
func TestThreat30BruteForce(t *testing.T) {
	t.Parallel()
	v := start(t, setup{config: cheapLogins + `
[limits]
fails = 2
fail_delay = "100ms"
ban_after = 6
ban_for = "3s"
`})
	const attacker = "127.0.0.66"
	answers := map[string]bool{}
	guess := func(name string) (closed bool) {
		k, a, err := call(attacker, v.addr)
		if err != nil || a.code != 220 {
			t.Fatalf("%v, %v", a, err)
		}
		defer k.hangUp()
		l := caller{k, t}
		l.want("USER "+name, 331)
		answers[l.want("PASS wrong", 530).text] = true
		l.want("USER "+name, 331)
		return l.want("PASS wrong", 421).code == 421
	}
	for _, name := range []string{user, "nobody", "root"} {
		if !guess(name) {
			t.Errorf("two failed logins as %s did not end the connection", name)
		}
	}
	if len(answers) != 1 {
		t.Errorf("failed logins are told apart: %v", answers)
	}
	if k, a, err := call(attacker, v.addr); err != nil || a.code != 421 {
		t.Errorf("after 6 failed logins the address was met with %v, %v", a, err)
	} else {
		k.hangUp()
	}
	v.log.wait(t, "msg=ban", v.ended)
	phoneAs(t, v, "127.0.0.5", user, password)
	eventually(t, "the ban ends", func() bool {
		k, a, err := call(attacker, v.addr)
		if err != nil {
			t.Fatal(err)
		}
		k.hangUp()
		return a.code == 220
	})
	phoneAs(t, v, attacker, user, password)
}

// TestThreat23SiteExec: no command of a client's runs a program, whatever it
// is called and whatever stands in it.
func TestThreat23SiteExec(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	proof := filepath.Join(t.TempDir(), "proof")
	l := phone(t, v)
	for _, text := range []string{
		"SITE EXEC touch " + proof, "SITE exec touch " + proof, "SITE EXEC %08x%n%n%n", "SITE INDEX touch " + proof, "SITE MINFO x", "SITE GROUP x",
		"SITE CPWD touch " + proof, "SITE TAR x", "SITE EXECUTE x", "SITE PSWD a b",
	} {
		l.want(text, 500, 501, 502, 504)
	}
	for _, name := range []string{"$(touch " + proof + ")", "`touch " + proof + "`", "|touch " + proof, ";touch " + proof + ";", "--use-compress-program=touch", "%s%s%s%n%n"} {
		name = strings.ReplaceAll(name, "/", "\\")
		l.wantStored("STOR "+name, []byte("x"))
		l.wantFetched("RETR "+name, []byte("x"))
		if _, err := l.fetch("LIST " + name); err != nil {
			t.Errorf("LIST %s: %v", name, err)
		}
		attempt(l, "RETR "+name+".tar.gz")
		l.want("DELE "+name, 250)
	}
	wantNoFile(t, proof)
	wantNoFile(t, v.path("--use-compress-program=touch"))
}

// TestThreat32Offsets: offsets that are negative, beyond everything, or no
// numbers.
func TestThreat32Offsets(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	content := specimen(1, 1000)
	writeFile(t, v.path("f"), content)
	l := phone(t, v)
	for _, offset := range []string{"-1", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "99999999999999999999999", "0x10", "1e3", "1.5", "", "+1", "1 2", "٣"} {
		l.want("REST "+offset, 501)
	}
	for _, span := range []string{"-1 5", "5 -1", "0 9223372036854775808", "x y", "5"} {
		l.want("RANG "+span, 501)
	}
	for _, offset := range []uint64{1001, 1 << 31, 1 << 32, 1<<63 - 1} {
		l.want(fmt.Sprintf("REST %d", offset), 350)
		wantRefused(l, "RETR f", 554)
		l.want(fmt.Sprintf("REST %d", offset), 350)
		wantRefused(l, "STOR f", 554)
	}
	l.wantFetched("RETR f", content)
	wantStands(t, v, "f", 1)
}

// TestThreat17And22Lines: lines without an end, and Telnet commands in every
// wrong place. The session goes on.
func TestThreat17And22Lines(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	l := phone(t, v)
	l.want("NOOP "+strings.Repeat("x", 1<<20), 500) // threat 17
	l.want("NOOP", 200)
	l.want("\xff\xf4\xff\xf2ABOR", 226) // threat 22
	if err := l.say("NO\xff\xfbx\xff\xfdy\xff\xf1OP"); err != nil {
		t.Fatal(err)
	}
	// WILL is met with DONT, DO with WONT, and the command is read.
	if row, err := l.in.ReadLine(); err != nil || row != "\xff\xfex\xff\xfcy200 Ok." {
		t.Errorf("NOOP with Telnet options was answered %q, %v", row, err)
	}
	content := []byte("content")
	l.wantStored("STOR a\xff\xffb", content)
	wantFile(t, v.path("a\xffb"), content)
	l.wantFetched("RETR a\xff\xffb", content)
	// An answer is wanted for none of them, and no room is taken by them.
	if err := l.say(strings.Repeat("\xff\xfa\x18\xff\xf0", 20_000) + strings.Repeat("\xff\xfb\x01\xff\xfc\x01", 20_000)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the dialogue is in step again", func() bool {
		_ = l.conn.SetReadDeadline(time.Now().Add(patience))
		row, err := l.in.ReadLine()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(row, "500 ") || strings.Contains(row, "501 ")
	})
	l.want("NOOP", 200)
}

// TestThreat34State: what the server remembers is for nobody else to read, and
// there is no way in but the ones that it has announced.
func TestThreat34State(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "new", "state")
	transfers := filepath.Join(t.TempDir(), "transfers")
	v := start(t, setup{state: state, config: cheapLogins + fmt.Sprintf("[log]\ntransfer_log = %q\n", transfers)})
	addUser(t, v, "bob", "first-4711")
	l := phoneAs(t, v, "", "bob", "first-4711")
	l.wantStored("STOR f", []byte("x"))
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
	again := start(t, setup{state: state, listen: "127.0.0.1:0"}) // and nobody has asked for a passive port here
	_, port, err := net.SplitHostPort(again.addr)
	if err != nil {
		t.Fatal(err)
	}
	if open := listeners(t, again.pid()); len(open) != 1 || open[0] != "tcp "+port {
		t.Errorf("the server listens at %q, and has announced tcp %s only", open, port)
	}
}
