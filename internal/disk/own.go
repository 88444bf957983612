package disk

import (
	"cmp"
	"slices"

	"ferry/internal/beneath"
)

// ownUploads are the unfinished files of one session, by what they will become. Every
// look at a name asks here, under the lock of the whole tree, so it is no search
// through everything that the session has open.
type ownUploads map[beneath.DirID]map[string][]*staged // each list in the order of opening

// add enters h under the target of u.
func (o ownUploads) add(h *staged, u *upload) {
	dir := o[u.at.ID]
	if dir == nil {
		dir = make(map[string][]*staged)
		o[u.at.ID] = dir
	}
	list := dir[u.at.Base]
	i, _ := slices.BinarySearchFunc(list, h, byNumber)
	dir[u.at.Base] = slices.Insert(list, i, h)
}

// remove takes h, if it is there, away from the target of u.
func (o ownUploads) remove(h *staged, u *upload) {
	dir := o[u.at.ID]
	list := dir[u.at.Base]
	i, found := slices.BinarySearchFunc(list, h, byNumber)
	switch {
	case !found:
	case len(list) > 1:
		dir[u.at.Base] = slices.Delete(list, i, i+1)
	case len(dir) > 1:
		delete(dir, u.at.Base)
	default:
		delete(o, u.at.ID)
	}
}

// last is the handle that was opened last for target, nil if there is none.
func (o ownUploads) last(target targetKey) *staged {
	list := o[target.dir][target.base]
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// in gives the last handle of each target in dir, by name; nil if there is none.
func (o ownUploads) in(dir beneath.DirID) map[string]*staged {
	if len(o[dir]) == 0 {
		return nil
	}
	all := make(map[string]*staged, len(o[dir]))
	for name, list := range o[dir] {
		all[name] = list[len(list)-1]
	}
	return all
}

func byNumber(a, b *staged) int { return cmp.Compare(a.number, b.number) }
