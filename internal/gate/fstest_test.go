package gate_test

import (
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/gate"
	"ferry/internal/mem"
)

// behindTheGate is a storage whose sessions are the gate's.
type behindTheGate struct{ *house }

func (b behindTheGate) For(u ferry.User) ferry.FS {
	u.Rules = []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}
	b.change(u)
	_, s := b.enter(u.Name)
	return s.FS()
}

// For those who may do everything the wrappers change no answer. The whole
// suite of fstest does not fit: it sets deadlines of connections, and those are
// the gate's.
func TestTheWrappersChangeNoAnswer(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, gate.Limits{})
			h.sharedMayLink = true // as in the storage; that they may not is a right
			fstest.Random(t, seed, 500, behindTheGate{h}, mem.New(mem.Config{}))
		})
	}
}
