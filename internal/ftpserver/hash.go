package ftpserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// hashBuf is how much of a file is hashed in one turn.
const hashBuf = 256 << 10

// HASH (draft-bryan-ftpext-hash §3): of the whole file, or of the range that
// RANG set.
func (c *conn) hash(arg string) ftpreply.Reply {
	at := c.params.Restart
	if at.Given && !at.Ranged {
		return ftpreply.Say(503, "REST does not go with HASH; use RANG.")
	}
	algo := c.params.Hash
	return c.digest("HASH", arg, algo, 213, at, func(sum []byte, first, last int64) ftpreply.Reply {
		return ftpreply.Say(213, fmt.Sprintf("%s %d-%d %x %s", algo, first, last, sum, arg))
	})
}

// xhash is one of the older commands with a fixed algorithm: the name, and
// perhaps the first and last offset.
func xhash(algo string) func(c *conn, arg string) ftpreply.Reply {
	return func(c *conn, arg string) ftpreply.Reply {
		name, at := arg, ftpparam.Restart{}
		if words, err := splitNames(arg); err == nil && strings.HasPrefix(arg, `"`) {
			name = words[0]
			arg = strings.Join(words, " ")
		}
		if words := strings.Split(arg, " "); len(words) > 2 {
			tail := strings.Join(words[len(words)-2:], " ")
			if first, last, err := ftpwire.ParseRange(tail); err == nil {
				if first > last {
					return ftpreply.Say(501, "The range ends before it begins.")
				}
				name = strings.TrimSuffix(arg, " "+tail)
				at = ftpparam.Range(first, last)
			}
		}
		return c.digest("X"+algo, name, algo, 250, at, func(sum []byte, _, _ int64) ftpreply.Reply {
			return ftpreply.Say(250, strings.ToUpper(fmt.Sprintf("%x", sum)))
		})
	}
}

// MD5 (draft-twine-ftpmd5).
func (c *conn) md5(arg string) ftpreply.Reply {
	return c.digest("MD5", arg, "MD5", 251, ftpparam.Restart{}, func(sum []byte, _, _ int64) ftpreply.Reply {
		return ftpreply.Say(251, fmt.Sprintf("%s %X", arg, sum))
	})
}

// digest computes a hash as a job, and shows the client meanwhile that it is
// alive.
func (c *conn) digest(verb, arg, algo string, progress int, at ftpparam.Restart, done func(sum []byte, first, last int64) ftpreply.Reply) ftpreply.Reply {
	name, err := c.name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	h, err := c.fs().Open(c.ctx(), name, ferry.OpenOptions{Mode: ferry.Read})
	switch {
	case errors.Is(err, ferry.ErrIsDir):
		return ftpreply.Say(553, "It is a directory.")
	case errors.Is(err, fs.ErrPermission) && verb == "HASH":
		return ftpreply.Say(552, "Permission denied.") // the draft's code (§3.2)
	case err != nil:
		return c.report.Failed(verb, name, err)
	}
	info, err := h.Stat()
	if err == nil && at.Ranged && at.Offset > info.Size {
		err = ferry.ErrBeyondEnd
	}
	if err != nil {
		_ = h.Abort(nil)
		return c.report.Failed(verb, name, err)
	}
	first, last := int64(0), info.Size-1
	if at.Ranged {
		first, last = at.Offset, min(at.Last, last)
	}
	hashes, bufs, who := c.srv.cfg.Hashes, c.srv.hashBufs, c.sess.Share()
	report := c.report
	return ftpreply.Begin(ftpreply.Job{Verb: verb, Progress: progress, Alone: true, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		defer h.Abort(nil)
		defer endWith(ctx, h)()
		buf := bufs.Get().(*[hashBuf]byte)
		defer bufs.Put(buf)
		sum := digest.New(algo)
		err := hashes.Sum(ctx, who, sum, h, first, last-first+1, buf[:])
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = ftpreply.ErrShrunk
		}
		if err != nil {
			err = cmp.Or(context.Cause(ctx), err)
			return report.Failed(verb, name, err)
		}
		return done(sum.Sum(nil), first, max(last, 0))
	}})
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
