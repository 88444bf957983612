package interop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
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

// cheapLogins makes passwords cost little, where many logins are made.
const cheapLogins = `
[users]
hash_memory = "1MiB"
hash_passes = 1
`

// TestCrash kills the server with SIGKILL at moments that the seed says, while
// clients upload, replace, resume, rename and delete. After each restart every
// name has a content that was sent whole, the one that was acknowledged at
// least, and every upload that was cut off can be resumed to the exact content.
func TestCrash(t *testing.T) {
	t.Parallel()
	seed := crashSeed(t)
	t.Logf("%s=%d repeats the choices of this run", seedEnv, seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	s := setup{dir: t.TempDir(), state: t.TempDir(), config: cheapLogins}
	var clients []*crasher
	for i := range crashers {
		clients = append(clients, newCrasher(t, s.dir, i, rand.New(rand.NewPCG(seed, uint64(i)+1))))
	}
	for round := range crashRounds(t) {
		v := start(t, s)
		f := &fuse{blown: make(chan struct{})}
		f.left.Store(1 + rng.Int64N(longestFuse))
		done := everybody(clients, func(c *crasher) { c.live(v.addr, f) })
		select {
		case <-f.blown:
			v.kill()
		case <-done: // they have all failed
		}
		<-done
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	resumed, undecided := 0, 0
	v := start(t, s)
	<-everybody(clients, func(c *crasher) { c.settle(v.addr) })
	for _, c := range clients {
		resumed += c.resumed
		undecided += c.undecided
	}
	t.Logf("%d uploads were resumed behind the first byte, %d had been published and not acknowledged", resumed, undecided)
	if resumed == 0 {
		t.Error("no upload was cut off by a crash: this has tested nothing")
	}
}

// everybody lets all clients work at once; the channel is closed when the last
// one is done.
func everybody(clients []*crasher, work func(*crasher)) <-chan struct{} {
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

// fuse burns down by one with each step of a client, and then the server dies.
type fuse struct {
	left  atomic.Int64
	blown chan struct{}
}

func (f *fuse) burn() {
	if f.left.Add(-1) == 0 {
		close(f.blown)
	}
}

// dying tells whether the server may be gone.
func (f *fuse) dying() bool { return f.left.Load() <= 0 }

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

// wantOneOf says what a name must hold, in words.
func wantOneOf(ids []uint64) string {
	text := ""
	for _, id := range ids {
		if id == 0 {
			text += " or nothing"
		} else {
			text += fmt.Sprintf(" or specimen %d", id)
		}
	}
	return text[len(" or "):]
}
