package beneath

import (
	"context"
	"io"

	"golang.org/x/sys/unix"

	"ferry"
)

// openLevels is how many directories above the one that it reads a walk holds open. Those
// further up are opened again, by "..", when it comes back: users can make trees of any
// depth.
const openLevels = 32

// walk is on its way through a tree.
type walk struct {
	root   *Root
	ctx    context.Context
	lister *Lister
	below  bool // directories are entered
	visit  func(id DirID, fd int, e Entry)
	failed func(err error)
	levels []*level
}

// level is a directory on the way down.
type level struct {
	id    DirID
	fd    int      // to read it; -1: closed for the time being
	at    int64    // how far it was read, where it is closed
	below []string // directories that were read, and not entered yet
	over  bool     // all of it was read
}

// Walk calls visit, with its directory, for each entry of the directory dir, and of all
// that lie below where that is wanted, until ctx ends. Links are not followed, so every
// directory is met once; what cannot be read is left out, and told to failed. However deep
// the tree is, few descriptors are open.
func (r *Root) Walk(ctx context.Context, dir int, below bool, lister *Lister, visit func(id DirID, fd int, e Entry), failed func(err error)) {
	w := &walk{root: r, ctx: ctx, lister: lister, below: below, visit: visit, failed: failed}
	w.enter(dir)
	for len(w.levels) > 0 && ctx.Err() == nil {
		switch l := w.levels[len(w.levels)-1]; {
		case len(l.below) > 0:
			name := l.below[len(l.below)-1]
			l.below = l.below[:len(l.below)-1]
			w.descend(l.fd, name)
		case !l.over:
			w.read(l)
		default:
			w.leave()
		}
	}
	for _, l := range w.levels {
		l.close()
	}
}

// descend enters the directory of that name in dir.
func (w *walk) descend(dir int, name string) {
	fd, err := w.root.OpenAt(dir, name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	w.enter(fd)
}

func (w *walk) enter(dir int) {
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || w.root.mounts.check(dir, st.Dev) != nil {
		return // a file system of the kernel
	}
	fd, err := w.root.Readable(dir)
	if err != nil {
		w.failed(err)
		return
	}
	w.levels = append(w.levels, &level{id: DirOf(&st), fd: fd})
	if above := len(w.levels) - 1 - openLevels; above >= 0 {
		w.levels[above].pause()
	}
}

// read reads on in l, and notes the directories to enter.
func (w *walk) read(l *level) {
	n, err := w.lister.some(l.fd, func(e Entry) (bool, error) {
		w.visit(l.id, l.fd, e)
		if w.below && (e.Kind == unix.S_IFDIR || e.Kind == 0) {
			l.below = append(l.below, string(e.Name))
		}
		return w.ctx.Err() == nil, nil
	})
	if err != nil {
		w.failed(err)
	}
	l.over = n == 0 || err != nil
}

// leave goes back to the directory above.
func (w *walk) leave() {
	last := len(w.levels) - 1
	l := w.levels[last]
	w.levels = w.levels[:last]
	defer l.close()
	if last == 0 || w.levels[last-1].fd >= 0 {
		return
	}
	if err := w.levels[last-1].resume(w.root, l.fd); err != nil {
		w.failed(err)
		w.levels = nil // the way back is gone: the next walk begins anew
	}
}

func (l *level) close() {
	if l.fd >= 0 {
		_ = unix.Close(l.fd)
		l.fd = -1
	}
}

// pause closes l, which is to be resumed.
func (l *level) pause() {
	at, err := unix.Seek(l.fd, 0, io.SeekCurrent)
	if err != nil {
		l.over = true
	}
	l.at = at
	l.close()
}

// resume opens l again, as what is above the directory below.
func (l *level) resume(r *Root, below int) error {
	fd, err := r.OpenAt(below, "..", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && DirOf(&st) != l.id {
		err = ferry.ErrChanged // what is below was moved meanwhile
	}
	if err == nil {
		_, err = unix.Seek(fd, l.at, io.SeekStart)
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	l.fd = fd
	return nil
}
