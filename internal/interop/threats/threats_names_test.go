package threats

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// secret stands outside of what is served.
const secret = "the-secret-4711"

// outside makes a directory that holds the root and, beside it, what nobody
// may see or touch.
func outside(t *testing.T) (base, root string) {
	t.Helper()
	base = t.TempDir()
	root = filepath.Join(base, "root")
	harness.WriteFile(t, filepath.Join(base, "secret"), []byte(secret))
	harness.WriteFile(t, filepath.Join(base, "dir", "secret"), []byte(secret))
	harness.WriteFile(t, filepath.Join(root, "f"), []byte("public"))
	if err := os.Mkdir(filepath.Join(root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	return base, root
}

// TestThreat2NothingOutsideTheRoot: every verb with every name that has led
// out of somebody's root, links among them that the client has made (threat
// 6): nothing outside is told, and nothing changes.
func TestThreat2NothingOutsideTheRoot(t *testing.T) {
	t.Parallel()
	base, root := outside(t)
	v := harness.Start(t, harness.Setup{Dir: root})
	before := inventory(t, base, root)
	l := harness.Phone(t, v)

	names := []string{
		"../secret", "/../secret", "sub/../../secret", "/sub/./../../secret", "....//secret", "//..//secret",
		`..\secret`, `\..\secret`, "%2e%2e/secret", "%2e%2e%2fsecret", "..%c0%afsecret", "\xc0\xae\xc0\xae/secret",
		".. /secret", "~/secret", "~root", base + "/secret", "file://" + base + "/secret", "../dir", "../root/../dir/secret",
	}
	for i, target := range []string{base, base + "/secret", "..", "../secret", "../../../../../../../.." + base, "sub/../../dir", "/proc/self/root" + base} {
		link := fmt.Sprintf("link%d", i)
		l.Want(fmt.Sprintf(`SITE SYMLINK "%s" %s`, target, link), 200)
		names = append(names, link, link+"/secret", link+"/dir/secret", link+"/../secret")
	}
	for _, name := range names {
		for _, verb := range []string{
			"RETR", "LIST", "NLST", "MLSD", "NLST -R", "LIST -d", "STOR", "APPE", "STOU",
			"SIZE", "MDTM", "MLST", "STAT", "HASH", "XCRC", "XMD5", "MD5", "AVBL",
			"CWD", "PWD", "CDUP", "SITE CHMOD 777", "MFMT 20200101000000", "MFF Modify=20200101000000;", "SITE UTIME 20200101000000",
			"SITE COPY f", "COMB f", "RNFR", "DELE", "RMD", "MKD", "SITE RMDIR", "SITE MKDIR", "SITE SYMLINK x",
		} {
			attempt(l, verb+" "+name)
		}
		l.Want("CWD /", 250)
		// What went to a name that is inside after all goes away again.
		attempt(l, "DELE secret")
	}
	if after := inventory(t, base, root); after != before {
		t.Errorf("outside of the root was\n%s\nand is now\n%s", before, after)
	}
}

// attempt gives a command, with a data connection, and looks into everything
// that comes back for what must not.
func attempt(l harness.Caller, text string) {
	l.T.Helper()
	switch verb, _, _ := strings.Cut(text, " "); verb {
	case "RETR", "LIST", "NLST", "MLSD":
		content, err := l.Fetch(text)
		if _, refused := err.(*harness.Unexpected); err != nil && !refused {
			l.T.Fatalf("%q: %v", text, err)
		}
		keepsSecret(l.T, text, string(content))
	case "STOR", "APPE", "STOU":
		_, err := l.Store(text, []byte("overwritten"))
		if _, refused := err.(*harness.Unexpected); err != nil && !refused {
			l.T.Fatalf("%q: %v", text, err)
		}
	case "RNFR":
		if a, err := l.Ask(text); err == nil && a.Code == 350 {
			l.Want("RNTO /stolen", 250, 550, 553)
			attempt(l, "RETR /stolen")
			attempt(l, "DELE /stolen")
		}
	default:
		if verb == "PWD" || verb == "CDUP" {
			text = verb
		}
		a, err := l.Ask(text)
		if err != nil {
			l.T.Fatalf("%q: %v", text, err)
		}
		if strings.HasPrefix(text, "SIZE ") && a.Code == 213 && a.Text == fmt.Sprint(len(secret)) {
			l.T.Errorf("%q told the size of the secret", text)
		}
		keepsSecret(l.T, text, a.Text)
	}
}

func keepsSecret(t testing.TB, text, told string) {
	t.Helper()
	if strings.Contains(told, secret) {
		t.Errorf("%q told what stands outside of the root: %q", text, told)
	}
}

// inventory is everything below base but root, with what can be changed of it.
func inventory(t testing.TB, base, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == base {
			return err
		}
		if path == root {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Mode(), info.ModTime().Format(time.RFC3339Nano), info.Size())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestThreat6LinksAreNotFollowedByRemoveAndRename, and are followed by all
// else beneath the root only.
func TestThreat6LinksAreNotFollowedByRemoveAndRename(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	harness.WriteFile(t, v.Path("f"), []byte("content"))
	harness.WriteFile(t, v.Path("d/f"), []byte("in d"))
	l := harness.Phone(t, v)
	l.Want("SITE SYMLINK f link", 200)
	l.Want("SITE SYMLINK /d dirlink", 200)
	l.WantFetched("RETR link", []byte("content"))
	l.WantFetched("RETR dirlink/f", []byte("in d"))
	l.Want("RNFR link", 350)
	l.Want("RNTO moved", 250)
	harness.WantFile(t, v.Path("f"), []byte("content"))
	l.Want("DELE moved", 250)
	harness.WantFile(t, v.Path("f"), []byte("content"))
	l.Want("RMD dirlink", 550)
	l.Want("DELE dirlink", 250)
	harness.WantFile(t, v.Path("d/f"), []byte("in d"))
}

// TestThreat25NULInNames: what one layer takes for the end of a name and
// another does not. No verb does anything.
func TestThreat25NULInNames(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	harness.WriteFile(t, v.Path("f"), []byte("content"))
	l := harness.Phone(t, v)
	for _, verb := range []string{"SIZE", "MDTM", "MLST", "CWD", "MKD", "RMD", "DELE", "RNFR", "HASH", "SITE CHMOD 777", "SITE COPY f", "SITE SYMLINK f"} {
		for _, name := range []string{"f\x00", "f\x00.txt", "\x00f", "new\x00"} {
			a, err := l.Ask(verb + " " + name)
			if err != nil || a.Code < 500 {
				t.Errorf("%s %q was answered %v, %v", verb, name, a, err)
			}
		}
	}
	for _, text := range []string{"STOR new\x00.txt", "APPE f\x00.txt", "RETR f\x00.txt"} {
		if conn, err := l.Begin(text); err == nil {
			conn.Close()
			t.Errorf("%q was let through", text)
		}
	}
	harness.WantFile(t, v.Path("f"), []byte("content"))
	entries, err := os.ReadDir(v.Dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

// TestThreat21NamesOnTheDiskCannotForge: a file whose name holds a line end
// makes no line of its own in a listing and no reply.
func TestThreat21NamesOnTheDiskCannotForge(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	const forged = "x\r\n226 forged\r\n-rw-r--r-- 1 0 0 5 Jan 1 2020 forged"
	harness.WriteFile(t, v.Path(forged), []byte("content"))
	harness.WriteFile(t, v.Path("y\nforged"), []byte("content"))
	harness.WriteFile(t, v.Path("\xff\xf4z\x1b[2J"), []byte("content"))
	l := harness.Phone(t, v)
	for _, text := range []string{"LIST", "NLST", "MLSD", "LIST x*", "NLST y*"} {
		list, err := l.Fetch(text)
		if refused, ok := err.(*harness.Unexpected); ok && refused.Code == 550 {
			continue // nothing that may be shown fits the pattern
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for row := range bytes.Lines(list) {
			if bytes.HasPrefix(row, []byte("226")) || bytes.HasPrefix(row, []byte("forged")) || bytes.HasPrefix(row, []byte("-rw-r--r-- 1 0")) {
				t.Errorf("%s has the line %q", text, row)
			}
		}
	}
	for _, text := range []string{"STAT /", "STAT x*", "MLST y\rforged"} {
		if err := l.Say(text); err != nil {
			t.Fatal(err)
		}
		if a, err := l.Hear(); err != nil || strings.Contains(a.Text, "\n226") || strings.Contains(a.Text, "\nforged") {
			t.Errorf("%q was answered %q, %v", text, a.Text, err)
		}
	}
	l.Want("NOOP", 200) // and the dialogue is still in step
}

// TestThreat5ReadOnly: a user who may only read changes nothing by any verb,
// SITE's and the copying ones (threat 4) among them.
func TestThreat5ReadOnly(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.CheapLogins})
	harness.WriteFile(t, v.Path("f"), []byte("content"))
	harness.WriteFile(t, v.Path("d/g"), []byte("content"))
	if err := os.Symlink("f", v.Path("link")); err != nil {
		t.Fatal(err)
	}
	harness.AddUser(t, v, "reader", "reading-is-fun", "--read-only")
	before := inventory(t, v.Dir, "")
	l := harness.PhoneAs(t, v, "", "reader", "reading-is-fun")
	for _, text := range []string{
		"DELE f", "RMD d", "MKD e", "SITE MKDIR e", "SITE RMDIR d", "SITE CHMOD 777 f", "SITE COPY f h", "SITE SYMLINK f h",
		"SITE UTIME 20200101000000 f", "MFMT 20200101000000 f", "MDTM 20200101000000 f", "MFF UNIX.mode=0777; f", "COMB h f", "XRMD d", "XMKD e",
	} {
		l.Want(text, 550, 553)
	}
	for _, text := range []string{"STOR f", "STOR h", "APPE f", "STOU", "STOU h"} {
		harness.WantRefused(l, text, 553)
	}
	if a := l.Want("RNFR f", 350, 550); a.Code == 350 {
		l.Want("RNTO h", 550, 553)
	}
	if a := l.Want("SITE CPFR f", 350); a.Code == 350 {
		l.Want("SITE CPTO h", 550, 553)
	}
	l.WantFetched("RETR f", []byte("content"))
	if after := inventory(t, v.Dir, ""); after != before {
		t.Errorf("there was\n%s\nand is now\n%s", before, after)
	}
}
