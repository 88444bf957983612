package disk

import (
	"context"
	"iter"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// List yields the entries of dir, in the order in which the directory has them.
func (v *sessionFS) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		fd, err := v.openDir(dir)
		if err != nil {
			yield(ferry.Info{}, beneath.Fail("list", dir, err))
			return
		}
		defer unix.Close(fd)
		l := v.names.NewListing(fd, d == ferry.Full)
		var own map[string]*staged
		if d == ferry.Full {
			own = v.unfinishedIn(fd)
		}
		err = v.t.lister.Entries(ctx, fd, func(e beneath.Entry) (bool, error) {
			if e.IsPart() {
				return true, nil
			}
			i, there := l.Info(e)
			if h := own[i.Name]; there && h != nil {
				i = h.over(i)
			}
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
