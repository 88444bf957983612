package ftpserver

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ferry"
)

// listedFS counts the listings.
type listedFS struct {
	ferry.FS
	count *atomic.Int64
}

func (l listedFS) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	l.count.Add(1)
	return l.FS.List(ctx, dir, d)
}

// TestThreat17RepliesNobodyReads: a client that asks for large replies and
// reads none gets as many as its connection holds, and the others are not made
// beforehand: neither those to commands that came at once, nor those to
// commands that waited for a transfer.
func TestThreat17RepliesNobodyReads(t *testing.T) {
	const files, commands = 2000, 40
	tests := []struct{ name, script string }{
		{"in one segment", fmt.Sprintf("raw %q\n", strings.Repeat("STAT /d\r\n", commands))},
		{"behind a transfer", fmt.Sprintf("C: PASV\nS: 227 *\ndata connect\nC: STOR f\nS: 150 *\nraw %q\ndata close\n",
			strings.Repeat("STAT /d\r\n", commands))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var listings atomic.Int64
				w := newWorld(t)
				w.wrap = func(tree ferry.FS) ferry.FS { return listedFS{tree, &listings} }
				w.quiet = true
				w.play(test.name, fmt.Sprintf("mkdir /d\nfiles /d %d\nlogin\n%s", files, test.script)+"sleep 1s\n")
				if n := listings.Load(); n > 3 {
					t.Errorf("%d replies of %d entries were made for a client that read none", n, files)
				}
			})
		})
	}
}
