package ftpserver

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/nettest"
)

// hugeFS has a directory without end, and counts the entries taken of it.
type hugeFS struct {
	ferry.FS
	taken *atomic.Int64
}

func (h hugeFS) List(context.Context, ferry.Name, ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		for {
			n := h.taken.Add(1)
			if !yield(ferry.Info{Name: fmt.Sprintf("file-%08d", n), Mode: 0o644}, nil) {
				return
			}
		}
	}
}

// TestThreat20ListingsStream: of a directory, however large, no more is held
// than what is sorted and what fits into the buffers: a client that does not
// read stops the listing.
func TestThreat20ListingsStream(t *testing.T) {
	const sorted, gathered = 1000, 32 << 10 // entries of a directory, and bytes of lines
	const ahead = sorted + 1 + (nettest.WireRoom+gathered)/len("file-00000001\r\n") + 1
	for _, verb := range []string{"LIST", "NLST", "MLSD"} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int64
				w := newWorld(t)
				w.wrap = func(tree ferry.FS) ferry.FS { return hugeFS{tree, &taken} }
				w.play(verb, "login\nC: PASV\nS: 227 *\ndata connect\nC: "+verb+"\nS: 150 *\nsleep 1s\nC: ABOR\nS: 426 *\nS: 226 *\n")
				if n := int(taken.Load()); n <= sorted || n > ahead {
					t.Errorf("%d entries were taken for a client that read none; want no more than %d", n, ahead)
				}
			})
		})
	}
}
