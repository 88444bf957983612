package ssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestSFTPTyped: what people type into OpenSSH's sftp, over SSH.
func TestSFTPTyped(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	harness.MustManage(t, v.Server, "", "set", "bob", "--rights", "all,chown")
	here := t.TempDir()
	content := harness.Noise(1, 700_001)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	harness.WriteFile(t, filepath.Join(here, "g-part"), content[:100_000])
	harness.WriteFile(t, filepath.Join(here, "get-part"), content[:300_000])
	o := v.sftp(t, here,
		"pwd", "put -f f", "put f two", "cp f copied", "copy copied again", "put g-part resumed", "reput f resumed", "reget f get-part",
		"put g-part appended", "put -a f appended", "get -af f get-again", "mkdir d", "cd d", "put f", "pwd", "cd", "rename two d/moved", "ln f hard", "ln -s f soft", "symlink /f absolute",
		"chmod 600 f", "chmod -h 640 copied", "-chmod -h 600 soft", "chgrp 7 f", "chown 8 f", "chgrp -h 9 soft", "ls -la", "ls -1t", "ls -n d", "ls -lh f",
		"df", "df -h", "df -i d", "get d/m*", `put f "a \"quoted\" name"`, "put f 'it'\\''s'", "ls -1", "rm hard", "!true", "version", "lpwd")
	fine(t, o)
	for _, name := range []string{"f", "copied", "again", "resumed", "appended", "d/f", "d/moved", "soft", `a "quoted" name`, "it's"} {
		harness.WantFile(t, v.Path(name), content)
	}
	for _, name := range []string{"get-part", "get-again", "moved"} {
		harness.WantFile(t, filepath.Join(here, name), content)
	}
	harness.WantNoFile(t, v.Path("hard"))
	for _, want := range []string{"Remote working directory: /\n", "Remote working directory: /d\n", "-rw-------    ? 8        7 ", "-rw-r-----    ? ",
		"lrwxrwxrwx    ? 0        9 ", "%Capacity", "Inodes  ", " 684K ", "SFTP protocol version 3"} {
		if !strings.Contains(o.Out, want) {
			t.Errorf("sftp does not show %q:\n%s", want, o.Out)
		}
	}
	harness.MustManage(t, v.Server, "", "set", "bob", "--rights", "all")
	for command, want := range map[string]string{
		"chown 8 d":         "Permission denied",
		"chgrp 7 d":         "Permission denied",
		"get missing":       `"/missing" not found`,
		"rm d":              "Failure",
		"rmdir d":           "Failure",
		"mkdir d":           "Failure",
		"rename missing x":  "No such file or directory",
		"ls missing":        `"/missing" not found`,
		"put f missing/f":   "No such file or directory",
		"cd f":              "not a directory",
		"chmod 600 missing": "No such file or directory",
		"ln -s x soft":      "Failure",
		"put f .ferry-part-0123456789abcdef0123456789abcdef": "Bad message",
	} {
		if o := v.sftp(t, here, command); o.Code == 0 || !strings.Contains(o.Err, want) {
			t.Errorf("%s: exit status %d, want %q:\n%s%s", command, o.Code, want, o.Out, o.Err)
		}
	}
}

// TestThreat5LinksObeyRulesOverSFTP: a link brings nobody to where a rule says no.
func TestThreat5LinksObeyRulesOverSFTP(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	for _, name := range []string{"secret/f", "ro/r", "pub/dir/g"} {
		harness.WriteFile(t, v.Path(name), []byte("content"))
	}
	harness.MustManage(t, v.Server, "", "set", "bob", "--rule", "/=all", "--rule", "/secret=none", "--rule", "/ro=read-only")
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "mine"), []byte("mine"))
	fine(t, v.sftp(t, here, "ln -s /secret pub/s", "ln -s /secret/f pub/f", "ln -s ../secret/new pub/new", "ln -s /ro/r pub/r", "ln -s /ro pub/rd", "ln -s dir pub/d"))
	for _, command := range []string{
		"get pub/s/f got", "get pub/f got", "ls pub/s/*", "ls pub/s/f", "cd pub/s", "rm pub/s/f", "rename pub/s/f pub/moved", "rename pub/dir/g pub/s/g", "ln pub/s/f pub/hard",
		"put mine pub/s/f", "put mine pub/f", "put mine pub/s/new", "put mine pub/new", "put mine pub/r", "put mine pub/rd/r", "put mine pub/rd/new", "reput mine pub/r", "put -a mine pub/f",
		"mkdir pub/s/d", "rmdir pub/s", "chmod 777 pub/f", "chmod 777 pub/r", "ln -s x pub/s/link", "cp pub/f pub/copied", "cp pub/dir/g pub/rd/r", "df pub/s", "rm pub/rd/r",
	} {
		if o := v.sftp(t, here, command); o.Code == 0 {
			t.Errorf("%s goes well:\n%s", command, o.Out)
		}
	}
	fine(t, v.sftp(t, here, "get pub/r read", "get pub/d/g public", "put mine pub/d/new", "rm pub/f"))
	for name, content := range map[string]string{"secret/f": "content", "ro/r": "content", "pub/dir/g": "content", "pub/dir/new": "mine"} {
		harness.WantFile(t, v.Path(name), []byte(content))
	}
	harness.WantNoFile(t, v.Path("secret/new"))
	harness.WantNoFile(t, v.Path("ro/new"))
	for _, name := range []string{"read", "public"} {
		harness.WantFile(t, filepath.Join(here, name), []byte("content"))
	}
	harness.WantNoFile(t, filepath.Join(here, "got"))
}

