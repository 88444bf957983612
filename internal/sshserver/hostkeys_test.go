package sshserver

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostKeysThatCannotBeUsed: each is named, with what is wrong and what to
// do.
func TestHostKeysThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	keygen := func(name string, args ...string) {
		t.Helper()
		args = append(args, "-q", "-f", filepath.Join(dir, name))
		if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %q: %v\n%s", args, err, out)
		}
	}
	keygen("good", "-t", "ed25519", "-N", "")
	keygen("pem", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "")
	keygen("pkcs8", "-t", "ecdsa", "-b", "521", "-m", "PKCS8", "-N", "")
	keygen("locked", "-t", "ed25519", "-N", "secret")
	keygen("locked-pem", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret")
	keygen("locked-pkcs8", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "secret")
	keygen("short", "-t", "rsa", "-b", "1024", "-N", "")
	keygen("dsa", "-t", "dsa", "-N", "")
	keygen("dsa-pem", "-t", "dsa", "-m", "PEM", "-N", "")
	copyOf := func(from, to string, change func(string) string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), []byte(change(string(b))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(s string) string { return s }
	copyOf("good.pub", "public", same)
	copyOf("good", "open", same)
	copyOf("good", "group", same)
	copyOf("good", "damaged", func(s string) string { return strings.Replace(s, "b3BlbnNz", "AAAAAAAA", 1) })
	copyOf("good", "half", func(s string) string { return s[:100] })
	copyOf("good", "empty", func(string) string { return "" })
	copyOf("good", "text", func(string) string { return "hello\n" })
	for name, mode := range map[string]os.FileMode{"open": 0o644, "public": 0o644, "group": 0o640} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, want string }{
		{"good", ""},
		{"pem", ""},
		{"pkcs8", ""},
		{"missing", "cannot read the host key: open FILE: no such file or directory"},
		{"dir", "cannot read the host key: read FILE: is a directory"},
		{"open", "host key FILE can be read by others (mode 0644): chmod 600 it"},
		{"group", "host key FILE can be read by others (mode 0640): chmod 600 it"},
		{"locked", "host key FILE has a passphrase, which nobody can type at start: ssh-keygen -p -N '' -f FILE takes it away"},
		{"locked-pem", "host key FILE has a passphrase"},
		{"locked-pkcs8", "host key FILE has a passphrase"},
		{"short", "host key FILE is an RSA key of 1024 bits, and clients want 2048 at least"},
		{"dsa", "host key FILE is damaged, or of a type that is not known here; Ed25519, ECDSA and RSA are"},
		{"dsa-pem", "host key FILE is a DSA key, which no client takes any more"},
		{"public", "host key FILE is a public key or a certificate: the private one is needed"},
		{"damaged", "host key FILE is damaged"},
		{"half", "host key FILE is none that can be read"},
		{"empty", "host key FILE is empty"},
		{"text", "host key FILE is none that can be read: put a private key there, as ssh-keygen makes it"},
	} {
		file := filepath.Join(dir, test.file)
		key, err := ReadHostKey(file)
		if test.want == "" {
			if err != nil || key == nil {
				t.Errorf("%s: %v", test.file, err)
			}
			continue
		}
		if want := strings.ReplaceAll(test.want, "FILE", file); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", test.file, err, want)
		}
	}
}

// TestHostKeysAreMadeOnce: those that are there stay, those that are missing
// are made, and one that cannot be used is not replaced.
func TestHostKeysAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ssh")
	if err := CheckHostKeys(dir); err != nil {
		t.Errorf("before the first start: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("CheckHostKeys has made something")
	}
	first, err := HostKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "host_ecdsa")); err != nil {
		t.Fatal(err)
	}
	second, err := HostKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, kept := range []bool{true, false, true} {
		if same := string(first[i].PublicKey().Marshal()) == string(second[i].PublicKey().Marshal()); same != kept {
			t.Errorf("the %s key: kept %v, want %v", first[i].PublicKey().Type(), same, kept)
		}
	}
	bad := filepath.Join(dir, "host_rsa")
	if err := os.WriteFile(bad, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckHostKeys(dir); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("CheckHostKeys: %v", err)
	}
	if _, err := HostKeys(dir); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("HostKeys: %v", err)
	}
	if b, err := os.ReadFile(bad); string(b) != "hello" {
		t.Errorf("the file was replaced: %q, %v", b, err)
	}
}
