package disk

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"ferry"

	"ferry/internal/beneath"
	"ferry/internal/fstest"
	"ferry/internal/mem"
	"ferry/internal/quota"
)

// variant is one way in which a Tree may have to work.
type variant struct {
	name     string
	resolver string
	noProc   bool
	durable  bool
	counted  bool // somebody has a quota
}

func variants() []variant {
	return []variant{
		{name: "openat2", resolver: "openat2", durable: true},
		{name: "os.Root", resolver: "os.Root"},
		{name: "without proc", resolver: "openat2", noProc: true},
		{name: "counted", durable: true, counted: true},
	}
}

func (v variant) open(t *testing.T) *Tree {
	cfg := Config{Root: t.TempDir(), Resolver: v.resolver, Durable: v.durable, Umask: 0o022}
	if v.counted {
		cfg.Quota = quota.New(beneath.Total, slog.New(slog.DiscardHandler)).Tree(cfg.Root)
		cfg.Quota.Recount(context.Background())
		t.Cleanup(func() { wantExact(t, cfg) })
	}
	return openTree(t, cfg, v)
}

// wantExact wants the tree to hold what was counted of it while it changed.
func wantExact(t *testing.T, cfg Config) {
	limits := func() ferry.Limits { return ferry.Limits{QuotaBytes: 1 << 60} }
	counted := cfg.Quota.For(limits).Within(ferry.Space{}).Quota.Used
	if holds := cfg.Quota.Recount(context.Background()).Usage; counted != holds {
		t.Errorf("counted %+v, and there is %+v", counted, holds)
	}
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
