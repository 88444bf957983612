package mem

import (
	"io/fs"
	"time"

	"ferry"
)

// partKey tells the parts in one directory apart. A user that keeps parts has
// one for each name, and serial is 0; any other has one for each upload.
type partKey struct {
	base   string
	user   string
	serial uint64
}

// part is one unfinished upload, kept or being written.
type part struct {
	key       partKey
	dir       *node
	node      *node
	holder    *handle   // who writes it; nil: it is kept
	kept      time.Time // since when, without a holder
	exclusive bool      // the name is reserved, Commit must not replace
	modeSet   bool      // by SetAttr: not to be taken from the replaced file
	uidSet    bool
	gidSet    bool
	changed   chan struct{} // closed when holder lets go of it
}

// letGo wakes who waits for the part.
func (p *part) letGo() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// key is the one under which this session's user may have a kept part.
func (s *session) key(base string) partKey { return partKey{base: base, user: s.user} }

// partAt gives the user's part for a place, kept or live; nil: there is none.
func (s *session) partAt(at place) *part {
	if !s.keeps || at.dir == nil {
		return nil
	}
	p := at.dir.parts[s.key(at.base)]
	if p != nil && s.tree.expired(p) {
		s.tree.discard(p)
		return nil
	}
	return p
}

// own gives the part that this very session is writing for a place: of
// several, the one opened last.
func (s *session) own(at place) *part {
	var last *handle
	for h := range s.handles {
		if p := h.part; p != nil && at.dir != nil && p.dir == at.dir && p.key.base == at.base && (last == nil || h.number > last.number) {
			last = h
		}
	}
	if last == nil {
		return nil
	}
	return last.part
}

// stage makes an empty part for a place, which h will write.
func (s *session) stage(at place, perm *fs.FileMode, h *handle) *part {
	p := &part{key: s.key(at.base), dir: at.dir, node: s.tree.newFile(perm), holder: h, changed: make(chan struct{})}
	if !s.keeps {
		p.key.serial = h.number
	}
	at.dir.parts[p.key] = p
	return p
}

// moves tells whether a part is written by a handle that has not been silent for
// long enough to be taken over.
func (p *part) moves() bool {
	return p.holder != nil && time.Since(p.holder.moved) < ferry.TakeoverAfter
}

// claim takes a part away from whoever writes it, if that handle does not move.
func (p *part) claim() error {
	if p.moves() {
		return ferry.ErrBusy
	}
	p.revoke(ferry.ErrTakenOver)
	return nil
}

// revoke takes a part away from whoever writes it, because of why.
func (p *part) revoke(why error) {
	if p.holder != nil {
		p.holder.revoke(why)
	}
}

// written gives the part for a place that a session of the user writes; nil: none is.
func (s *session) written(at place) *part {
	if own := s.own(at); own != nil {
		return own
	}
	if p := s.partAt(at); p != nil && p.holder != nil {
		return p
	}
	return nil
}

// info describes a part under a name as it can be gone on with.
func (p *part) info(base string) ferry.Info {
	i := p.node.info(base)
	i.Size = p.node.content.contiguous()
	return i
}

// end ends the part that the session's user has for a place, whoever writes it.
func (s *session) end(at place) {
	if p := s.own(at); p != nil {
		s.tree.discard(p)
	} else if p := s.partAt(at); p != nil {
		s.endPart(p)
	}
}

// endPart ends a part of the user's. A handle of the session itself goes on, as with
// an unlinked file.
func (s *session) endPart(p *part) {
	if !s.handles[p.holder] {
		p.revoke(ferry.ErrRemoved)
	}
	s.tree.discard(p)
}

// discard removes a part. A handle that still has it open goes on, as with an
// unlinked file, and cannot commit.
func (t *Tree) discard(p *part) {
	p.letGo()
	delete(p.dir.parts, p.key)
	p.dir = nil
	t.unlink(p.node)
}

func (t *Tree) expired(p *part) bool {
	return p.holder == nil && time.Since(p.kept) > t.keep
}

// reserved tells whether an exclusive upload, other than mine, holds the name
// of a place.
func (at place) reserved(mine *part) bool {
	for _, p := range at.dir.parts {
		if p != mine && p.key.base == at.base && p.exclusive && p.holder != nil {
			return true
		}
	}
	return false
}

// publish makes the part the file of its name, in one step.
func (t *Tree) publish(p *part) error {
	if p.dir == nil {
		return fs.ErrNotExist
	}
	old := p.dir.children[p.key.base]
	switch {
	case old != nil && p.exclusive:
		return fs.ErrExist
	case old != nil && old.isDir():
		return ferry.ErrIsDir
	case old != nil:
		if old.mode.IsRegular() {
			p.inherit(old)
		}
		t.unlink(old)
	}
	delete(p.dir.parts, p.key)
	p.letGo()
	p.dir.put(p.key.base, p.node)
	return nil
}

// inherit gives the part what a replaced file hands on to its successor.
func (p *part) inherit(old *node) {
	if !p.modeSet {
		p.node.mode = old.mode
	}
	if !p.uidSet {
		p.node.uid = old.uid
	}
	if !p.gidSet {
		p.node.gid = old.gid
	}
}

// setPartAttr is setAttr, and remembers what must outlast the Commit.
func (t *Tree) setPartAttr(p *part, a ferry.Attr) error {
	if err := t.setAttr(p.node, a); err != nil {
		return err
	}
	p.modeSet = p.modeSet || a.Mode != nil
	p.uidSet = p.uidSet || a.UID != nil
	p.gidSet = p.gidSet || a.GID != nil
	return nil
}
