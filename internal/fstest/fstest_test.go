package fstest_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/mem"
)

// The suite itself runs where the backends are: its first is internal/mem.

func TestRandomAgrees(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			fstest.Random(t, seed, 1000, mem.New(mem.Config{}), mem.New(mem.Config{}))
		})
	}
}

// wrapped is a tree whose sessions fail as planned.
type wrapped struct {
	fstest.Tree
	plan []fstest.Fault
}

func (w wrapped) For(u ferry.User) ferry.FS { return fstest.NewFailing(w.Tree.For(u), w.plan...) }

func TestScriptFindsTheDifference(t *testing.T) {
	data := make([]byte, 20_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails
	for _, fault := range []fstest.Fault{
		{Method: "Mkdir", Call: 2, Err: ferry.ErrNoSpace},
		{Method: "Handle.Commit", Call: 3},
		{Method: "Handle.WriteAt", After: 1, Err: ferry.ErrQuota},
	} {
		synctest.Test(t, func(t *testing.T) {
			err := fstest.Script(data, mem.New(mem.Config{}), wrapped{mem.New(mem.Config{}), []fstest.Fault{fault}})
			if err == nil || !strings.Contains(err.Error(), "b: ") {
				t.Errorf("with a fault in %s the trees agree: %v", fault.Method, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		if err := fstest.Script(data, mem.New(mem.Config{}), wrapped{mem.New(mem.Config{}), nil}); err != nil {
			t.Errorf("without a fault: %v", err)
		}
	})
}

func FuzzScript(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 1, 2, 3, 4, 6, 0, 31})
	f.Add([]byte("open, write, commit and whatever else these letters mean"))
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			if err := fstest.Script(data, mem.New(mem.Config{}), mem.New(mem.Config{})); err != nil {
				t.Error(err)
			}
		})
	})
}
