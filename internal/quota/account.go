package quota

import (
	"cmp"
	"math"

	"golang.org/x/sys/unix"

	"ferry"
)

// Account is a tree as one session uses it. A nil one counts nothing.
type Account struct {
	tree   *Tree
	limits func() ferry.Limits // of the session's user, at present; nil: none
}

// For is the tree as a session uses it whose user has those limits, asked for again at each
// change; nil: as the server does.
func (t *Tree) For(limits func() ferry.Limits) *Account {
	if t == nil {
		return nil
	}
	return &Account{t, limits}
}

// For is the account of another session.
func (a *Account) For(limits func() ferry.Limits) *Account {
	if a == nil {
		return nil
	}
	return a.tree.For(limits)
}

// limit is what the tree may hold.
func (a *Account) limit() ferry.Usage {
	if a.limits == nil {
		return ferry.Usage{}
	}
	l := a.limits()
	return ferry.Usage{Bytes: l.QuotaBytes, Files: l.QuotaFiles}
}

// wanted tells whether what the account does is to be counted.
func (a *Account) wanted() bool { return a.tree.counts.Load() || a.limit() != ferry.Usage{} }

// room is how much more the tree may hold; less than none where it holds too much. The
// caller holds mu.
func (a *Account) room() ferry.Usage {
	limit := a.limit()
	return ferry.Usage{
		Bytes: cmp.Or(limit.Bytes, math.MaxInt64) - a.tree.used.Bytes,
		Files: cmp.Or(limit.Files, math.MaxInt64) - a.tree.used.Files,
	}
}

// Make makes something that has a name, by do.
func (a *Account) Make(do func() error) error {
	return a.make(do, func(room ferry.Usage) bool { return room.Files >= 1 })
}

// MakePart makes the part of an upload, by do. Where it is to replace a file, there is a
// file more until it does: that must not keep who has all his files from changing them.
// Who has no byte left is refused here, before he sends any.
func (a *Account) MakePart(replaces bool, do func() error) error {
	return a.make(do, func(room ferry.Usage) bool { return room.Bytes >= 1 && (room.Files >= 1 || replaces) })
}

func (a *Account) make(do func() error, fits func(room ferry.Usage) bool) error {
	if a == nil {
		return do()
	}
	t := a.tree
	counted := t.enter(a)
	defer t.leave(counted)
	if !counted {
		return do()
	}
	if !a.has(fits) {
		return ferry.ErrQuota
	}
	err := do()
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.add(0, 1)
	}
	return err
}

// has tells whether there is room.
func (a *Account) has(fits func(room ferry.Usage) bool) bool {
	a.tree.mu.Lock()
	defer a.tree.mu.Unlock()
	return fits(a.room())
}

// Remove takes a name away, by do; victim is what stands there, nil for nothing.
func (a *Account) Remove(victim func() *unix.Stat_t, do func() error) error {
	if a == nil {
		return do()
	}
	t := a.tree
	counted := t.enter(a)
	defer t.leave(counted)
	if !counted {
		return do()
	}
	st := victim()
	err := do()
	if err == nil && st != nil {
		t.gone(st)
	}
	return err
}

// Within is the space of the storage, and what of it the account may use.
func (a *Account) Within(s ferry.Space) ferry.Space {
	if a == nil || (a.limit() == ferry.Usage{}) || !a.tree.ready(a) {
		return s
	}
	t := a.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	limit, room := a.limit(), a.room()
	s.Quota = ferry.Quota{Limit: limit, Used: t.used}
	if limit.Bytes > 0 {
		free := uint64(max(room.Bytes, 0))
		s.Total, s.Free, s.Available = min(s.Total, uint64(limit.Bytes)), min(s.Free, free), min(s.Available, free)
	}
	if limit.Files > 0 {
		free := uint64(max(room.Files, 0))
		s.Files, s.FilesFree, s.FilesAvail = min(s.Files, uint64(limit.Files)), min(s.FilesFree, free), min(s.FilesAvail, free)
	}
	return s
}
