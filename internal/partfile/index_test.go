package partfile

import (
	"testing"

	"ferry/internal/beneath"
)

type numbered uint64

func (n numbered) Number() uint64 { return uint64(n) }

func TestIndexShowsTheLastOne(t *testing.T) {
	var dir beneath.DirID
	x := make(Index[numbered])
	x.Add(dir, "x", 2)
	x.Add(dir, "x", 3)
	x.Add(dir, "x", 1) // moved there last, opened first
	x.Remove(dir, "y", 1)
	if got := x.Last(dir, "x"); got != 3 {
		t.Errorf("handle %d, want 3", got)
	}
	x.Remove(dir, "x", 3)
	if got := x.In(dir); len(got) != 1 || got["x"] != 2 {
		t.Errorf("%v, want 2 under x", got)
	}
	x.Remove(dir, "x", 1)
	x.Remove(dir, "x", 2)
	if len(x) != 0 || x.In(dir) != nil || x.Last(dir, "x") != 0 {
		t.Errorf("%v after the last has gone", x)
	}
}
