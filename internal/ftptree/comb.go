package ftptree

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
)

// mostJoined bounds the files that one COMB has open.
const mostJoined = 100

// Comb is COMB: it joins files: the parts, in their order, are appended to the target and
// removed. A new target appears whole. One that exists grows in place, as with
// APPE, and is cut back where that fails: what it holds is never rewritten, so
// it cannot be lost, whatever the storage can stage.
func (f *Files) Comb(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	words, err := splitNames(arg)
	if err != nil || len(words) < 2 {
		return ftpreply.Say(501, `COMB takes a target and parts; names with spaces go in double quotes.`)
	}
	if len(words)-1 > mostJoined {
		return ftpreply.Say(501, "COMB takes up to 100 parts; join the others by another COMB.")
	}
	names := make([]ferry.Name, len(words))
	for i, w := range words {
		if names[i], err = f.Name(w); err != nil {
			return ftpreply.For(err)
		}
	}
	target, parts := names[0], names[1:]
	var seen []ferry.Info
	if i, err := f.fs.Stat(ctx, target); err == nil {
		seen = append(seen, i)
	}
	for i, p := range parts {
		if slices.Contains(names[:i+1], p) {
			return ftpreply.Say(501, "COMB takes each name once.")
		}
		info, err := f.standing(ctx, p)
		if err == nil {
			err = mayRemove(ctx, f.fs, p)
		}
		if err != nil {
			return f.report.Failed("COMB", p, err)
		}
		if slices.ContainsFunc(seen, func(other ferry.Info) bool { return sameFile(other, info) }) {
			return ftpreply.Say(501, "COMB takes each file once; two of these names mean the same one.")
		}
		seen = append(seen, info)
	}
	tree, perm, report := f.fs, p.FilePerm(), f.report
	return ftpreply.Begin(ftpreply.Job{Verb: "COMB", Alone: true, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		left, err := combine(ctx, tree, target, parts, perm)
		if err != nil {
			return report.StoreFailed("COMB", target, err)
		}
		return combined(left)
	}})
}

// mayRemove asks for the right to remove a file, before the target has it twice.
func mayRemove(ctx context.Context, tree ferry.FS, name ferry.Name) error {
	err := tree.RemoveUnchanged(ctx, name, ferry.Info{})
	if errors.Is(err, ferry.ErrChanged) {
		return nil
	}
	return err
}

func combined(left []ferry.Name) ftpreply.Reply {
	if len(left) == 0 {
		return ftpreply.Say(250, "Combined.")
	}
	names := make([]string, len(left))
	for i, name := range left {
		names[i] = string(name)
	}
	return ftpreply.Say(250, "Combined; kept, for they have changed meanwhile: "+strings.Join(names, ", "))
}

// sameFile tells whether two names were of one file, be it by hard links, by a
// link, or by a link on the way.
func sameFile(a, b ferry.Info) bool { return a.ID == b.ID && a.ID != [2]uint64{} }

// joined is a part that the target has: it stays open until it is removed, so that
// was can be of no other file.
type joined struct {
	name ferry.Name
	src  ferry.Handle
	was  ferry.Info // what stood under the name: the file, or a link to it
}

// combine gives the names of the parts that are not removed because somebody has
// changed them since they were read.
func combine(ctx context.Context, tree ferry.FS, target ferry.Name, parts []ferry.Name, perm *fs.FileMode) (left []ferry.Name, err error) {
	dst, err := openToGrow(ctx, tree, target, perm)
	if err != nil {
		return nil, err
	}
	all := make([]joined, 0, len(parts))
	defer func() {
		for _, p := range all {
			_ = p.src.Abort(nil)
		}
	}()
	at := dst.Start()
	for _, name := range parts {
		p, err := openPart(ctx, tree, name)
		if err == nil {
			all = append(all, p)
			at, err = appendFile(ctx, dst, at, p.src)
		}
		if err != nil {
			err = errors.Join(err, cutBack(dst, at))
			_ = dst.Abort(ferry.Discard(err))
			return nil, err
		}
	}
	if err := dst.Commit(); err != nil {
		return nil, err
	}
	return removeJoined(ctx, tree, all)
}

// openToGrow opens a file to add to its end: as it stands, or a new one.
func openToGrow(ctx context.Context, tree ferry.FS, name ferry.Name, perm *fs.FileMode) (ferry.Handle, error) {
	h, err := tree.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Update, At: ferry.AtEnd})
	if errors.Is(err, fs.ErrNotExist) {
		return tree.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Exclusive, Perm: perm})
	}
	return h, err
}

func openPart(ctx context.Context, tree ferry.FS, name ferry.Name) (joined, error) {
	was, err := tree.Lstat(ctx, name)
	if err != nil {
		return joined{}, err
	}
	src, err := tree.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return joined{}, err
	}
	if was.Mode&fs.ModeSymlink == 0 {
		was, err = src.Stat()
	}
	if err != nil {
		_ = src.Abort(err)
	}
	return joined{name, src, was}, err
}

func appendFile(ctx context.Context, dst ferry.Handle, at int64, src ferry.Handle) (int64, error) {
	defer endWith(ctx, src)() // and not dst, which is to be cut back
	return copyBytes(ctx, dst, at, src)
}

// cutBack takes away what was added up to end, where nobody else has added to it.
func cutBack(dst ferry.Handle, end int64) error {
	i, err := dst.Stat()
	if err != nil || i.Size != end {
		return err
	}
	return dst.Truncate(dst.Start())
}

// removeJoined removes what was read. What was not stays: bytes that came to a part
// since, or a new file under its name, are in no target.
func removeJoined(ctx context.Context, tree ferry.FS, all []joined) (left []ferry.Name, err error) {
	for _, p := range all {
		switch err := tree.RemoveUnchanged(ctx, p.name, p.was); {
		case errors.Is(err, ferry.ErrChanged):
			left = append(left, p.name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return left, nil
}