// TestSSHOddNames: names that are more than letters, by patterns and in trees,
// with sftp and both protocols of scp.
func TestSSHOddNames(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	out := filepath.Join(here, "out")
	plantOdd(t, out, append(oddNames(), rawNames()...))
	for _, dir := range []string{v.Path("flat"), v.Path("flat-scp"), filepath.Join(here, "flat"), filepath.Join(here, "flat-scp"), filepath.Join(here, "flat-O")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	k := harness.Kept{Modes: true, Times: true}
	fine(t, v.sftp(t, here, "put -rp out tree", "get -rp tree back", "put -p out/odd/* flat", "get -p flat/* flat", "get flat/[$]* dollar", "rm flat/*"))
	harness.WantSameTree(t, v.Path("tree"), out, k)
	harness.WantSameTree(t, filepath.Join(here, "back"), out, k)
	harness.WantSameTree(t, filepath.Join(here, "flat"), filepath.Join(out, "odd"), k)
	harness.WantFile(t, filepath.Join(here, "dollar"), []byte("content of $HOME"))
	harness.WantSameTree(t, v.Path("flat"), t.TempDir(), k)

	fine(t, v.scp(t, here, "-rp", "out/odd/.", "there:flat-scp"))
	harness.WantSameTree(t, v.Path("flat-scp"), filepath.Join(out, "odd"), k)
	fine(t, v.scp(t, here, "-p", "there:flat-scp/*", "flat-scp"))
	harness.WantSameTree(t, filepath.Join(here, "flat-scp"), filepath.Join(out, "odd"), k)

	// The old protocol has lines, and scp writes other things for line ends.
	for _, name := range rawNames() {
		if err := os.Remove(v.Path(filepath.Join("flat-scp", name))); err != nil {
			t.Fatal(err)
		}
	}
	fine(t, v.scp(t, here, "-O", "-p", "there:flat-scp/*", "flat-O"))
	harness.WantSameTree(t, filepath.Join(here, "flat-O"), v.Path("flat-scp"), k)
	fine(t, v.scp(t, here, "-O", "-rp", "flat-O", "there:flat-O"))
	harness.WantSameTree(t, v.Path("flat-O"), v.Path("flat-scp"), k)
}

// TestSCPBetween: scp -3 carries files and trees from one place of a server to
// another, by both protocols.
func TestSCPBetween(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	harness.Plant(t, v.Path("tree"), 20)
	harness.WriteFile(t, v.Path("large"), harness.Noise(1, 3<<20))
	k := harness.Kept{Modes: true, Times: true}
	for name, flags := range map[string][]string{"sftp": {"-3", "-p"}, "old": {"-3", "-p", "-O"}} {
		fine(t, v.scp(t, "", append(flags, "-r", "there:tree", "there:"+name)...))
		harness.WantSameTree(t, v.Path(name), v.Path("tree"), k)
		fine(t, v.scp(t, "", append(flags, "there:large", "there:large-"+name)...))
		harness.WantFile(t, v.Path("large-"+name), harness.Noise(1, 3<<20))
	}
}

// TestSCPMistakes: what cannot be copied is said, and the rest is copied.
func TestSCPMistakes(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), []byte("content"))
	harness.WriteFile(t, v.Path("there"), []byte("there"))
	harness.WriteFile(t, v.Path("dir/f"), []byte("f"))
	for _, flags := range [][]string{nil, {"-O"}} {
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"there:missing", "x"}, "o such file"},
			{[]string{"there:dir", "x"}, "not a regular file"},
			{[]string{"f", "there:missing/f"}, "o such file"},
			{[]string{"f", "there:missing/"}, "scp:"},
			{[]string{"f", "f", "there:there"}, "there"},
			{[]string{"there:missing", "there:there", "."}, "o such file"},
		} {
			o := v.scp(t, here, append(append([]string{}, flags...), c.args...)...)
			if o.Code == 0 || !strings.Contains(o.Err, c.want) {
				t.Errorf("scp %q %q: exit status %d, want %q: %s", flags, c.args, o.Code, c.want, o.Err)
			}
		}
		harness.WantFile(t, filepath.Join(here, "there"), []byte("there"))
		if err := os.Remove(filepath.Join(here, "there")); err != nil {
			t.Fatal(err)
		}
		fine(t, v.scp(t, here, append(flags, "f", "there:dir")...))
		harness.WantFile(t, v.Path("dir/f"), []byte("content"))
		harness.WantNoFile(t, v.Path("missing"))
		harness.WantFile(t, v.Path("there"), []byte("there"))
	}
}

