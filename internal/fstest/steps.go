package fstest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"ferry"
)

// choose makes the next step. What happens often in life happens often here.
func (s *script) choose() step {
	kinds := []func() step{
		s.open, s.open, s.open, s.write, s.write, s.receive, s.commit, s.commit, s.abortOne,
		s.read, s.send, s.truncate, s.sync, s.attrHandle, s.statHandle,
		s.stat, s.lstat, s.part, s.list, s.content,
		s.mkdir, s.mkdir, s.remove, s.removeSeen, s.rmdir, s.rename, s.rename, s.attr,
		s.symlink, s.link, s.readlink, s.space, s.wait, s.again,
	}
	return kinds[s.pick(len(kinds))]()
}

// by makes a step of one session.
func (s *script) by(what string, do func(f ferry.FS) string) step {
	who := s.session()
	return step{
		text: s.who(who) + " " + what,
		do:   func(side int) string { return do(s.sessions[who].fs[side]) },
	}
}

// on makes a step on an open handle.
func (s *script) on(what string, do func(h ferry.Handle) string) step {
	n := s.handle()
	return step{
		text: s.label(n) + " " + what,
		do: func(side int) string {
			if s.slots[n].open[side] == nil {
				return "not open"
			}
			return do(s.slots[n].open[side])
		},
	}
}

func (s *script) open() step {
	n := s.pick(len(s.slots))
	mode, name := ferry.Mode(s.pick(6)), s.name()
	o := ferry.OpenOptions{
		Mode: mode, Perm: s.perm(0, 0o600, 0o644, 0o755),
		At: []int64{ferry.Anywhere, ferry.Anywhere, ferry.AtEnd, 0, 10, 4096}[s.pick(6)],
	}
	o.KeepRest, o.Blind = s.pick(3) == 0, s.pick(6) == 0
	who := s.session()
	return step{
		text: fmt.Sprintf("handle %d := %s open %s %s at %d keep=%t blind=%t %s", n, s.who(who), name, modeName(mode), o.At, o.KeepRest, o.Blind, asked(o.Perm)),
		do: func(side int) string {
			slot := &s.slots[n]
			abortSide(slot, side)
			slot.session, slot.name = who, name
			h, err := s.sessions[who].fs[side].Open(context.Background(), name, o)
			if err != nil {
				return result(err, name)
			}
			slot.open[side] = h
			return fmt.Sprintf("ok, from %d", h.Start())
		},
		busy: true,
	}
}

// perm chooses one of the permissions, or none.
func (s *script) perm(of ...fs.FileMode) *fs.FileMode {
	n := s.pick(len(of) + 1)
	if n == len(of) {
		return nil
	}
	return &of[n]
}

func asked(perm *fs.FileMode) string {
	if perm == nil {
		return "default"
	}
	return fmt.Sprintf("%#o", *perm)
}

func abortSide(s *slot, side int) string {
	h := s.open[side]
	if h == nil {
		return "not open"
	}
	s.open[side] = nil
	return result(h.Abort(nil))
}

func (s *script) abort(n int) step {
	return step{
		text: s.label(n) + " abort",
		do:   func(side int) string { return abortSide(&s.slots[n], side) },
	}
}

func (s *script) abortOne() step { return s.abort(s.handle()) }

func (s *script) commit() step {
	return s.on("commit", func(h ferry.Handle) string { return result(h.Commit()) })
}

func (s *script) sync() step {
	return s.on("sync", func(h ferry.Handle) string { return result(h.Sync()) })
}

// span chooses where in a file, and how much.
func (s *script) span() (off, n int64) {
	offsets := []int64{0, 0, 0, 1, 100, 4096, 70000, 131072}
	lengths := []int64{0, 1, 10, 1000, 4096, 5000, 66000, 140000}
	return offsets[s.pick(len(offsets))], lengths[s.pick(len(lengths))]
}

// within makes off an offset that leaves no gap: how exactly a storage knows
// gaps in a part is its own, and Run tests them.
func within(h ferry.Handle, off int64) int64 {
	i, err := h.Stat()
	if err != nil {
		return off
	}
	return min(off, i.Size)
}

func (s *script) write() step {
	off, n := s.span()
	seed := s.pick(256)
	return s.on(fmt.Sprintf("write %d at %d, pattern %d", n, off, seed), func(h ferry.Handle) string {
		return counted(h.WriteAt(pattern(seed, n), within(h, off)))
	})
}

func (s *script) receive() step {
	off, limit := s.span()
	_, sent := s.span()
	if s.pick(2) == 0 {
		limit = -1
	}
	seed := s.pick(256)
	what := fmt.Sprintf("receive up to %d at %d of %d, pattern %d", limit, off, sent, seed)
	return s.on(what, func(h ferry.Handle) string { return receiveAll(h, within(h, off), limit, pattern(seed, sent)) })
}

func (s *script) read() step {
	off, n := s.span()
	return s.on(fmt.Sprintf("read %d at %d", n, off), func(h ferry.Handle) string {
		p := make([]byte, n)
		k, err := h.ReadAt(p, off)
		return counted(k, err) + digest(p[:k])
	})
}

func (s *script) send() step {
	off, n := s.span()
	if s.pick(2) == 0 {
		n = -1
	}
	return s.on(fmt.Sprintf("send %d from %d", n, off), func(h ferry.Handle) string { return sendAll(h, off, n) })
}

func (s *script) truncate() step {
	size, _ := s.span()
	return s.on(fmt.Sprintf("truncate %d", size), func(h ferry.Handle) string { return result(h.Truncate(within(h, size))) })
}

func (s *script) statHandle() step {
	return s.on("stat", func(h ferry.Handle) string { return described(h.Stat()) })
}

