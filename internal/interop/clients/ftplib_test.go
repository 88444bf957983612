package clients

import (
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestFtplib runs the tests in testdata/ftplib_client.py: transfers, lists and
// aborts with Python's ftplib, passive and active.
func TestFtplib(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("testdata/ftplib_client.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, listen string
		verbs        []string
	}{
		{"IPv4", "127.0.0.1:0", []string{"PASV", "PORT"}},
		{"IPv6", "[::1]:0", []string{"EPSV", "EPRT"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			setup := harness.Debugged()
			setup.Listen = c.listen
			v := harness.Start(t, setup)
			harness.Program{Env: []string{"PYTHONDONTWRITEBYTECODE=1"}}.Must(t, "python3", script, v.Host, v.Port, harness.User, harness.Password)
			for _, verb := range c.verbs {
				harness.WantVerb(t, v, verb)
			}
			harness.WantNoParts(t, v.Dir)
		})
	}
}
