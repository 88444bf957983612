package interop

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestIPv6Secure is FTP over TLS over IPv6, with AUTH TLS and TLS from the
// start.
//
// curl 7.88 is not here in active mode: it speaks in clear on a data
// connection that it has accepted, which is a mistake of its versions 7.87 and
// 7.88, and is refused with 522.
func TestIPv6Secure(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{listen: "[::1]:0", config: cheapLogins}, binding("enforce"))
	for _, scheme := range []string{"ftp", "ftps"} {
		t.Run("curl "+scheme, func(t *testing.T) {
			t.Parallel()
			here, content := t.TempDir(), noise(1, 300_000)
			writeFile(t, filepath.Join(here, "f"), content)
			args := secureArgs(v, "-6", "--tlsv1.3")
			up := curl(t, here, append(args, "-T", "f", v.secureURL(scheme, scheme))...)
			if !strings.Contains(up.err, "> EPSV") || !strings.Contains(up.err, "SSL re-using session ID") {
				t.Errorf("curl did not say EPSV, or did not resume:\n%s", up.err)
			}
			wantFile(t, v.path(scheme), content)
			curl(t, here, append(args, "-o", "got", v.secureURL(scheme, scheme))...)
			wantFile(t, filepath.Join(here, "got"), content)
		})
		for mode, verb := range map[string]string{"on": "---> EPSV", "off": "---> EPRT |2|"} {
			t.Run("lftp "+scheme+", passive "+mode, func(t *testing.T) {
				t.Parallel()
				here, tree := t.TempDir(), scheme+"-"+mode
				plant(t, filepath.Join(here, "out"), 20)
				o := secureLFTP(t, v, here, v.secureURL(scheme, "/"), "set ftp:passive-mode "+mode, "mirror -R out "+tree, "mirror "+tree+" back")
				if !strings.Contains(o.out+o.err, verb) {
					t.Errorf("lftp did not say %s:\n%s%s", verb, o.out, o.err)
				}
				wantSameTree(t, v.path(tree), filepath.Join(here, "out"), kept{})
				wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
			})
		}
	}
}

// TestLFTPSecureActive: the server connects to the client, and is the server of
// TLS there, too.
func TestLFTPSecureActive(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, binding("enforce"))
	here := t.TempDir()
	plant(t, filepath.Join(here, "out"), 30)
	o := secureLFTP(t, v, here, v.url("/"), "set ftp:passive-mode off", "mirror -R out tree", "mirror tree back")
	if !strings.Contains(o.out+o.err, "---> PORT ") {
		t.Errorf("lftp did not say PORT:\n%s%s", o.out, o.err)
	}
	wantSameTree(t, v.path("tree"), filepath.Join(here, "out"), kept{})
	wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
}
