package ftptree

import (
	"context"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"ferry"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Mfmt is MFMT (draft-somers-ftp-mfxx §3).
func (f *Files) Mfmt(ctx context.Context, arg string) ftpreply.Reply {
	t, name, ok := cutTime(arg)
	if !ok {
		return ftpreply.Say(501, "MFMT takes YYYYMMDDhhmmss and a name.")
	}
	return f.setTime(ctx, "MFMT", t, name, func(shown string, set time.Time) ftpreply.Reply {
		if t.Nanosecond() == 0 {
			set = set.Truncate(time.Second)
		}
		return ftpreply.Say(213, "Modify="+string(ftpwire.AppendTime(nil, set))+"; "+shown)
	})
}

// cutTime splits "20260102030405 name".
func cutTime(arg string) (t time.Time, name string, ok bool) {
	word, name, found := strings.Cut(arg, " ")
	if !found || name == "" {
		return t, "", false
	}
	t, err := ftpwire.ParseTime(word)
	return t, name, err == nil
}

func (f *Files) setTime(ctx context.Context, verb string, t time.Time, arg string, done func(shown string, set time.Time) ftpreply.Reply) ftpreply.Reply {
	name, err := f.Name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := f.fs.SetAttr(ctx, name, ferry.Attr{ModTime: &t}); err != nil {
		return f.report.Failed(verb, name, err)
	}
	// What the storage made of it: not every file system has every year.
	if info, err := f.fs.Stat(ctx, name); err == nil {
		t = info.ModTime
	}
	return done(arg, t)
}

// Mff is MFF (draft-somers-ftp-mfxx §5): it changes facts: Modify and UNIX.mode.
func (f *Files) Mff(ctx context.Context, arg string) ftpreply.Reply {
	list, shown, found := strings.Cut(arg, " ")
	if !found || shown == "" || list == "" || list[len(list)-1] != ';' {
		return ftpreply.Say(501, "MFF takes fact=value; and a name.")
	}
	attr, code, wrong := parseMFF(list)
	if wrong != "" {
		return ftpreply.Say(code, wrong)
	}
	name, err := f.Name(shown)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := f.fs.SetAttr(ctx, name, attr); err != nil {
		return f.report.Failed("MFF", name, err)
	}
	return ftpreply.Say(213, list+" "+shown)
}

// Chmod is SITE CHMOD.
func (f *Files) Chmod(ctx context.Context, arg string) ftpreply.Reply {
	word, name, _ := strings.Cut(arg, " ")
	mode, ok := parseMode(word)
	if !ok || name == "" {
		return ftpreply.Say(501, "SITE CHMOD takes an octal mode and a name.")
	}
	return f.change(ctx, "SITE CHMOD", name,
		func(ctx context.Context, name ferry.Name) error {
			return f.fs.SetAttr(ctx, name, ferry.Attr{Mode: &mode})
		},
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(200, "Mode changed.") })
}

// Utime is SITE UTIME, in the two forms in use: "YYYYMMDDhhmm[ss] name", and
// "name atime mtime ctime UTC".
func (f *Files) Utime(ctx context.Context, arg string) ftpreply.Reply {
	if name, t, ok := cutUtimeTail(arg); ok {
		return f.setTime(ctx, "SITE UTIME", t, name, timeSet)
	}
	word, name, _ := strings.Cut(arg, " ")
	t, err := parseUtime(word)
	if err != nil || name == "" {
		return ftpreply.Say(501, "SITE UTIME takes YYYYMMDDhhmmss and a name.")
	}
	return f.setTime(ctx, "SITE UTIME", t, name, timeSet)
}

func timeSet(string, time.Time) ftpreply.Reply { return ftpreply.Say(200, "Times set.") }

// cutUtimeTail reads "name atime mtime ctime UTC"; the name may have spaces.
func cutUtimeTail(arg string) (name string, modified time.Time, ok bool) {
	head, ok := strings.CutSuffix(arg, " UTC")
	if !ok {
		return "", modified, false
	}
	words := strings.Split(head, " ")
	if len(words) < 4 {
		return "", modified, false
	}
	times := words[len(words)-3:]
	modified, err := parseUtime(times[1])
	return strings.Join(words[:len(words)-3], " "), modified, err == nil
}

func parseUtime(s string) (time.Time, error) {
	if len(s) == len("YYYYMMDDhhmm") {
		s += "00"
	}
	return ftpwire.ParseTime(s)
}

// Symlink is SITE SYMLINK.
func (f *Files) Symlink(ctx context.Context, arg string) ftpreply.Reply {
	words, err := splitNames(arg)
	if err != nil || len(words) != 2 || words[0] == "" {
		return ftpreply.Say(501, `SITE SYMLINK takes a target and a name; names with spaces go in double quotes.`)
	}
	if strings.IndexByte(words[0], 0) >= 0 {
		return ftpreply.For(ferry.ErrBadName)
	}
	return f.change(ctx, "SITE SYMLINK", words[1],
		func(ctx context.Context, name ferry.Name) error { return f.fs.Symlink(ctx, words[0], name) },
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(200, "Link made.") })
}

// parseMFF reads "Modify=20260102030405;UNIX.mode=0644;". Where that is wrong, it
// says why, and the code to answer with.
func parseMFF(list string) (a ferry.Attr, code int, wrong string) {
	for fact := range strings.SplitSeq(strings.TrimSuffix(list, ";"), ";") {
		key, value, ok := strings.Cut(fact, "=")
		if !ok {
			return a, 501, "MFF takes fact=value; and a name."
		}
		switch strings.ToLower(key) {
		case "modify":
			t, err := ftpwire.ParseTime(value)
			if err != nil {
				return a, 501, "Modify takes YYYYMMDDhhmmss."
			}
			a.ModTime = &t
		case "unix.mode":
			mode, ok := parseMode(value)
			if !ok {
				return a, 501, "UNIX.mode takes an octal number."
			}
			a.Mode = &mode
		default:
			return a, 504, "The fact " + key + " cannot be changed."
		}
	}
	return a, 0, ""
}

// parseMode reads an octal mode of up to four digits, as chmod takes it.
func parseMode(s string) (fs.FileMode, bool) {
	n, err := strconv.ParseUint(s, 8, 16)
	if err != nil || n > 0o7777 || !ftpwire.AllDigits(s) {
		return 0, false
	}
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return mode, true
}
