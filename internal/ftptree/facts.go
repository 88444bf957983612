package ftptree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Mlst is MLST (RFC 3659 §7): one line of facts, with the whole name, on the control
// connection.
func (f *Files) Mlst(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	name, info, r, ok := f.LookAt(ctx, "MLST", arg)
	if !ok {
		return r
	}
	e := ftplist.Entry(&info, string(name))
	e.Perm, e.Unique = ftplist.PermFact(info.Mode, f.login.Rights(name)), ftplist.UniqueFact(info.ID)
	line := " " + string(ftpwire.AppendFacts(nil, p.Facts, &e))
	return ftpreply.Reply{Code: 250, Text: "Facts of " + string(name), More: []string{line, "End"}}
}

// Size is SIZE (RFC 3659 §4): how many bytes RETR would send, so in TYPE A only where
// that is cheap to know. Where there is only an unfinished upload of this user,
// its size: that is what a client asks for that wants to resume. asText tells of a
// file that there is whether its size in TYPE A is meant.
func (f *Files) Size(ctx context.Context, arg string, asText func() bool) ftpreply.Reply {
	name, err := f.Name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	info, err := f.fs.Stat(ctx, name)
	switch {
	case err != nil:
		return f.report.Failed("SIZE", name, err)
	case info.IsDir():
		return ftpreply.Say(550, "It is a directory.")
	case !info.Mode.IsRegular():
		return ftpreply.Say(550, "Not a regular file.")
	case asText():
		return f.asciiSize(ctx, name, info.Size)
	}
	if info.Unfinished {
		f.told = toldSize{name, info.Size}
	}
	return ftpreply.Say(213, strconv.FormatInt(info.Size, 10))
}

// asciiSizeLimit is up to what size a file is read to know its size in TYPE A.
const asciiSizeLimit = 4 << 20

// asciiSize counts the line ends of a file: RFC 3659 §4.2 wants the exact
// number or none.
func (f *Files) asciiSize(ctx context.Context, name ferry.Name, size int64) ftpreply.Reply {
	if size > asciiSizeLimit {
		return ftpreply.Say(550, "SIZE is not told in TYPE A for a file as large as this; use TYPE I.")
	}
	h, err := f.fs.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return f.report.Failed("SIZE", name, err)
	}
	defer h.Abort(nil)
	n, err := networkSize(ctx, h)
	if err != nil {
		return f.report.Failed("SIZE", name, err)
	}
	return ftpreply.Say(213, strconv.FormatInt(n, 10))
}

// Mdtm is MDTM (RFC 3659 §3): it tells the time of the last change. With a time before the
// name it sets it, as rclone, lftp and WinSCP want it, unless a file has that
// whole name.
func (f *Files) Mdtm(ctx context.Context, arg string) ftpreply.Reply {
	_, info, r, ok := f.LookAt(ctx, "MDTM", arg)
	if !ok {
		if t, name, ok := cutTime(arg); ok {
			return f.setTime(ctx, "MDTM", t, name, func(string, time.Time) ftpreply.Reply { return ftpreply.Say(213, "Modification time set.") })
		}
		return r
	}
	return ftpreply.Say(213, string(ftpwire.AppendTime(nil, info.ModTime.Truncate(time.Second))))
}

// Avbl is AVBL: it tells how many bytes may be stored in a directory.
func (f *Files) Avbl(ctx context.Context, arg string) ftpreply.Reply {
	name, info, r, ok := f.LookAt(ctx, "AVBL", arg)
	if !ok {
		return r
	}
	if !info.IsDir() {
		return ftpreply.For(ferry.ErrNotDir)
	}
	space, err := f.fs.Space(ctx, name)
	if err != nil {
		return f.report.Failed("AVBL", name, err)
	}
	if space.Total == 0 {
		return ftpreply.Say(550, "The storage does not know.")
	}
	return ftpreply.Say(213, fmt.Sprint(space.Available))
}

// readRange hands n bytes of h from off on to take, piece by piece.
func readRange(ctx context.Context, h ferry.Handle, off, n int64, take func([]byte)) error {
	buf := make([]byte, min(max(n, 1), 256<<10))
	for n > 0 {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		got, err := h.ReadAt(buf[:min(n, int64(len(buf)))], off)
		take(buf[:got])
		off, n = off+int64(got), n-int64(got)
		if err != nil && n > 0 {
			if errors.Is(err, io.EOF) {
				return ftpreply.ErrShrunk
			}
			return err
		}
	}
	return nil
}

// networkSize is how many bytes a file has in TYPE A.
func networkSize(ctx context.Context, h ferry.Handle) (int64, error) {
	info, err := h.Stat()
	if err != nil {
		return 0, err
	}
	size, cr := info.Size, false
	err = readRange(ctx, h, 0, info.Size, func(p []byte) {
		for _, b := range p {
			if b == '\n' && !cr {
				size++
			}
			cr = b == '\r'
		}
	})
	return size, err
}
