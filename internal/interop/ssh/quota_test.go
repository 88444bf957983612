package ssh

import (
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestQuotaIsOneForAllProtocols: what came by one protocol is counted for the other, both
// refuse what does not fit and leave the old file alone, both tell what is left, and a
// changed quota holds for the session that runs.
func TestQuotaIsOneForAllProtocols(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
	harness.MustManage(t, v.Server, "", "set", "bob", "--quota", "1000000")
	here := t.TempDir()
	old, large := harness.Noise(1, 300_000), harness.Noise(2, 800_000)
	harness.WriteFile(t, filepath.Join(here, "old"), old)
	harness.WriteFile(t, filepath.Join(here, "large"), large)
	k := harness.PhoneAs(t, v.Server, "", "bob", harness.Password)

	fine(t, v.sftp(t, here, "put old f"))
	k.Want("AVBL", 213)
	wantQuota(t, k, "300000 of 1000000, 700000 left")
	if a, err := k.Store("STOR f", large); err != nil || a.Code != 552 {
		t.Errorf("STOR of what does not fit: %v, %v", a, err)
	}
	if o := v.sftp(t, here, "put large f"); o.Code == 0 || !strings.Contains(o.Err, "Failure") { // the text of STATUS it leaves out
		t.Errorf("sftp put of what does not fit: exit status %d, %s", o.Code, o.Err)
	}
	v.Log.Wait(t, `error="write /f: quota exceeded"`, v.Ended)
	harness.WantFile(t, filepath.Join(v.Dir, "f"), old)
	wantOnly(t, v.Dir, "f")
	wantQuota(t, k, "300000 of 1000000, 700000 left")
	if o := v.sftp(t, here, "df"); !strings.Contains(o.Out, " 976 ") { // KiB
		t.Errorf("df of sftp: %s%s", o.Out, o.Err)
	}

	harness.MustManage(t, v.Server, "", "set", "bob", "--quota", "2000000")
	harness.Eventually(t, "the session has the new quota", func() bool { return strings.Contains(quotaOf(t, k), "of 2000000") })
	if a, err := k.Store("STOR f", large); err != nil || a.Code != 226 {
		t.Errorf("STOR of what fits now: %v, %v", a, err)
	}
	wantQuota(t, k, "800000 of 2000000, 1200000 left")
}

// quotaOf is the answer to SITE QUOTA.
func quotaOf(t *testing.T, k harness.Caller) string {
	t.Helper()
	a, err := k.Ask("SITE QUOTA")
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}

func wantQuota(t *testing.T, k harness.Caller, want string) {
	t.Helper()
	if got := quotaOf(t, k); !strings.Contains(got, "Bytes: "+want) {
		t.Errorf("SITE QUOTA: %s; want %s", got, want)
	}
}
