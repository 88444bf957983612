package tls

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
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
	for _, mode := range harness.Bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
			_, port, err := net.SplitHostPort(v.Implicit)
			if err != nil {
				t.Fatal(err)
			}
			harness.Program{Env: []string{"PYTHONDONTWRITEBYTECODE=1"}}.Must(t, "python3", script, v.Host, v.Port, port, harness.User, harness.Password, v.Ca.File, mode)
			harness.WantNoParts(t, v.Dir)
			log := v.Log.String()
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
