package ftptree

import (
	"context"
	"errors"
	"path"
	"strings"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// errPattern is a pattern that is not allowed; text says why.
type errPattern struct{ text string }

func (e errPattern) Error() string { return e.text }

// Listing finds out what the argument of LIST, NLST or STAT means: options, a
// directory, a file, or a pattern in the last element. A file that is really named like
// the argument wins over options and patterns. Where it means nothing, r says why.
func (f *Files) Listing(ctx context.Context, verb, arg string, s ftplist.Style) (l ftplist.Listing, r ftpreply.Reply, ok bool) {
	l, err := f.parseListing(ctx, arg, s)
	var bad errPattern
	switch {
	case err == nil:
		return l, ftpreply.Reply{}, true
	case errors.As(err, &bad):
		return l, ftpreply.Say(501, bad.text+"."), false
	}
	return l, f.report.Failed(verb, l.Name, err), false
}

func (f *Files) parseListing(ctx context.Context, arg string, s ftplist.Style) (ftplist.Listing, error) {
	l := ftplist.Listing{Style: s}
	if strings.HasPrefix(arg, "-") && !f.exists(ctx, arg) {
		l.Options, arg = ftpwire.ParseListArg(arg)
	}
	l.Dots = l.Options.All
	var err error
	if l.Name, err = f.Name(arg); err != nil {
		return l, err
	}
	if l.Info, err = f.standing(ctx, l.Name); err == nil {
		l.Dir = l.Info.IsDir() && !l.Options.DirSelf
		l.SetPrefix(arg)
		return l, nil
	}
	if !ftpwire.HasMeta(arg) {
		return l, err
	}
	return f.parseGlob(ctx, l, arg)
}

func (f *Files) exists(ctx context.Context, arg string) bool {
	name, err := f.Name(arg)
	if err != nil {
		return false
	}
	i, err := f.fs.Lstat(ctx, name)
	return err == nil && !i.Unfinished
}

func (f *Files) parseGlob(ctx context.Context, l ftplist.Listing, arg string) (ftplist.Listing, error) {
	dir, pattern := path.Split(arg)
	if ftpwire.HasMeta(dir) {
		return l, errPattern{"Patterns are allowed in the last element of a name only"}
	}
	glob, err := ftpwire.CompileGlob(pattern)
	if err != nil {
		return l, errPattern{err.Error()}
	}
	if l.Name, err = f.Name(dir); err != nil {
		return l, err
	}
	if l.Info, err = f.fs.Stat(ctx, l.Name); err != nil {
		return l, err
	}
	if !l.Info.IsDir() {
		return l, ferry.ErrNotDir
	}
	l.Glob, l.Prefix, l.Dir = glob, dir, true
	l.Dots = l.Dots || strings.HasPrefix(pattern, ".")
	l.Options.Recursive = false // the pattern is of one directory
	return l, nil
}
