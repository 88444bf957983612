package tls

import (
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestIPv6Secure is FTP over TLS over IPv6, with AUTH TLS and TLS from the
// start.
//
// curl 7.88 is not here in active mode: it speaks in clear on a data
// connection that it has accepted, which is a mistake of its versions 7.87 and
// 7.88, and is refused with 522.
func TestIPv6Secure(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Listen: "[::1]:0", Config: harness.CheapLogins}, harness.Binding("enforce"))
	for _, scheme := range []string{"ftp", "ftps"} {
		t.Run("curl "+scheme, func(t *testing.T) {
			t.Parallel()
			here, content := t.TempDir(), harness.Noise(1, 300_000)
			harness.WriteFile(t, filepath.Join(here, "f"), content)
			args := secureArgs(v, "-6", "--tlsv1.3")
			up := harness.Curl(t, here, append(args, "-T", "f", v.SecureURL(scheme, scheme))...)
			if !strings.Contains(up.Err, "> EPSV") || !strings.Contains(up.Err, "SSL re-using session ID") {
				t.Errorf("curl did not say EPSV, or did not resume:\n%s", up.Err)
			}
			harness.WantFile(t, v.Path(scheme), content)
			harness.Curl(t, here, append(args, "-o", "got", v.SecureURL(scheme, scheme))...)
			harness.WantFile(t, filepath.Join(here, "got"), content)
		})
		for mode, verb := range map[string]string{"on": "---> EPSV", "off": "---> EPRT |2|"} {
			t.Run("lftp "+scheme+", passive "+mode, func(t *testing.T) {
				t.Parallel()
				here, tree := t.TempDir(), scheme+"-"+mode
				harness.Plant(t, filepath.Join(here, "out"), 20)
				o := secureLFTP(t, v, here, v.SecureURL(scheme, "/"), "set ftp:passive-mode "+mode, "mirror -R out "+tree, "mirror "+tree+" back")
				if !strings.Contains(o.Out+o.Err, verb) {
					t.Errorf("lftp did not say %s:\n%s%s", verb, o.Out, o.Err)
				}
				harness.WantSameTree(t, v.Path(tree), filepath.Join(here, "out"), harness.Kept{})
				harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
			})
		}
	}
}

// TestLFTPSecureActive: the server connects to the client, and is the server of
// TLS there, too.
func TestLFTPSecureActive(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
	here := t.TempDir()
	harness.Plant(t, filepath.Join(here, "out"), 30)
	o := secureLFTP(t, v, here, v.Url("/"), "set ftp:passive-mode off", "mirror -R out tree", "mirror tree back")
	if !strings.Contains(o.Out+o.Err, "---> PORT ") {
		t.Errorf("lftp did not say PORT:\n%s%s", o.Out, o.Err)
	}
	harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "out"), harness.Kept{})
	harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
}
