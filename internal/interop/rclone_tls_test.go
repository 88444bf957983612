package interop

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestRcloneSecure copies a tree there and back over FTPS, with four control
// connections that share one cache of sessions.
func TestRcloneSecure(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"observe", "auto", "enforce"} {
		for _, how := range []string{"--ftp-explicit-tls", "--ftp-tls"} {
			t.Run(mode+how, func(t *testing.T) {
				t.Parallel()
				v := startSecure(t, setup{config: cheapLogins}, binding(mode))
				at := v.addr
				if how == "--ftp-tls" {
					at = v.implicit
				}
				_, port, err := net.SplitHostPort(at)
				if err != nil {
					t.Fatal(err)
				}
				here := t.TempDir()
				plant(t, filepath.Join(here, "out"), 40)
				secret := program{}.must(t, "rclone", "obscure", password)
				site := []string{how, "--ftp-port", port, "--ftp-host", v.host, "--ftp-user", user, "--ftp-pass", strings.TrimSpace(secret.out),
					"--ftp-no-check-certificate", "--ftp-concurrency", "4", "--transfers", "4", "--checkers", "4",
					"--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"}
				for _, work := range [][]string{
					{"copy", "--create-empty-src-dirs", "out", ":ftp:tree"},
					{"check", "--download", "out", ":ftp:tree"},
					{"copy", "--create-empty-src-dirs", ":ftp:tree", "back"},
				} {
					program{dir: here}.must(t, "rclone", append(work, site...)...)
				}
				wantSameTree(t, v.path("tree"), filepath.Join(here, "out"), kept{})
				wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
				if strings.Contains(v.log.String(), "would be refused by binding") {
					t.Error("the log names rclone among the clients that enforce would refuse")
				}
			})
		}
	}
}
