package ssh

import (
	"os"
	"path/filepath"
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
