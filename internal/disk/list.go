package disk

import (
	"context"
	"io/fs"
	"iter"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
)

// listBuffer is how much of a directory is read at a time, about 200 entries. A client
// of SFTP that has stopped asking keeps a listing, and with it this much.
const listBuffer = 8 << 10

// List yields the entries of dir, in the order in which the directory has them.
func (v *sessionFS) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		fd, err := v.openDir(dir)
		if err != nil {
			yield(ferry.Info{}, beneath.Fail("list", dir, err))
			return
		}
		defer unix.Close(fd)
		l := listing{root: v.names, dir: fd, full: d == ferry.Full}
		if l.full {
			l.own = v.unfinishedIn(fd)
		}
		err = v.t.entries(ctx, fd, func(e beneath.Entry) (bool, error) {
			if isPart(e.Name) {
				return true, nil
			}
			i, there := l.Info(e)
			return !there || yield(i, nil), nil
		})
		if err != nil {
			yield(ferry.Info{}, beneath.Fail("list", dir, err))
		}
	}
}

// openDir opens the directory that name means, for reading its entries.
func (v *sessionFS) openDir(name ferry.Name) (int, error) {
	o, err := v.names.Look(name)
	if err != nil {
		return -1, err
	}
	defer o.Close()
	if !beneath.IsDir(&o.St) {
		return -1, ferry.ErrNotDir
	}
	return v.names.Readable(o.Fd)
}

// entries calls visit for each entry but "." and ".." until it answers false
// or an error.
func (t *Tree) entries(ctx context.Context, fd int, visit func(beneath.Entry) (bool, error)) error {
	buffer, ok := t.listBuffers.Get().(*[listBuffer]byte)
	if !ok {
		buffer = new([listBuffer]byte)
	}
	defer t.listBuffers.Put(buffer)
	for {
		if err := fdcopy.Cause(ctx); err != nil {
			return err
		}
		n, err := beneath.RetryEINTR(func() (int, error) { return unix.Getdents(fd, buffer[:]) })
		if n <= 0 || err != nil {
			if err == unix.ENOENT { // the directory has been removed meanwhile
				err = nil
			}
			return err
		}
		more, err := beneath.Parse(buffer[:n], visit)
		if !more || err != nil {
			return err
		}
	}
}

// isPart is ferry.IsPart, which few names get to.
func isPart(name []byte) bool { return name[0] == '.' && ferry.IsPart(string(name)) }

// listing makes Infos of the entries of one directory.
type listing struct {
	root *beneath.Root
	dir  int
	full bool
	own  map[string]*handle // the session's own unfinished files
	stx  unix.Statx_t
}

// Info describes an entry; false: it has vanished. One that cannot be looked
// at (a directory that may be read and not searched, a dead mount) is shown as
// far as it is known: it must not hide the others.
func (l *listing) Info(e beneath.Entry) (ferry.Info, bool) {
	if !l.full && e.Kind != 0 {
		return ferry.Info{Name: string(e.Name), Mode: beneath.GoType(e.Kind)}, true
	}
	err := l.root.Statx(l.dir, &e.Name[0], &l.stx)
	switch {
	case err == unix.ENOENT:
		return ferry.Info{}, false
	case err != nil && e.Kind == 0:
		return ferry.Info{Name: string(e.Name), Mode: fs.ModeIrregular}, true
	case err != nil:
		return ferry.Info{Name: string(e.Name), Mode: beneath.GoType(e.Kind)}, true
	case !l.full:
		return ferry.Info{Name: string(e.Name), Mode: beneath.GoType(uint32(l.stx.Mode) & unix.S_IFMT)}, true
	}
	i := beneath.MakeInfo(string(e.Name), &l.stx)
	if h := l.own[i.Name]; h != nil {
		if own, err := h.Stat(); err == nil {
			own.Name = i.Name
			return own, true
		}
	}
	return i, l.root.AddTarget(&i, l.dir, i.Name) != unix.ENOENT
}
