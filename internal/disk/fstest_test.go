package disk

import (
	"testing"
	"testing/synctest"

	"ferry/internal/fstest"
	"ferry/internal/mem"
)

// variant is one way in which a Tree may have to work.
type variant struct {
	name     string
	resolver string
	noProc   bool
	durable  bool
}

func variants() []variant {
	return []variant{
		{name: "openat2", resolver: "openat2", durable: true},
		{name: "os.Root", resolver: "os.Root"},
		{name: "without proc", resolver: "openat2", noProc: true},
	}
}

func (v variant) open(t *testing.T) *Tree {
	return openTree(t, Config{Root: t.TempDir(), Resolver: v.resolver, Durable: v.durable, Umask: 0o022}, v)
}

func openTree(t *testing.T, cfg Config, v variant) *Tree {
	t.Helper()
	tree, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if v.noProc {
		tree.root.WithoutProc()
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

func TestConformance(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			fstest.Run(t, func(t *testing.T) fstest.Tree { return v.open(t) })
		})
	}
}

func TestRandomAgreesWithMem(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			for seed := range uint64(10) {
				synctest.Test(t, func(t *testing.T) {
					fstest.Random(t, seed, 400, v.open(t), mem.New(mem.Config{Umask: 0o022}))
				})
			}
		})
	}
}

func FuzzAgreesWithMem(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 1, 2, 3, 4, 6, 0, 31})
	f.Add([]byte("open, write, commit and whatever else these letters mean"))
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			tree := variant{}.open(t)
			if err := fstest.Script(data, tree, mem.New(mem.Config{Umask: 0o022})); err != nil {
				t.Error(err)
			}
		})
	})
}
