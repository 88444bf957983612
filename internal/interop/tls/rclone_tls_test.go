package tls

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestRcloneSecure copies a tree there and back over FTPS, with four control
// connections that share one cache of sessions.
func TestRcloneSecure(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"observe", "auto", "enforce"} {
		for _, how := range []string{"--ftp-explicit-tls", "--ftp-tls"} {
			t.Run(mode+how, func(t *testing.T) {
				t.Parallel()
				v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
				at := v.Addr
				if how == "--ftp-tls" {
					at = v.Implicit
				}
				_, port, err := net.SplitHostPort(at)
				if err != nil {
					t.Fatal(err)
				}
				here := t.TempDir()
				harness.Plant(t, filepath.Join(here, "out"), 40)
				secret := harness.Program{}.Must(t, "rclone", "obscure", harness.Password)
				site := []string{how, "--ftp-port", port, "--ftp-host", v.Host, "--ftp-user", harness.User, "--ftp-pass", strings.TrimSpace(secret.Out),
					"--ftp-no-check-certificate", "--ftp-concurrency", "4", "--transfers", "4", "--checkers", "4",
					"--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"}
				for _, work := range [][]string{
					{"copy", "--create-empty-src-dirs", "out", ":ftp:tree"},
					{"check", "--download", "out", ":ftp:tree"},
					{"copy", "--create-empty-src-dirs", ":ftp:tree", "back"},
				} {
					harness.Program{Dir: here}.Must(t, "rclone", append(work, site...)...)
				}
				harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "out"), harness.Kept{})
				harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
				if strings.Contains(v.Log.String(), "would be refused by binding") {
					t.Error("the log names rclone among the clients that enforce would refuse")
				}
			})
		}
	}
}
