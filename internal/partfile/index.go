package partfile

import (
	"cmp"
	"slices"

	"ferry/internal/beneath"
)

// Numbered is a handle. One that was opened later has a larger number.
type Numbered interface {
	comparable
	Number() uint64
}

// Index has the unfinished files of one session, by the directory and the last element
// of what they will become. Every look at a name asks here, under the lock of the whole
// tree, so it is no search through everything that the session has open.
type Index[H Numbered] map[beneath.DirID]map[string][]H // each list in the order of opening

// Add enters h.
func (x Index[H]) Add(dir beneath.DirID, base string, h H) {
	names := x[dir]
	if names == nil {
		names = make(map[string][]H)
		x[dir] = names
	}
	i, _ := slices.BinarySearchFunc(names[base], h, byNumber)
	names[base] = slices.Insert(names[base], i, h)
}

// Remove takes h out, if it is there.
func (x Index[H]) Remove(dir beneath.DirID, base string, h H) {
	names := x[dir]
	list := names[base]
	i, found := slices.BinarySearchFunc(list, h, byNumber)
	switch {
	case !found:
	case len(list) > 1:
		names[base] = slices.Delete(list, i, i+1)
	case len(names) > 1:
		delete(names, base)
	default:
		delete(x, dir)
	}
}

// Last is the handle that was opened last, the zero one if there is none.
func (x Index[H]) Last(dir beneath.DirID, base string) (last H) {
	if list := x[dir][base]; len(list) > 0 {
		last = list[len(list)-1]
	}
	return last
}

// In gives the last handle of each name in dir; nil if there is none.
func (x Index[H]) In(dir beneath.DirID) map[string]H {
	if len(x[dir]) == 0 {
		return nil
	}
	all := make(map[string]H, len(x[dir]))
	for base := range x[dir] {
		all[base] = x.Last(dir, base)
	}
	return all
}

func byNumber[H Numbered](a, b H) int { return cmp.Compare(a.Number(), b.Number()) }
