package disk

import (
	"context"
	"io/fs"
	"iter"

	"golang.org/x/sys/unix"

	"ferry"
)

// listBuffer is how much of a directory is read at a time. It is a part of the
// transfer buffers, so that one pool is enough.
const listBuffer = 64 << 10

// List yields the entries of dir, in the order in which the directory has them.
func (v *view) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		fd, err := v.t.openDir(dir)
		if err != nil {
			yield(ferry.Info{}, fail("list", dir, err))
			return
		}
		defer unix.Close(fd)
		l := listing{dir: fd, full: d == ferry.Full}
		err = v.t.entries(ctx, fd, func(e entry) (bool, error) {
			if isPart(e.name) {
				return true, nil
			}
			i, there := l.info(e)
			return !there || yield(i, nil), nil
		})
		if err != nil {
			yield(ferry.Info{}, fail("list", dir, err))
		}
	}
}

// openDir opens the directory that name means, for reading its entries.
func (t *Tree) openDir(name ferry.Name) (int, error) {
	o, err := t.root.look(name)
	if err != nil {
		return -1, err
	}
	defer o.close()
	if !isDir(&o.st) {
		return -1, ferry.ErrNotDir
	}
	return readable(o.fd)
}

// entries calls visit for each entry but "." and ".." until it answers false
// or an error.
func (t *Tree) entries(ctx context.Context, fd int, visit func(entry) (bool, error)) error {
	buffer := t.buffers.Get().(*[bufferSize]byte)
	defer t.buffers.Put(buffer)
	for {
		if err := alive(ctx); err != nil {
			return err
		}
		n, err := again(func() (int, error) { return unix.Getdents(fd, buffer[:listBuffer]) })
		if n <= 0 || err != nil {
			if err == unix.ENOENT { // the directory has been removed meanwhile
				err = nil
			}
			return err
		}
		more, err := parse(buffer[:n], visit)
		if !more || err != nil {
			return err
		}
	}
}

// isPart is ferry.IsPart, which few names get to.
func isPart(name []byte) bool { return name[0] == '.' && ferry.IsPart(string(name)) }

// listing makes Infos of the entries of one directory.
type listing struct {
	dir  int
	full bool
	stx  unix.Statx_t
}

// info describes an entry; false: it has vanished. One that cannot be looked
// at (a directory that may be read and not searched, a dead mount) is shown as
// far as it is known: it must not hide the others.
func (l *listing) info(e entry) (ferry.Info, bool) {
	if !l.full && e.kind != 0 {
		return ferry.Info{Name: string(e.name), Mode: goType(e.kind)}, true
	}
	err := statx(l.dir, &e.name[0], &l.stx)
	switch {
	case err == unix.ENOENT:
		return ferry.Info{}, false
	case err != nil && e.kind == 0:
		return ferry.Info{Name: string(e.name), Mode: fs.ModeIrregular}, true
	case err != nil:
		return ferry.Info{Name: string(e.name), Mode: goType(e.kind)}, true
	case !l.full:
		return ferry.Info{Name: string(e.name), Mode: goType(uint32(l.stx.Mode) & unix.S_IFMT)}, true
	}
	i := makeInfo(string(e.name), &l.stx)
	if i.Mode&fs.ModeSymlink != 0 {
		i.Target, err = readlink(l.dir, i.Name)
	}
	return i, err != unix.ENOENT
}
