package tls

import (
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestManyPrivateTransfers: 150 transfers in one session, each on a data
// connection that resumes the session's TLS.
func TestManyPrivateTransfers(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			content := harness.Noise(uint64(version), 20_000)
			for range 50 {
				l.WantStored("STOR "+name, content)
				l.WantFetched("RETR "+name, content)
				l.WantFetched("NLST "+name, []byte(name+"\r\n"))
			}
			l.Want("QUIT", 221)
		})
	}
}

// TestLargePrivateTransfer: 200 MB there and back again.
func TestLargePrivateTransfer(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "up"), harness.Noise(1, 200_000_000))
	want := harness.Digest(t, filepath.Join(here, "up"))
	harness.Curl(t, here, secureArgs(v, "-T", "up", v.Url("big"))...)
	if got := harness.Digest(t, v.Path("big")); got != want {
		t.Errorf("what arrived has the digest %s, want %s", got, want)
	}
	harness.Curl(t, here, secureArgs(v, "-o", "down", v.Url("big"))...)
	if got := harness.Digest(t, filepath.Join(here, "down")); got != want {
		t.Errorf("what came back has the digest %s, want %s", got, want)
	}
}

// secureArgs are those of a curl that insists on TLS and trusts v's authority.
func secureArgs(v *harness.SecureServer, args ...string) []string {
	return append([]string{"--ssl-reqd", "--cacert", v.Ca.File}, args...)
}
