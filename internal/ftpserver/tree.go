package ftpserver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"ferry"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// CWD (RFC 959 §4.1.1).
func (c *conn) cwdCmd(arg string) ftpreply.Reply {
	name, info, r, ok := c.lookAt("CWD", arg)
	if !ok {
		return r
	}
	if !info.IsDir() {
		return ftpreply.For(ferry.ErrNotDir)
	}
	c.cwd = name
	return ftpreply.Say(250, "Directory is "+ftpwire.Quote(string(name))+".")
}

// CDUP (RFC 959 §4.1.1): 250, as §4.1.1 and Appendix II have it, not the 200
// of §5.4, which some clients do not take.
func (c *conn) cdup(string) ftpreply.Reply { return c.cwdCmd("..") }

// PWD (RFC 959 §4.1.3, Appendix II).
func (c *conn) pwd(string) ftpreply.Reply {
	return ftpreply.Say(257, ftpwire.Quote(string(c.cwd))+" is the current directory.")
}

// change runs a command that changes one name.
func (c *conn) change(verb, arg string, do func(ctx context.Context, name ferry.Name) error, done func(name ferry.Name) ftpreply.Reply) ftpreply.Reply {
	name, err := c.name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := do(c.ctx(), name); err != nil {
		return c.report.Failed(verb, name, err)
	}
	return done(name)
}

// MKD (RFC 959 §4.1.3, Appendix II).
func (c *conn) mkd(arg string) ftpreply.Reply {
	return c.change("MKD", arg,
		func(ctx context.Context, name ferry.Name) error { return c.fs().Mkdir(ctx, name, c.params.DirPerm()) },
		func(name ferry.Name) ftpreply.Reply {
			return ftpreply.Say(257, ftpwire.Quote(string(name))+" created.")
		})
}

// RMD (RFC 959 §4.1.3). The session may stand in the directory: it then
// stands in one that is gone, and CDUP leads out.
func (c *conn) rmd(arg string) ftpreply.Reply {
	return c.change("RMD", arg,
		func(ctx context.Context, name ferry.Name) error {
			if name == "/" {
				return fs.ErrPermission
			}
			return c.fs().Rmdir(ctx, name)
		},
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(250, "Directory removed.") })
}

// DELE (RFC 959 §4.1.3).
func (c *conn) dele(arg string) ftpreply.Reply {
	return c.change("DELE", arg,
		func(ctx context.Context, name ferry.Name) error { return c.fs().Remove(ctx, name) },
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(250, "File removed.") })
}

// RNFR (RFC 959 §4.1.3).
func (c *conn) rnfr(arg string) ftpreply.Reply {
	return c.change("RNFR", arg,
		func(ctx context.Context, name ferry.Name) error {
			_, err := c.fs().Lstat(ctx, name)
			return err
		},
		func(name ferry.Name) ftpreply.Reply {
			c.from = name
			return ftpreply.Say(350, "Ready for RNTO.")
		})
}

// RNTO (RFC 959 §4.1.3). An existing file is replaced where the user's rights
// allow that, as rename(2) does.
func (c *conn) rnto(arg string) ftpreply.Reply {
	from := c.from
	if from == "" {
		return ftpreply.Say(503, "Give RNFR first.")
	}
	name, err := c.name(arg)
	if err != nil {
		return ftpreply.ForStore(err)
	}
	if c.sameFile(from, name) {
		// rename(2) does nothing then, and a client would lose the name it
		// thinks is free.
		return ftpreply.Say(553, "Both are names of one file; delete one of them.")
	}
	replace := c.sess.Rights(name).Has(ferry.RightOverwrite)
	if err := c.fs().Rename(c.ctx(), from, name, replace); err != nil {
		return c.report.StoreFailed("RNTO", from, err)
	}
	return ftpreply.Say(250, "Renamed.")
}

// sameFile tells whether two different names are hard links of one file.
func (c *conn) sameFile(a, b ferry.Name) bool {
	if a == b {
		return false
	}
	x, err := c.fs().Lstat(c.ctx(), a)
	if err != nil || x.ID == [2]uint64{} {
		return false
	}
	y, err := c.fs().Lstat(c.ctx(), b)
	return err == nil && x.ID == y.ID
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

var errQuotes = errors.New("quotes do not match")

// splitNames splits an argument with several names at spaces; a name with
// spaces stands in double quotes, where a doubled quote means one.
func splitNames(arg string) ([]string, error) {
	var names []string
	for arg = strings.TrimLeft(arg, " "); arg != ""; arg = strings.TrimLeft(arg, " ") {
		if arg[0] != '"' {
			word, rest, _ := cutWord(arg)
			names, arg = append(names, word), rest
			continue
		}
		var b strings.Builder
		for arg = arg[1:]; ; {
			text, rest, ok := strings.Cut(arg, `"`)
			if !ok {
				return nil, errQuotes
			}
			b.WriteString(text)
			if !strings.HasPrefix(rest, `"`) {
				names, arg = append(names, b.String()), rest
				break
			}
			b.WriteByte('"')
			arg = rest[1:]
		}
	}
	return names, nil
}
