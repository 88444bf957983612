package harness

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cheapLogins makes passwords cost little, where many logins are made.
const CheapLogins = `
[users]
hash_memory = "1MiB"
hash_passes = 1
`

// Curl runs curl as alice; -v shows the dialogue on standard error.
func Curl(t testing.TB, dir string, args ...string) Output {
	t.Helper()
	return Program{Dir: dir}.Must(t, "curl", CurlArgs(args)...)
}

func CurlArgs(args []string) []string {
	return append([]string{"-q", "-sSv", "-u", User + ":" + Password}, args...)
}

func AddUser(t testing.TB, v *Server, name, secret string, more ...string) {
	t.Helper()
	MustManage(t, v, secret, slices.Concat([]string{"add", name, "--password-stdin"}, more)...)
}

// Manage runs `ferry user VERB NAME ...` on the state of a server that runs, with its
// configuration.
func Manage(t testing.TB, v *Server, stdin string, args ...string) Output {
	t.Helper()
	args = append([]string{"user"}, args...)
	return Program{Stdin: stdin}.Run(t, os.Getenv(BinaryEnv), slices.Concat(args, v.configured, []string{"--state", v.Setup.State})...)
}

func MustManage(t testing.TB, v *Server, stdin string, args ...string) {
	t.Helper()
	if o := Manage(t, v, stdin, args...); o.Code != 0 {
		t.Fatalf("ferry user %q: exit status %d\n%s%s", args, o.Code, o.Out, o.Err)
	}
}

// LftpScriptAt logs in to url, with some settings.
func LftpScriptAt(url string, settings, lines []string) string {
	head := []string{
		"set cmd:fail-exit yes",
		"set net:max-retries 2",
		"set net:timeout 30",
		"debug 6",
	}
	open := fmt.Sprintf("open -u %s,%s %s", User, Password, url)
	return strings.Join(slices.Concat(head, settings, []string{open}, lines), "\n") + "\n"
}

// Lines counts the lines of text that hold all of words.
func Lines(text string, words ...string) int {
	n := 0
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			n++
		}
	}
	return n
}

// WantLogin tries to log in, and wants it to go well or not.
func WantLogin(t testing.TB, v *Server, name, secret string, well bool) {
	t.Helper()
	k, err := callAs("", v.Addr, name, secret)
	if err == nil {
		k.HangUp()
	}
	if (err == nil) != well {
		t.Errorf("login of %s with %q: %v, want it to go well: %v", name, secret, err, well)
	}
}

// WantResumable goes on with the broken upload of content, whose part is the largest in
// dir: at the SIZE that the server tells where nothing stands under the name. Where
// old stands, SIZE means that, and to go on at its end would mix the two: refused.
// Whoever knows the part's own size may go on with it.
func WantResumable(l Caller, dir, name string, old, content []byte) {
	l.T.Helper()
	from, want := int(PartSize(l.T, dir)), len(old)
	if old == nil {
		want = from
	}
	if size, err := l.Size(name); err != nil || size != want {
		l.T.Fatalf("SIZE %s: %d, %v; want %d, with a part of %d bytes", name, size, err, want, from)
	}
	if from <= 0 || from >= len(content) {
		l.T.Fatalf("the part of %s has %d of %d bytes", name, from, len(content))
	}
	if old != nil {
		WantRefused(l, "APPE "+name, 550)
		l.Want(fmt.Sprintf("REST %d", len(old)), 350)
		WantRefused(l, "STOR "+name, 550)
		l.WantFetched("RETR "+name, old)
	}
	l.Want(fmt.Sprintf("REST %d", from), 350)
	l.WantStored("STOR "+name, content[from:])
	l.WantFetched("RETR "+name, content)
}

// PartSize is the size of the largest part in a directory on the disk; 0: there is none.
func PartSize(t testing.TB, dir string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".ferry-part-*"))
	if err != nil {
		t.Fatal(err)
	}
	largest := int64(0)
	for _, f := range files {
		if i, err := os.Stat(f); err == nil {
			largest = max(largest, i.Size())
		}
	}
	return largest
}

// Scan is a scanner that is known to find just the lines of a file in
// testdata. When a newer scanner finds more, look at what it says; the test
// prints the lines as the file wants them.
func Scan(t *testing.T, file string, found []string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	expected := strings.Split(strings.TrimSpace(string(content)), "\n")
	for _, line := range found {
		if !slices.Contains(expected, line) {
			t.Errorf("found, and not expected: %s", line)
		}
	}
	for _, line := range expected {
		if !slices.Contains(found, line) {
			t.Errorf("expected, and not found: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("all that was found:\n%s", strings.Join(found, "\n"))
	}
}

// scanned lets scanners be as rude as they are.
const Scanned = "[limits]\nban_after = 0\nper_address = 0\n"

// WantRefused wants an upload not even to begin.
func WantRefused(l Caller, text string, code int) {
	l.T.Helper()
	conn, err := l.Begin(text)
	if err == nil {
		conn.Close()
		l.T.Fatalf("%q was let through", text)
	}
	if a, ok := err.(*Unexpected); !ok || a.Code != code {
		l.T.Fatalf("%q: %v, want %d", text, err, code)
	}
}

// WantStands wants a specimen under a name on the disk; 0: nothing.
func WantStands(t testing.TB, v *Server, name string, id uint64) {
	t.Helper()
	got, err := identify(v.Path(name))
	if err != nil {
		t.Error(err)
	} else if got != id {
		t.Errorf("%s holds %s, want %s", name, WantOneOf([]uint64{got}), WantOneOf([]uint64{id}))
	}
}

// Numbers are 0 to n-1, separated by commas.
func Numbers(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, ",")
}

// PartBytes is how much lies in parts: in hidden files of the served directory.
func PartBytes(t testing.TB, v *Server) int64 {
	t.Helper()
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), ".") {
			sum += info.Size()
		}
	}
	return sum
}

// Hello makes a handshake, behind AUTH TLS where TLS does not come first.
func Hello(addr string, auth bool, cfg *tls.Config) (tls.ConnectionState, error) {
	conn, err := DialFrom("", addr)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	k := &RawClient{Conn: conn}
	if auth {
		if k, _, err = Call("", addr); err != nil {
			return tls.ConnectionState{}, err
		}
		if err := k.Expect("AUTH TLS", 234); err != nil {
			return tls.ConnectionState{}, err
		}
	}
	defer k.HangUp()
	if err := k.Protect(cfg); err != nil {
		return tls.ConnectionState{}, err
	}
	return k.State(), nil
}

// noWaiting makes failed logins cost nothing, where they are not the subject.
const NoWaiting = CheapLogins + "[limits]\nfail_delay = \"0s\"\nfails = 0\nban_after = 0\n"
