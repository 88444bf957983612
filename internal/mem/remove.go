package mem

import (
	"context"
	"io/fs"

	"ferry"
)

func (s *session) Remove(_ context.Context, name ferry.Name) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return fail("remove", name, s.remove(name))
}

func (s *session) remove(name ferry.Name) error {
	at, err := s.walk(name, false)
	if err != nil {
		return err
	}
	if at.node != nil && at.node.isDir() {
		return ferry.ErrIsDir
	}
	if at.node == nil && s.own(at) == nil && s.partAt(at) == nil {
		return fs.ErrNotExist
	}
	s.end(at)
	if at.node != nil {
		at.dir.drop(at.base)
		s.tree.unlink(at.node)
	}
	return nil
}

func (s *session) RemoveUnchanged(_ context.Context, name ferry.Name, was ferry.Info) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return fail("remove", name, s.removeUnchanged(name, was))
}

func (s *session) removeUnchanged(name ferry.Name, was ferry.Info) error {
	at, err := s.existing(name, false)
	switch {
	case err != nil:
		return err
	case at.node.isDir():
		return ferry.ErrIsDir
	case !at.node.info("").Unchanged(was):
		return ferry.ErrChanged
	}
	at.dir.drop(at.base)
	s.tree.unlink(at.node)
	return nil
}

func (s *session) Rmdir(_ context.Context, name ferry.Name) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return fail("rmdir", name, s.rmdir(name))
}

func (s *session) rmdir(name ferry.Name) error {
	at, err := s.existing(name, false)
	switch {
	case err != nil:
		return err
	case at.dir == nil:
		return fs.ErrPermission
	case !at.node.isDir():
		return ferry.ErrNotDir
	case len(at.node.children) > 0:
		return ferry.ErrNotEmpty
	}
	for key, p := range at.node.parts {
		mine := s.keeps && key == s.key(key.base) || s.handles[p.holder]
		if !mine && !s.tree.expired(p) {
			return ferry.ErrBusy
		}
	}
	for _, p := range at.node.parts {
		s.endPart(p)
	}
	at.dir.drop(at.base)
	s.tree.unlink(at.node)
	return nil
}

func (s *session) Rename(_ context.Context, from, to ferry.Name, replace bool) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return fail("rename", from, s.rename(from, to, replace))
}

func (s *session) rename(from, to ferry.Name, replace bool) error {
	src, err := s.walk(from, false)
	if err != nil {
		return err
	}
	dst, err := s.walk(to, false)
	if err != nil {
		return err
	}
	if src.dir == nil || dst.dir == nil {
		return fs.ErrPermission
	}
	if p := s.written(src); p != nil && (src.node == nil || p == s.own(src)) {
		return s.renamePart(p, dst, replace)
	}
	if err := checkRename(src, dst, replace); err != nil {
		return err
	}
	if src.node == dst.node {
		return nil
	}
	s.end(dst)
	if dst.node != nil {
		s.tree.unlink(dst.node)
	}
	src.dir.drop(src.base)
	dst.dir.put(dst.base, src.node)
	return nil
}

// checkRename asks what rename(2) asks, in the order of Linux.
func checkRename(src, dst place, replace bool) error {
	switch {
	case src.node == nil:
		return fs.ErrNotExist
	case dst.node != nil && !replace:
		return fs.ErrExist
	case dst.dir.within(src.node):
		return fs.ErrInvalid
	case src.dir.within(dst.node):
		return ferry.ErrNotEmpty
	case dst.node == nil || src.node == dst.node:
		return nil
	case src.node.isDir() && !dst.node.isDir():
		return ferry.ErrNotDir
	case !src.node.isDir() && dst.node.isDir():
		return ferry.ErrIsDir
	case len(dst.node.children)+len(dst.node.parts) > 0:
		return ferry.ErrNotEmpty
	}
	return nil
}

// within tells whether the directory is top or lies below it.
func (dir *node) within(top *node) bool {
	for ; dir != top; dir = dir.parent {
		if dir == dir.parent {
			return false
		}
	}
	return true
}

// renamePart makes an unfinished upload one for another name.
func (s *session) renamePart(p *part, dst place, replace bool) error {
	same := p.dir == dst.dir && p.key.base == dst.base
	ends := s.own(dst)
	if ends == nil {
		ends = s.partAt(dst)
	}
	switch {
	case !replace && (same || dst.node != nil || dst.reserved(ends)):
		return fs.ErrExist
	case dst.node != nil && dst.node.isDir():
		return ferry.ErrIsDir
	case same:
		return nil
	}
	s.end(dst)
	p.letGo()
	delete(p.dir.parts, p.key)
	p.key.base = dst.base
	p.dir = dst.dir
	p.exclusive = !replace
	p.dir.parts[p.key] = p
	return nil
}
