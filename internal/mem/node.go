package mem

import (
	"errors"
	"io/fs"
	"time"

	"ferry"
)

// maxFile is the size beyond which a file is ferry.ErrTooLarge, ext4's.
const maxFile = 16 << 40

// attrBits are the bits of a mode that SetAttr changes.
const attrBits = newBits | fs.ModeSetuid | fs.ModeSetgid

// newBits are those that a new file or directory can be given.
const newBits = fs.ModePerm | fs.ModeSticky

// node is one file, directory or link.
type node struct {
	number   uint64
	mode     fs.FileMode
	modTime  time.Time
	access   time.Time
	birth    time.Time
	uid, gid uint32

	links int // names, a part's included; directories have one
	open  int // handles

	content content // of a file
	target  string  // of a link

	parent   *node             // of a directory; the root is its own
	children map[string]*node  // of a directory
	parts    map[partKey]*part // of a directory: the unfinished uploads in it
}

func (n *node) isDir() bool  { return n.mode.IsDir() }
func (n *node) isLink() bool { return n.mode&fs.ModeSymlink != 0 }

// newNode makes a node that has one name.
func (t *Tree) newNode(mode fs.FileMode) *node {
	t.nodes++
	now := time.Now()
	return &node{number: t.nodes, mode: mode, modTime: now, access: now, birth: now, links: 1}
}

// newMode is that of something new: perm, or where that is nil otherwise, less the
// umask.
func (t *Tree) newMode(perm *fs.FileMode, otherwise fs.FileMode) fs.FileMode {
	if perm == nil {
		perm = &otherwise
	}
	return *perm & newBits &^ t.umask
}

// fileMode is newMode of a file.
func (t *Tree) fileMode(perm *fs.FileMode) fs.FileMode { return t.newMode(perm, 0o666) }

// newFile makes an empty file.
func (t *Tree) newFile(perm *fs.FileMode) *node { return t.newNode(t.fileMode(perm)) }

// newDir makes an empty directory.
func (t *Tree) newDir(perm *fs.FileMode) *node {
	n := t.newNode(fs.ModeDir | t.newMode(perm, 0o777))
	n.children = make(map[string]*node)
	n.parts = make(map[partKey]*part)
	return n
}

// newLink makes a symbolic link.
func (t *Tree) newLink(target string) *node {
	n := t.newNode(fs.ModeSymlink | 0o777)
	n.target = target
	return n
}

// put gives n the name base in dir.
func (dir *node) put(base string, n *node) {
	dir.children[base] = n
	dir.modTime = time.Now()
	if n.isDir() {
		n.parent = dir
	}
}

// drop takes the name base out of dir; the node stays as it is.
func (dir *node) drop(base string) {
	delete(dir.children, base)
	dir.modTime = time.Now()
}

// unlink says that n has one name less.
func (t *Tree) unlink(n *node) {
	n.links--
	t.reap(n)
}

// closed says that n has one open handle less.
func (t *Tree) closed(n *node) {
	n.open--
	t.reap(n)
}

// reap gives back the space of a file that nobody can reach any more.
func (t *Tree) reap(n *node) {
	if n.links == 0 && n.open == 0 {
		t.used -= n.content.size
		n.content = content{}
	}
}

// write puts as much of p at off as there is room for.
func (t *Tree) write(n *node, p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	fits, err := int64(len(p)), error(nil)
	if room := maxFile - off; fits > room {
		fits, err = max(0, room), ferry.ErrTooLarge
	}
	if over := t.over(off + fits - n.content.size); fits > 0 && over > 0 {
		fits, err = max(0, fits-over), ferry.ErrNoSpace
	}
	if fits == 0 {
		return 0, err
	}
	before := n.content.size
	n.content.writeAt(p[:fits], off)
	t.used += n.content.size - before
	n.modTime = time.Now()
	return int(fits), err
}

// over says by how much the capacity would be exceeded if grow bytes came in.
func (t *Tree) over(grow int64) int64 {
	if t.capacity == 0 || grow <= 0 {
		return 0
	}
	return t.used + grow - t.capacity
}

// truncate changes the size of the file n.
func (t *Tree) truncate(n *node, size int64) error {
	switch {
	case size < 0:
		return fs.ErrInvalid
	case size > maxFile:
		return ferry.ErrTooLarge
	case t.over(size-n.content.size) > 0:
		return ferry.ErrNoSpace
	}
	t.used += size - n.content.size
	n.content.truncate(size)
	n.modTime = time.Now()
	return nil
}

// setAttr changes what a sets, or nothing.
func (t *Tree) setAttr(n *node, a ferry.Attr) error {
	if a.Mode != nil && n.isLink() {
		return errors.ErrUnsupported
	}
	const identity = fs.ModeSetuid | fs.ModeSetgid
	if a.Mode != nil && *a.Mode&identity != 0 && !n.mode.IsDir() {
		return fs.ErrPermission
	}
	if a.Size != nil {
		if err := t.resize(n, *a.Size); err != nil {
			return err
		}
	}
	if a.Mode != nil {
		n.mode = n.mode&^attrBits | *a.Mode&attrBits
	}
	if a.ModTime != nil {
		n.modTime = *a.ModTime
	}
	if a.Access != nil {
		n.access = *a.Access
	}
	if a.UID != nil {
		n.uid = *a.UID
	}
	if a.GID != nil {
		n.gid = *a.GID
	}
	return nil
}

// resize is truncate for a node that may be something else than a file.
func (t *Tree) resize(n *node, size int64) error {
	switch {
	case n.isDir():
		return ferry.ErrIsDir
	case n.isLink():
		return fs.ErrInvalid
	}
	return t.truncate(n, size)
}

// info describes n as base, the last element of the client's name for it.
func (n *node) info(base string) ferry.Info {
	i := ferry.Info{
		Name:    base,
		Size:    n.content.size,
		Mode:    n.mode,
		ModTime: n.modTime,
		Access:  n.access,
		Birth:   n.birth,
		UID:     n.uid,
		GID:     n.gid,
		Links:   uint64(n.links),
		ID:      [2]uint64{1, n.number},
		Target:  n.target,
		Stored:  n.target,
	}
	if n.isLink() {
		i.Size = int64(len(n.target))
	}
	return i
}
