package crash

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"ferry/internal/interop/harness"
)

const (
	// rounds is how often the server is killed; FERRY_SOAK says another number.
	rounds  = 20
	soakEnv = "FERRY_SOAK"
	seedEnv = "FERRY_SEED"

	crashers = 4
	// longestFuse is how many steps of all clients together a server lives at
	// most: enough for each of them to end an upload or two.
	longestFuse = 150
)

// TestCrash kills the server with SIGKILL at moments that the seed says, while
// clients upload, replace, resume, rename and delete. After each restart every
// name has a content that was sent whole, the one that was acknowledged at
// least, and every upload that was cut off can be resumed to the exact content.
func TestCrash(t *testing.T) {
	t.Parallel()
	seed := crashSeed(t)
	t.Logf("%s=%d repeats the choices of this run", seedEnv, seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	s := harness.Setup{Dir: t.TempDir(), State: t.TempDir(), Config: harness.CheapLogins}
	clients := newCrashers(t, s.Dir, seed)
	for round := range crashRounds(t) {
		liveUntilKilled(t, s, clients, rng)
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	resumed, undecided := 0, 0
	v := harness.Start(t, s)
	<-everybody(clients, func(c *harness.Crasher) { c.Settle(v.Addr) })
	for _, c := range clients {
		resumed += c.Resumed
		undecided += c.Undecided
	}
	t.Logf("%d uploads were resumed behind the first byte, %d had been published and not acknowledged", resumed, undecided)
	if resumed == 0 {
		t.Error("no upload was cut off by a crash: this has tested nothing")
	}
}

// newCrashers are the clients, who make their choices by the seed.
func newCrashers(t *testing.T, dir string, seed uint64) (clients []*harness.Crasher) {
	t.Helper()
	for i := range crashers {
		clients = append(clients, harness.NewCrasher(t, dir, i, rand.New(rand.NewPCG(seed, uint64(i)+1))))
	}
	return clients
}

// liveUntilKilled starts a server, and kills it while the clients work, after a number of
// their steps.
func liveUntilKilled(t *testing.T, s harness.Setup, clients []*harness.Crasher, rng *rand.Rand) {
	t.Helper()
	v := harness.Start(t, s)
	f := &harness.Fuse{Blown: make(chan struct{})}
	f.Left.Store(1 + rng.Int64N(longestFuse))
	done := everybody(clients, func(c *harness.Crasher) { c.Live(v.Addr, f) })
	select {
	case <-f.Blown:
		v.Kill()
	case <-done: // they have all failed
	}
	<-done
}

// everybody lets all clients work at once; the channel is closed when the last
// one is done.
func everybody(clients []*harness.Crasher, work func(*harness.Crasher)) <-chan struct{} {
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { work(c) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	return done
}

func crashSeed(t testing.TB) uint64 {
	return envNumber(t, seedEnv, rand.Uint64())
}

func crashRounds(t testing.TB) int {
	return int(envNumber(t, soakEnv, rounds))
}

func envNumber(t testing.TB, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
