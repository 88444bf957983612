package crash

import (
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestQuotaAfterCrashes kills the server while clients upload, replace, resume, rename and
// delete in a home that somebody has a quota for. What is said in the end to be held is
// what the disk holds.
func TestQuotaAfterCrashes(t *testing.T) {
	t.Parallel()
	seed := crashSeed(t)
	t.Logf("%s=%d repeats the choices of this run", seedEnv, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := harness.Setup{Dir: t.TempDir(), State: t.TempDir(), Config: harness.CheapLogins}
	v := harness.Start(t, s)
	harness.AddUser(t, v, "carol", "looking-glass-1871", "--home", s.Dir, "--quota", "1TiB")
	carol := harness.PhoneAs(t, v, "", "carol", "looking-glass-1871")
	carol.Want("MKD counted", 257)
	v.Stop()

	clients := newCrashers(t, s.Dir, seed)
	for range 4 {
		liveUntilKilled(t, s, clients, rng)
	}
	v = harness.Start(t, s)
	<-everybody(clients, func(c *harness.Crasher) { c.Settle(v.Addr) })
	v.Stop()
	wantCounted(t, s, held(t, s.Dir))
}

// counted is what `ferry quota show --json` says of a user.
type counted struct {
	Bytes, Files int64
	State        string
}

// held is what a directory holds.
func held(t *testing.T, dir string) counted {
	sum := counted{State: "exact"}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			sum.Bytes += info.Size()
		}
		sum.Files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func wantCounted(t *testing.T, s harness.Setup, want counted) {
	t.Helper()
	o := harness.Program{}.Run(t, os.Getenv(harness.BinaryEnv), "quota", "show", "carol", "--json", "--state", s.State)
	var got []counted
	if err := json.Unmarshal([]byte(o.Out), &got); err != nil {
		t.Fatalf("%v in %q, %q", err, o.Out, o.Err)
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("quota show: %+v; the disk holds %+v", got, want)
	}
}
