package interop

import (
	"path/filepath"
	"testing"
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
			setup := debugged()
			setup.listen = c.listen
			v := start(t, setup)
			program{env: []string{"PYTHONDONTWRITEBYTECODE=1"}}.must(t, "python3", script, v.host, v.port, user, password)
			for _, verb := range c.verbs {
				wantVerb(t, v, verb)
			}
			wantNoParts(t, v.dir)
		})
	}
}
