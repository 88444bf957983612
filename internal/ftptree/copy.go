package ftptree

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"

	"ferry"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
)

// Cpfr is SITE CPFR, with CPTO ProFTPD's way of copying, which WinSCP uses.
func (f *Files) Cpfr(ctx context.Context, arg string) ftpreply.Reply {
	name, info, r, ok := f.LookAt(ctx, "SITE CPFR", arg)
	if !ok {
		return r
	}
	if !info.Mode.IsRegular() {
		return ftpreply.Say(550, "Only files can be copied.")
	}
	f.copyFrom = name
	return ftpreply.Say(350, "Ready for SITE CPTO.")
}

// Cpto is SITE CPTO.
func (f *Files) Cpto(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	from := f.copyFrom
	f.copyFrom = ""
	if from == "" {
		return ftpreply.Say(503, "Give SITE CPFR first.")
	}
	to, err := f.Name(arg)
	if err != nil {
		return ftpreply.ForStore(err)
	}
	return f.copy(ctx, p, "SITE CPTO", from, to)
}

// Copy is SITE COPY, with both names.
func (f *Files) Copy(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	words, err := splitNames(arg)
	if err != nil || len(words) != 2 {
		return ftpreply.Say(501, `SITE COPY takes two names; names with spaces go in double quotes.`)
	}
	from, err := f.Name(words[0])
	if err != nil {
		return ftpreply.For(err)
	}
	to, err := f.Name(words[1])
	if err != nil {
		return ftpreply.ForStore(err)
	}
	return f.copy(ctx, p, "SITE COPY", from, to)
}

// copy runs as a job: a large file takes a while. The client sees no "250-"
// meanwhile: after that the end could only be called a success.
func (f *Files) copy(ctx context.Context, p ftpparam.Params, verb string, from ferry.Name, to ferry.Name) ftpreply.Reply {
	src, err := f.fs.Open(ctx, from, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return f.report.Failed(verb, from, err)
	}
	if f.leadsTo(ctx, to, src) {
		_ = src.Abort(nil)
		return ftpreply.Say(553, "A file cannot be copied onto itself.")
	}
	tree, perm, report := f.fs, p.FilePerm(), f.report
	return ftpreply.Begin(ftpreply.Job{Verb: verb, Alone: true, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		defer src.Abort(nil)
		if err := copyFile(ctx, tree, src, to, perm); err != nil {
			return report.StoreFailed(verb, from+" to "+to, err)
		}
		return ftpreply.Say(250, "Copied.")
	}})
}

// leadsTo tells whether name means the very file that h has open: where that
// is written in place, opening it to take the copy would empty what is copied.
func (f *Files) leadsTo(ctx context.Context, name ferry.Name, h ferry.Handle) bool {
	there, err := f.fs.Stat(ctx, name)
	if err != nil {
		return false
	}
	here, err := h.Stat()
	return err == nil && sameFile(here, there)
}

// copyFile makes to a copy of src, staged as an upload is and with the rights
// of STOR.
func copyFile(ctx context.Context, tree ferry.FS, src ferry.Handle, to ferry.Name, perm *fs.FileMode) error {
	dst, err := tree.Open(ctx, to, ferry.OpenOptions{Mode: ferry.Replace, Perm: perm})
	if err != nil {
		return err
	}
	defer endWith(ctx, src, dst)()
	if _, err := copyBytes(ctx, dst, 0, src); err != nil {
		_ = dst.Abort(ferry.Discard(err))
		return err
	}
	return dst.Commit()
}

// endWith aborts what a job has open when ctx ends, for it may be waiting for its share
// of the bandwidth, which ctx does not end. A job calls stop when it is done with them.
func endWith(ctx context.Context, open ...ferry.Handle) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		for _, h := range open {
			_ = h.Abort(ferry.Discard(context.Cause(ctx)))
		}
	})
}

// copyBytes writes all of src to dst from at on, and returns where it ended.
func copyBytes(ctx context.Context, dst ferry.Handle, at int64, src ferry.Handle) (int64, error) {
	buf := make([]byte, 256<<10)
	for off := int64(0); ; {
		if err := context.Cause(ctx); err != nil {
			return at, err
		}
		n, err := src.ReadAt(buf, off)
		if n > 0 {
			n, err := dst.WriteAt(buf[:n], at)
			off, at = off+int64(n), at+int64(n)
			if err != nil {
				return at, cmp.Or(context.Cause(ctx), err)
			}
		}
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return at, cmp.Or(context.Cause(ctx), err)
		}
	}
}
