package ftptree

import (
	"context"
	"io/fs"

	"ferry"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Cwd is CWD (RFC 959 §4.1.1).
func (f *Files) Cwd(ctx context.Context, arg string) ftpreply.Reply {
	name, info, r, ok := f.LookAt(ctx, "CWD", arg)
	if !ok {
		return r
	}
	if !info.IsDir() {
		return ftpreply.For(ferry.ErrNotDir)
	}
	f.cwd = name
	return ftpreply.Say(250, "Directory is "+ftpwire.Quote(string(name))+".")
}

// Cdup is CDUP (RFC 959 §4.1.1): 250, as §4.1.1 and Appendix II have it, not the 200
// of §5.4, which some clients do not take.
func (f *Files) Cdup(ctx context.Context, _ string) ftpreply.Reply { return f.Cwd(ctx, "..") }

// Pwd is PWD (RFC 959 §4.1.3, Appendix II).
func (f *Files) Pwd() ftpreply.Reply {
	return ftpreply.Say(257, ftpwire.Quote(string(f.cwd))+" is the current directory.")
}

// change runs a command that changes one name.
func (f *Files) change(ctx context.Context, verb, arg string, do func(ctx context.Context, name ferry.Name) error, done func(name ferry.Name) ftpreply.Reply) ftpreply.Reply {
	name, err := f.Name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := do(ctx, name); err != nil {
		return f.report.Failed(verb, name, err)
	}
	return done(name)
}

// Mkd is MKD (RFC 959 §4.1.3, Appendix II).
func (f *Files) Mkd(ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply {
	return f.change(ctx, "MKD", arg,
		func(ctx context.Context, name ferry.Name) error { return f.fs.Mkdir(ctx, name, p.DirPerm()) },
		func(name ferry.Name) ftpreply.Reply {
			return ftpreply.Say(257, ftpwire.Quote(string(name))+" created.")
		})
}

// Rmd is RMD (RFC 959 §4.1.3). The session may stand in the directory: it then
// stands in one that is gone, and CDUP leads out.
func (f *Files) Rmd(ctx context.Context, arg string) ftpreply.Reply {
	return f.change(ctx, "RMD", arg,
		func(ctx context.Context, name ferry.Name) error {
			if name == "/" {
				return fs.ErrPermission
			}
			return f.fs.Rmdir(ctx, name)
		},
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(250, "Directory removed.") })
}

// Dele is DELE (RFC 959 §4.1.3).
func (f *Files) Dele(ctx context.Context, arg string) ftpreply.Reply {
	return f.change(ctx, "DELE", arg,
		func(ctx context.Context, name ferry.Name) error { return f.fs.Remove(ctx, name) },
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(250, "File removed.") })
}

// Rnfr is RNFR (RFC 959 §4.1.3).
func (f *Files) Rnfr(ctx context.Context, arg string) ftpreply.Reply {
	return f.change(ctx, "RNFR", arg,
		func(ctx context.Context, name ferry.Name) error {
			_, err := f.fs.Lstat(ctx, name)
			return err
		},
		func(name ferry.Name) ftpreply.Reply {
			f.from = name
			return ftpreply.Say(350, "Ready for RNTO.")
		})
}

// Rnto is RNTO (RFC 959 §4.1.3). An existing file is replaced where the user's rights
// allow that, as rename(2) does.
func (f *Files) Rnto(ctx context.Context, arg string) ftpreply.Reply {
	from := f.from
	if from == "" {
		return ftpreply.Say(503, "Give RNFR first.")
	}
	name, err := f.Name(arg)
	if err != nil {
		return ftpreply.ForStore(err)
	}
	if f.sameFile(ctx, from, name) {
		// rename(2) does nothing then, and a client would lose the name it
		// thinks is free.
		return ftpreply.Say(553, "Both are names of one file; delete one of them.")
	}
	replace := f.login.Rights(name).Has(ferry.RightOverwrite)
	if err := f.fs.Rename(ctx, from, name, replace); err != nil {
		return f.report.StoreFailed("RNTO", from, err)
	}
	return ftpreply.Say(250, "Renamed.")
}

// sameFile tells whether two different names are hard links of one file.
func (f *Files) sameFile(ctx context.Context, a, b ferry.Name) bool {
	if a == b {
		return false
	}
	x, err := f.fs.Lstat(ctx, a)
	if err != nil || x.ID == [2]uint64{} {
		return false
	}
	y, err := f.fs.Lstat(ctx, b)
	return err == nil && x.ID == y.ID
}
