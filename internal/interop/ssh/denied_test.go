package ssh

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestRefusalsOfTheHostAreInTheLog: where the server's user may not write, the client
// learns that it is denied, and the operator who denies it, by every protocol.
func TestRefusalsOfTheHostAreInTheLog(t *testing.T) {
	t.Parallel()
	s := harness.Setup{}
	if os.Getuid() == 0 { // without its capabilities, for whom permissions hold
		s.Wrap = []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
	}
	v := startSSH(t, s)
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), []byte("new"))
	if err := os.Mkdir(v.Path("closed"), 0o555); err != nil {
		t.Fatal(err)
	}
	const why = `error="the host refuses it to this server's user: permission denied (EACCES)"`
	for _, test := range []struct {
		refused func() harness.Output
		told    string
	}{
		{func() harness.Output {
			return harness.Program{Dir: here}.Run(t, "curl", "-q", "-sS", "-u", harness.User+":"+harness.Password, "-T", "f", v.Url("closed/by-ftp"))
		}, "op=write name=/closed/by-ftp "},
		{func() harness.Output { return v.sftp(t, here, "mkdir closed/by-sftp") }, "op=mkdir name=/closed/by-sftp "},
		{func() harness.Output { return v.scp(t, here, "-O", "f", "there:closed/by-scp") }, "op=write name=/closed/by-scp "},
	} {
		if o := test.refused(); o.Code == 0 {
			t.Errorf("%s: a success", test.told)
		}
		v.Log.Wait(t, test.told+why, v.Ended)
	}
}

// TestStartWarnsOfHomes that the server's user cannot use: where, who lacks what, and what
// to do.
func TestStartWarnsOfHomes(t *testing.T) {
	t.Parallel()
	s := harness.Setup{}
	if os.Getuid() == 0 {
		s.Wrap = []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
	}
	v := harness.Start(t, s)
	closed, blind := t.TempDir(), t.TempDir()
	harness.AddUser(t, v, "bob", harness.Password, "--home", closed)
	harness.AddUser(t, v, "carol", harness.Password, "--home", blind)
	harness.AddUser(t, v, "dora", harness.Password, "--home", closed, "--rights", "read-only")
	for dir, mode := range map[string]os.FileMode{closed: 0o555, blind: 0o300, v.Dir: 0o555} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	}
	v.Stop()
	v = harness.Start(t, v.Setup)
	who := fmt.Sprintf("the user of this server (uid %d) may not ", os.Getuid())
	for _, want := range []string{
		v.Dir + ", which " + who + "write (permission denied): uploads will fail",
		closed + " " + who + "write (permission denied): change its owner or its permissions",
		blind + " " + who + "read (permission denied): change its owner",
	} {
		if log := v.Log.String(); !strings.Contains(log, want) || strings.Contains(log, "dora") {
			t.Errorf("the log does not say %q, or speaks of dora", want)
		}
	}
}
