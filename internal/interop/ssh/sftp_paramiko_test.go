package ssh

import (
	"os"
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestParamiko runs the tests in testdata/paramiko_client.py: transfers, modes
// of open, seeks, hashes, attributes, and errors as Python shows them.
func TestParamiko(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("testdata/paramiko_client.py")
	if err != nil {
		t.Fatal(err)
	}
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	if err := os.Mkdir(v.Path("read-only"), 0o755); err != nil {
		t.Fatal(err)
	}
	harness.MustManage(t, v.Server, "", "set", "bob", "--rule", "/=all", "--rule", "/read-only=read-only")
	// The system's own python: another one does not see what packages bring.
	harness.Program{Env: []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"}}.Must(t, "/usr/bin/python3",
		script, v.sshPort, harness.User, harness.Password, "bob", v.key)
	harness.WantNoParts(t, v.Dir)
}
