package harness

import (
	"fmt"
	"sync/atomic"
)

// Fuse burns down by one with each step of a client, and then the server dies.
type Fuse struct {
	Left  atomic.Int64
	Blown chan struct{}
}

func (f *Fuse) burn() {
	if f.Left.Add(-1) == 0 {
		close(f.Blown)
	}
}

// dying tells whether the server may be gone.
func (f *Fuse) dying() bool { return f.Left.Load() <= 0 }

// WantOneOf says what a name must hold, in words.
func WantOneOf(ids []uint64) string {
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
