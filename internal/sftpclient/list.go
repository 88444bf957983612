package sftpclient

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpwire"
)

// List is ferry.FS's. Names that are none, such as "..", and those with a
// separator or a NUL in them, are left out: no server leads out of the tree.
func (f *FS) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		var own map[string]*handle // the session's own unfinished files
		if d == ferry.Full {
			own, _ = f.ownIn(ctx, dir) // a directory that cannot be found has no entries
		}
		for batch, err := range f.batches(ctx, dir) {
			if err == nil {
				batch, err = f.complete(ctx, dir, batch, d)
			}
			if err != nil {
				yield(ferry.Info{}, fail("list", dir, err))
				return
			}
			for _, e := range batch {
				if ctx.Err() != nil {
					yield(ferry.Info{}, fail("list", dir, context.Cause(ctx)))
					return
				}
				i := e.info(d)
				if h := own[i.Name]; h != nil {
					if now, err := h.info(ctx, h.name); err == nil {
						now.Name = i.Name
						i = now
					}
				}
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}

// entry is a file in a listing. target is that of a link.
type entry struct {
	sftpwire.Entry
	target string
	gone   bool
}

func (e entry) info(d ferry.Detail) ferry.Info {
	i := sftpfacts.Info(e.Name, e.Attrs)
	if d == ferry.Names {
		return ferry.Info{Name: i.Name, Mode: i.Mode.Type()}
	}
	i.Target, i.Stored = e.target, e.target
	return i
}

// credible tells whether an entry of a listing is one of that directory.
func credible(name string) bool {
	return name != "" && name != "." && name != ".." && strings.IndexByte(name, '/') < 0 && strings.IndexByte(name, 0) < 0
}

// entries gives all that stands in dir, parts too, as the server says it.
func (f *FS) entries(ctx context.Context, dir ferry.Name) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for batch, err := range f.batches(ctx, dir) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			for _, e := range batch {
				if credible(e.Name) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// batches gives the entries of dir as they come. While one batch is looked at,
// the next is on its way.
func (f *FS) batches(ctx context.Context, dir ferry.Name) iter.Seq2[[]entry, error] {
	return func(yield func([]entry, error) bool) {
		id, err := f.opendir(ctx, dir)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.conn.Post(&sftpwire.Close{Handle: id})
		next, err := f.conn.Begin(ctx, &sftpwire.Readdir{Handle: id})
		for err == nil {
			var batch []entry
			if batch, err = entries(ctx, next); err != nil || len(batch) == 0 {
				break
			}
			if next, err = f.conn.Begin(ctx, &sftpwire.Readdir{Handle: id}); err != nil {
				break
			}
			if !yield(batch, nil) {
				next.Leave()
				return
			}
		}
		if err != nil && err != io.EOF {
			yield(nil, err)
		}
	}
}

func (f *FS) opendir(ctx context.Context, dir ferry.Name) (string, error) {
	if err := check(dir); err != nil {
		return "", err
	}
	answer, err := f.conn.Ask(ctx, &sftpwire.Opendir{Name: f.paths.Remote(dir)})
	if err != nil {
		return "", f.paths.NotDir(ctx, dir, true, err)
	}
	return answer.Reply.(*sftpwire.Handle).Handle, nil
}

// entries is wait for the answer to a READDIR. io.EOF, or none: there are no
// more.
func entries(ctx context.Context, k *sftpconn.Call) ([]entry, error) {
	answer, err := k.Wait(ctx)
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	names := answer.Reply.(*sftpwire.Names).Entries
	batch := make([]entry, len(names))
	for i, e := range names {
		batch[i].Entry = e
	}
	return batch, nil
}

// complete leaves out what does not show and finds out what the server did not
// say: types, and where links point.
func (f *FS) complete(ctx context.Context, dir ferry.Name, batch []entry, d ferry.Detail) ([]entry, error) {
	shown := batch[:0]
	for _, e := range batch {
		if credible(e.Name) && !isPart(e.Name) {
			shown = append(shown, e)
		}
	}
	wanted := sftpwire.AttrMode
	if d == ferry.Full {
		wanted |= sftpwire.AttrSize | sftpwire.AttrTimes
	}
	err := f.each(ctx, shown, func(e *entry) sftpwire.Request {
		if e.Attrs.Flags&wanted == wanted {
			return nil
		}
		return &sftpwire.Lstat{Name: path.Join(f.paths.Remote(dir), e.Name)}
	}, func(e *entry, r sftpwire.Reply) {
		e.Attrs = r.(*sftpwire.AttrsReply).Attrs
	})
	if err == nil && d == ferry.Full {
		err = f.each(ctx, shown, func(e *entry) sftpwire.Request {
			if sftpwire.FileMode(e.Attrs.Mode)&fs.ModeSymlink == 0 {
				return nil
			}
			return &sftpwire.Readlink{Name: path.Join(f.paths.Remote(dir), e.Name)}
		}, func(e *entry, r sftpwire.Reply) {
			if names := r.(*sftpwire.Names).Entries; len(names) == 1 {
				e.target = names[0].Name
			}
		})
	}
	left := shown[:0]
	for _, e := range shown {
		if !e.gone {
			left = append(left, e)
		}
	}
	return left, err
}

// each asks a question about each entry that has one, many at once. Entries
// that have vanished are gone.
func (f *FS) each(ctx context.Context, batch []entry, question func(*entry) sftpwire.Request, answered func(*entry, sftpwire.Reply)) error {
	type asked struct {
		e *entry
		k *sftpconn.Call
	}
	var queue []asked
	defer func() {
		for _, q := range queue {
			q.k.Leave()
		}
	}()
	settle := func() error {
		q := queue[0]
		queue = queue[1:]
		answer, err := q.k.Wait(ctx)
		switch {
		case err == nil:
			answered(q.e, answer.Reply)
		case errors.Is(err, fs.ErrNotExist):
			q.e.gone = true
		case !errors.As(err, new(*sftpconn.StatusError)):
			return err
		}
		return nil
	}
	for i := range batch {
		r := question(&batch[i])
		if r == nil || batch[i].gone {
			continue
		}
		if len(queue) >= f.opts.Outstanding {
			if err := settle(); err != nil {
				return err
			}
		}
		k, err := f.conn.Begin(ctx, r)
		if err != nil {
			return err
		}
		queue = append(queue, asked{&batch[i], k})
	}
	for len(queue) > 0 {
		if err := settle(); err != nil {
			return err
		}
	}
	return nil
}
