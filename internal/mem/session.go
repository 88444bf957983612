package mem

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"

	"ferry"
)

// session is the tree as one session sees it.
type session struct {
	*shared
	straight bool // no link is followed
}

// Straight is the same session's tree without following links.
func (s *session) Straight() ferry.FS { return &session{s.shared, true} }

// shared is what the views of one session share.
type shared struct {
	tree   *Tree
	user   string
	keeps  bool // parts of broken uploads stay for this user
	direct bool // uploads are written in place

	handles map[*handle]bool // open ones
	closed  bool
}

// fail makes an error one about the client's name.
func fail(op string, name ferry.Name, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: string(name), Err: err}
}

func (s *session) Stat(_ context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := s.look(name, true)
	return i, fail("stat", name, err)
}

func (s *session) Lstat(_ context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := s.look(name, false)
	return i, fail("lstat", name, err)
}

func (s *session) look(name ferry.Name, follow bool) (ferry.Info, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.walk(name, follow)
	if err != nil {
		return ferry.Info{}, err
	}
	p := s.partAt(at)
	var i ferry.Info
	switch own := s.own(at); {
	case own != nil:
		i = own.node.info(name.Base())
	case at.node != nil:
		i = at.node.info(name.Base())
	case p != nil:
		i = p.info(name.Base())
	default:
		return ferry.Info{}, fs.ErrNotExist
	}
	i.Unfinished = at.node == nil
	return i, nil
}

// List takes a copy of the names first, so that nothing is locked while the
// caller works on an entry, and looks at each again when its turn comes.
func (s *session) List(ctx context.Context, name ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		dir, bases, err := s.bases(name)
		if err != nil {
			yield(ferry.Info{}, fail("list", name, err))
			return
		}
		for _, base := range bases {
			if ctx.Err() != nil {
				yield(ferry.Info{}, fail("list", name, context.Cause(ctx)))
				return
			}
			i, there := s.entry(dir, base, d)
			if there && !yield(i, nil) {
				return
			}
		}
	}
}

func (s *session) bases(name ferry.Name) (*node, []string, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.existing(name, true)
	if err != nil {
		return nil, nil, err
	}
	if !at.node.isDir() {
		return nil, nil, ferry.ErrNotDir
	}
	bases := make([]string, 0, len(at.node.children))
	for base := range at.node.children {
		bases = append(bases, base)
	}
	return at.node, bases, nil
}

func (s *session) entry(dir *node, base string, d ferry.Detail) (ferry.Info, bool) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	n := dir.children[base]
	switch {
	case n == nil:
		return ferry.Info{}, false
	case d == ferry.Names:
		return ferry.Info{Name: base, Mode: n.mode.Type()}, true
	}
	if own := s.own(place{dir: dir, base: base}); own != nil {
		n = own.node
	}
	return n.info(base), true
}

func (s *session) Part(_ context.Context, name ferry.Name) (ferry.Info, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.walk(name, true)
	if err != nil {
		return ferry.Info{}, fail("part", name, err)
	}
	p := s.partAt(at)
	if p == nil {
		return ferry.Info{}, fail("part", name, fs.ErrNotExist)
	}
	i := p.info(name.Base())
	i.Unfinished = at.node == nil
	return i, nil
}

func (s *session) SetAttr(_ context.Context, name ferry.Name, a ferry.Attr) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.walk(name, !a.NoFollow)
	if err != nil {
		return fail("setattr", name, err)
	}
	if p := s.own(at); p != nil {
		return fail("setattr", name, s.tree.setPartAttr(p, a))
	}
	if at.node == nil {
		if p := s.written(at); p != nil {
			return fail("setattr", name, s.tree.setPartAttr(p, a))
		}
		return fail("setattr", name, fs.ErrNotExist)
	}
	return fail("setattr", name, s.tree.setAttr(at.node, a))
}

func (s *session) Mkdir(_ context.Context, name ferry.Name, perm *fs.FileMode) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.vacant(name)
	if err != nil {
		return fail("mkdir", name, err)
	}
	at.dir.put(at.base, s.tree.newDir(perm))
	return nil
}

func (s *session) Readlink(_ context.Context, name ferry.Name) (string, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	at, err := s.existing(name, false)
	if err == nil && !at.node.isLink() {
		err = fs.ErrInvalid
	}
	if err != nil {
		return "", fail("readlink", name, err)
	}
	return at.node.target, nil
}

func (s *session) Symlink(_ context.Context, target string, name ferry.Name) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if err := checkTarget(target); err != nil {
		return fail("symlink", name, err)
	}
	at, err := s.vacant(name)
	if err != nil {
		return fail("symlink", name, err)
	}
	at.dir.put(at.base, s.tree.newLink(target))
	return nil
}

func checkTarget(target string) error {
	switch {
	case target == "":
		return fs.ErrNotExist
	case len(target) > maxTarget, strings.IndexByte(target, 0) >= 0:
		return ferry.ErrBadName
	}
	return nil
}

func (s *session) Link(_ context.Context, from, name ferry.Name) error {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	src, err := s.existing(from, false)
	if err != nil {
		return fail("link", from, err)
	}
	dst, err := s.vacant(name)
	if err == nil && src.node.isDir() {
		err = fs.ErrPermission
	}
	if err != nil {
		return fail("link", name, err)
	}
	src.node.links++
	dst.dir.put(dst.base, src.node)
	return nil
}

func (s *session) Space(_ context.Context, name ferry.Name) (ferry.Space, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if _, err := s.existing(name, true); err != nil {
		return ferry.Space{}, fail("space", name, err)
	}
	free := uint64(max(0, s.tree.capacity-s.tree.used))
	return ferry.Space{
		Total:     uint64(s.tree.capacity),
		Free:      free,
		Available: free,
		BlockSize: chunkSize,
		MaxName:   maxName,
	}, nil
}

func (s *session) Close() error {
	s.tree.mu.Lock()
	s.closed = true
	open := make([]*handle, 0, len(s.handles))
	for h := range s.handles {
		open = append(open, h)
	}
	s.tree.mu.Unlock()

	var failed error
	for _, h := range open {
		failed = errors.Join(failed, h.Abort(ferry.ErrClosed))
	}
	return failed
}
