package interop

import (
	"path/filepath"
	"testing"
)

// TestManyPrivateTransfers: 150 transfers in one session, each on a data
// connection that resumes the session's TLS.
func TestManyPrivateTransfers(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, binding("enforce"))
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			content := noise(uint64(version), 20_000)
			for range 50 {
				l.wantStored("STOR "+name, content)
				l.wantFetched("RETR "+name, content)
				l.wantFetched("NLST "+name, []byte(name+"\r\n"))
			}
			l.want("QUIT", 221)
		})
	}
}

// TestLargePrivateTransfer: 200 MB there and back again.
func TestLargePrivateTransfer(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, binding("enforce"))
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "up"), noise(1, 200_000_000))
	want := digest(t, filepath.Join(here, "up"))
	curl(t, here, secureArgs(v, "-T", "up", v.url("big"))...)
	if got := digest(t, v.path("big")); got != want {
		t.Errorf("what arrived has the digest %s, want %s", got, want)
	}
	curl(t, here, secureArgs(v, "-o", "down", v.url("big"))...)
	if got := digest(t, filepath.Join(here, "down")); got != want {
		t.Errorf("what came back has the digest %s, want %s", got, want)
	}
}

// secureArgs are those of a curl that insists on TLS and trusts v's authority.
func secureArgs(v *secureServer, args ...string) []string {
	return append([]string{"--ssl-reqd", "--cacert", v.ca.file}, args...)
}
