package ftptree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// hashBuf is how much of a file is hashed in one turn.
const hashBuf = 256 << 10

// Hash is HASH (draft-bryan-ftpext-hash §3): of the whole file, or of the range that
// RANG set.
func (f *Files) Hash(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	at := p.Restart
	if at.Given && !at.Ranged {
		return ftpreply.Say(503, "REST does not go with HASH; use RANG.")
	}
	algo := p.Hash
	return f.digest(ctx, "HASH", arg, algo, 213, at, func(sum []byte, first, last int64) ftpreply.Reply {
		return ftpreply.Say(213, fmt.Sprintf("%s %d-%d %x %s", algo, first, last, sum, arg))
	})
}

// Xhash is one of the older commands with a fixed algorithm: the name, and
// perhaps the first and last offset.
func Xhash(algo string) func(f *Files, ctx context.Context, arg string) ftpreply.Reply {
	return func(f *Files, ctx context.Context, arg string) ftpreply.Reply {
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
		return f.digest(ctx, "X"+algo, name, algo, 250, at, func(sum []byte, _, _ int64) ftpreply.Reply {
			return ftpreply.Say(250, strings.ToUpper(fmt.Sprintf("%x", sum)))
		})
	}
}

// Md5 is MD5 (draft-twine-ftpmd5).
func (f *Files) Md5(ctx context.Context, arg string) ftpreply.Reply {
	return f.digest(ctx, "MD5", arg, "MD5", 251, ftpparam.Restart{}, func(sum []byte, _, _ int64) ftpreply.Reply {
		return ftpreply.Say(251, fmt.Sprintf("%s %X", arg, sum))
	})
}

// digest computes a hash as a job, and shows the client meanwhile that it is
// alive.
func (f *Files) digest(ctx context.Context, verb, arg, algo string, progress int, at ftpparam.Restart, done func(sum []byte, first, last int64) ftpreply.Reply) ftpreply.Reply {
	name, err := f.Name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	h, err := f.fs.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	switch {
	case errors.Is(err, ferry.ErrIsDir):
		return ftpreply.Say(553, "It is a directory.")
	case err != nil:
		return f.report.Failed(verb, name, err)
	}
	info, err := h.Stat()
	if err == nil && at.Ranged && at.Offset > info.Size {
		err = ferry.ErrBeyondEnd
	}
	if err != nil {
		_ = h.Abort(nil)
		return f.report.Failed(verb, name, err)
	}
	first, last := int64(0), info.Size-1
	if at.Ranged {
		first, last = at.Offset, min(at.Last, last)
	}
	hashing, who := f.hashing, f.login.Share()
	report := f.report
	return ftpreply.Begin(ftpreply.Job{Verb: verb, Progress: progress, Alone: true, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		defer h.Abort(nil)
		defer endWith(ctx, h)()
		buf := hashing.buffers.Get().(*[hashBuf]byte)
		defer hashing.buffers.Put(buf)
		sum := digest.New(algo)
		err := hashing.turns.Sum(ctx, who, sum, h, first, last-first+1, buf[:])
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
