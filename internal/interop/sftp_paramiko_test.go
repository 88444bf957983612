package interop

import (
	"os"
	"path/filepath"
	"testing"
)

// TestParamiko runs the tests in testdata/paramiko_client.py: transfers, modes
// of open, seeks, hashes, attributes, and errors as Python shows them.
func TestParamiko(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("testdata/paramiko_client.py")
	if err != nil {
		t.Fatal(err)
	}
	v := startSSH(t, setup{config: cheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	if err := os.Mkdir(v.path("read-only"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustManage(t, v.server, "", "set", "bob", "--rule", "/=all", "--rule", "/read-only=read-only")
	// The system's own python: another one does not see what packages bring.
	program{env: []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"}}.must(t, "/usr/bin/python3",
		script, v.sshPort, user, password, "bob", v.key)
	wantNoParts(t, v.dir)
}
