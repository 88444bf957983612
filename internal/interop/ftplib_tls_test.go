package interop

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestFtplibSecure runs the tests in testdata/ftplib_tls_client.py. Python's
// FTP_TLS resumes nothing on data connections: that works but where every
// connection must, and the log names it where that is to be found out.
func TestFtplibSecure(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("testdata/ftplib_tls_client.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{config: cheapLogins}, binding(mode))
			_, port, err := net.SplitHostPort(v.implicit)
			if err != nil {
				t.Fatal(err)
			}
			program{env: []string{"PYTHONDONTWRITEBYTECODE=1"}}.must(t, "python3", script, v.host, v.port, port, user, password, v.ca.file, mode)
			wantNoParts(t, v.dir)
			log := v.log.String()
			for text, in := range map[string]string{
				"data connection would be refused by binding = enforce": "observe",
				"data connection refused":                               "enforce",
			} {
				if said := strings.Contains(log, text); said != (mode == in) {
					t.Errorf("in mode %s the log says %q: %v", mode, text, said)
				}
			}
		})
	}
}
