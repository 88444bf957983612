package beneath

import (
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
)

// Listing makes Infos of the entries of one open directory.
type Listing struct {
	root *Root
	dir  int
	full bool
	stx  unix.Statx_t
}

// NewListing is for the directory dir; full: with all that a look at each file gives.
func (r *Root) NewListing(dir int, full bool) *Listing {
	return &Listing{root: r, dir: dir, full: full}
}

// Info describes an entry; false: it has vanished. One that cannot be looked
// at (a directory that may be read and not searched, a dead mount) is shown as
// far as it is known: it must not hide the others.
func (l *Listing) Info(e Entry) (ferry.Info, bool) {
	if !l.full && e.Kind != 0 {
		return ferry.Info{Name: string(e.Name), Mode: GoType(e.Kind)}, true
	}
	err := l.root.statx(l.dir, &e.Name[0], &l.stx)
	switch {
	case err == unix.ENOENT:
		return ferry.Info{}, false
	case err != nil && e.Kind == 0:
		return ferry.Info{Name: string(e.Name), Mode: fs.ModeIrregular}, true
	case err != nil:
		return ferry.Info{Name: string(e.Name), Mode: GoType(e.Kind)}, true
	case !l.full:
		return ferry.Info{Name: string(e.Name), Mode: GoType(uint32(l.stx.Mode) & unix.S_IFMT)}, true
	}
	i := makeInfo(string(e.Name), &l.stx)
	return i, l.root.addTarget(&i, l.dir, i.Name) != unix.ENOENT
}