// TestSSHKilledDownload: what a download has brought before its client was
// killed is good for reget.
func TestSSHKilledDownload(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	content := harness.Noise(1, 4<<20)
	harness.WriteFile(t, v.Path("f"), content)
	client := exec.Command("sftp", v.byKey("-l", "8000", "-b", "-", "bob@127.0.0.1")...)
	client.Dir, client.Stdin = here, strings.NewReader("get f\n")
	harness.StartClient(t, client)
	harness.Eventually(t, "the download grows", func() bool {
		i, err := os.Stat(filepath.Join(here, "f"))
		return err == nil && i.Size() > 200_000
	})
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	v.Log.Wait(t, "msg=download", v.Ended)
	o := v.sftp(t, here, "reget f")
	fine(t, o)
	harness.WantFile(t, filepath.Join(here, "f"), content)
}

// TestUploadsGoOnAcrossProtocols: what a dead client of one protocol has left
// the same user goes on with by the other; nobody else sees it.
func TestUploadsGoOnAcrossProtocols(t *testing.T) {
	t.Parallel()
	for _, old := range []string{"", "what stood there before"} {
		v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
		here := t.TempDir()
		content := harness.Noise(1, 4<<20)
		harness.WriteFile(t, filepath.Join(here, "f"), content)
		if old != "" {
			harness.WriteFile(t, v.Path("f"), []byte(old))
			harness.WriteFile(t, v.Path("g"), []byte(old))
		}
		client := exec.Command("sftp", v.byKey("-l", "8000", "-b", "-", "bob@127.0.0.1")...)
		client.Dir, client.Stdin = here, strings.NewReader("put f\n")
		harness.StartClient(t, client)
		harness.Eventually(t, "the part grows", func() bool { return harness.PartSize(t, v.Dir) > 200_000 })
		if err := client.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		v.Log.Wait(t, "msg=upload", v.Ended)
		alice, bob := harness.Phone(t, v.Server), harness.PhoneAs(t, v.Server, "", "bob", harness.Password)
		var standing []byte // nil: nothing
		if old != "" {
			standing = []byte(old)
		}
		if old == "" {
			alice.Want("SIZE f", 550)
			if got, err := bob.Fetch("RETR f"); err == nil {
				t.Errorf("RETR of an unfinished upload gave %d bytes", len(got))
			}
		} else {
			alice.WantFetched("RETR f", []byte(old))
			bob.WantFetched("RETR f", []byte(old))
		}
		harness.WantResumable(bob, v.Dir, "f", standing, content)

		conn, err := bob.Begin("STOR g")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(content[:1<<20]); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, "all has arrived", func() bool { return harness.PartSize(t, v.Dir) == 1<<20 })
		bob.HangUp()
		v.Log.Wait(t, "name=/g ", v.Ended)
		conn.Close()
		if old == "" {
			harness.WantNoFile(t, v.Path("g"))
		} else {
			harness.WantFile(t, v.Path("g"), []byte(old))
		}
		if old == "" {
			fine(t, v.sftp(t, here, "reput f g"))
		} else {
			wantReputRefused(t, v.sftp(t, here, "reput f g"), v.Path("g"), old)
			fine(t, v.sftp(t, here, "put f g"))
		}
		harness.WantFile(t, v.Path("g"), content)
		harness.WantNoParts(t, v.Dir)
	}
}
