package tls

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestFTPSSL: ftp-ssl is active by default, says PBSZ and PROT before it logs
// in, resumes on data connections, and ends an upload by closing the
// connection: without close_notify, and without having read what came. Hence
// its uploads do not count but where that is configured, as for devices.
//
// (The other client of that line, tnftp, has TLS for HTTP alone.)
func TestFTPSSL(t *testing.T) {
	t.Parallel()
	content := harness.Noise(1, 300_001)
	for _, c := range []struct {
		name  string
		lines []string
		ends  string // the reply to an upload
	}{
		{"strict", nil, "426 "},
		{"lenient for a user", []string{fmt.Sprintf("unclean_close_users = [%q]", harness.User)}, "226 "},
		{"lenient for a network", []string{`unclean_close_networks = ["127.0.0.0/8"]`}, "226 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, c.lines...)
			here := t.TempDir()
			harness.WriteFile(t, filepath.Join(here, "f"), content)
			harness.WriteFile(t, v.Path("h"), content)
			script := fmt.Sprintf("user %s %s\nbinary\nput f g\nget h h\nls\nquit\n", harness.User, harness.Password)
			o := harness.Program{Dir: here, Stdin: script, Env: []string{"SSL_CERT_FILE=" + v.Ca.File}}.Run(t, "ftp-ssl", "-n", "-v", "-d", "-z", "secure", v.Host, v.Port)
			for _, want := range []string{"---> PROT P\n200 ", "---> PORT ", "---> STOR g\n150 Ok to send data.\n" + c.ends, "226 Listing sent."} {
				if !strings.Contains(o.Out, want) {
					t.Errorf("the dialogue does not show %q:\n%s%s", want, o.Out, o.Err)
				}
			}
			harness.WantFile(t, filepath.Join(here, "h"), content)
			if strings.HasPrefix(c.ends, "226") {
				harness.WantFile(t, v.Path("g"), content)
				v.Log.Wait(t, "upload ended without close_notify; it counts, as configured", v.Ended)
			} else {
				harness.WantNoFile(t, v.Path("g"))
			}
		})
	}
}