func (s *script) attrHandle() step {
	a, text := s.attrs()
	return s.on("setattr "+text, func(h ferry.Handle) string {
		if a.Size != nil {
			size := within(h, *a.Size)
			a.Size = &size
		}
		if err := h.SetAttr(a); err != nil {
			return result(err)
		}
		i, err := h.Stat()
		return changed(a, i, err)
	})
}

func (s *script) attr() step {
	a, text := s.attrs()
	name := s.name()
	return s.by("setattr "+string(name)+" "+text, func(f ferry.FS) string {
		look := f.Stat
		if a.NoFollow {
			look = f.Lstat
		}
		if i, err := look(context.Background(), name); err == nil && a.Size != nil {
			size := min(*a.Size, i.Size)
			a.Size = &size
		}
		if err := f.SetAttr(context.Background(), name, a); err != nil {
			return result(err, name)
		}
		i, err := look(context.Background(), name)
		return changed(a, i, err)
	})
}

// attrs chooses attributes that take away nobody's right to go on.
func (s *script) attrs() (ferry.Attr, string) {
	var a ferry.Attr
	var text string
	which := s.pick(16)
	if which&1 != 0 {
		mode := []fs.FileMode{0o700, 0o755, 0o750, 0o777}[s.pick(4)]
		a.Mode = &mode
		text += fmt.Sprintf("mode %#o ", mode)
	}
	if which&2 != 0 {
		at := time.Unix(1_000_000_000+int64(s.pick(256)), 0)
		a.ModTime, a.Access = &at, &at
		text += fmt.Sprintf("times %d ", at.Unix())
	}
	if which&12 == 12 {
		size, _ := s.span()
		a.Size = &size
		text += fmt.Sprintf("size %d ", size)
	}
	if s.pick(4) == 0 {
		a.NoFollow = true
		text += "nofollow"
	}
	return a, text
}

func (s *script) stat() step {
	name := s.name()
	return s.by("stat "+string(name), func(f ferry.FS) string {
		i, err := f.Stat(context.Background(), name)
		return described(i, err, name)
	})
}

func (s *script) lstat() step {
	name := s.name()
	return s.by("lstat "+string(name), func(f ferry.FS) string {
		i, err := f.Lstat(context.Background(), name)
		return described(i, err, name)
	})
}

func (s *script) part() step {
	name := s.name()
	return s.by("part "+string(name), func(f ferry.FS) string {
		i, err := f.Part(context.Background(), name)
		return described(i, err, name)
	})
}

func (s *script) list() step {
	name := append(names(), "/", "/")[s.pick(len(names())+2)]
	detail := ferry.Detail(s.pick(2))
	return s.by(fmt.Sprintf("list %s %d", name, detail), func(f ferry.FS) string { return listing(f, name, detail) })
}

func (s *script) content() step {
	name := s.name()
	return s.by("content "+string(name), func(f ferry.FS) string { return content(f, name) })
}

func (s *script) mkdir() step {
	name := []ferry.Name{"/c", "/d", "/d", "/d/e", "/d/e", "/l"}[s.pick(6)] // the rest is for files
	perm := s.perm(0o755, 0o700)
	return s.by(fmt.Sprintf("mkdir %s %s", name, asked(perm)), func(f ferry.FS) string {
		return result(f.Mkdir(context.Background(), name, perm), name)
	})
}

func (s *script) remove() step {
	name := s.name()
	return s.by("remove "+string(name), func(f ferry.FS) string { return result(f.Remove(context.Background(), name), name) })
}

// removeSeen removes what the session sees under a name.
func (s *script) removeSeen() step {
	name := s.name()
	return s.by("remove unchanged "+string(name), func(f ferry.FS) string {
		i, err := f.Lstat(context.Background(), name)
		if err != nil {
			return result(err, name)
		}
		return result(f.RemoveUnchanged(context.Background(), name, i), name)
	})
}

func (s *script) rmdir() step {
	name := s.name()
	return s.by("rmdir "+string(name), func(f ferry.FS) string { return result(f.Rmdir(context.Background(), name), name) })
}

func (s *script) rename() step {
	from, to, replace := s.name(), s.name(), s.pick(2) == 0
	st := s.by(fmt.Sprintf("rename %s %s replace=%t", from, to, replace), func(f ferry.FS) string {
		return result(f.Rename(context.Background(), from, to, replace), from, to)
	})
	st.busy = true
	return st
}

func (s *script) symlink() step {
	target, name := s.target(), []ferry.Name{"/l", "/l", "/d/l", "/b"}[s.pick(4)]
	return s.by("symlink "+target+" "+string(name), func(f ferry.FS) string {
		return result(f.Symlink(context.Background(), target, name), name)
	})
}

func (s *script) link() step {
	if slices.Contains(s.lacks, LinkCounts) {
		return s.symlink()
	}
	from, name := s.name(), s.name()
	return s.by("link "+string(from)+" "+string(name), func(f ferry.FS) string {
		return result(f.Link(context.Background(), from, name), from, name)
	})
}

func (s *script) readlink() step {
	name := s.name()
	return s.by("readlink "+string(name), func(f ferry.FS) string {
		target, err := f.Readlink(context.Background(), name)
		return target + " " + result(err, name)
	})
}

func (s *script) space() step {
	name := s.name()
	return s.by("space "+string(name), func(f ferry.FS) string {
		_, err := f.Space(context.Background(), name)
		return result(err, name)
	})
}

// again ends a session with all its handles and begins a new one of the user.
func (s *script) again() step {
	who := s.session()
	return step{
		text: s.who(who) + " close and begin again",
		do: func(side int) string {
			a := s.sessions[who]
			r := result(a.fs[side].Close())
			a.fs[side] = s.beginSide(a.user, side)
			return r
		},
	}
}
