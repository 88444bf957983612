package ftpserver

import (
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// MLST (RFC 3659 §7): one line of facts, with the whole name, on the control
// connection.
func (c *conn) mlst(arg string) ftpreply.Reply {
	name, info, r, ok := c.lookAt("MLST", arg)
	if !ok {
		return r
	}
	e := ftplist.Entry(&info, string(name))
	e.Perm, e.Unique = ftplist.PermFact(info.Mode, c.sess.Rights(name)), ftplist.UniqueFact(info.ID)
	line := " " + string(ftpwire.AppendFacts(nil, c.params.Facts, &e))
	return ftpreply.Reply{Code: 250, Text: "Facts of " + string(name), More: []string{line, "End"}}
}

// lookAt cleans a name and describes what stands there; where it could not, r says why.
func (c *conn) lookAt(verb, arg string) (name ferry.Name, info ferry.Info, r ftpreply.Reply, ok bool) {
	name, err := c.name(arg)
	if err != nil {
		return "", ferry.Info{}, ftpreply.For(err), false
	}
	info, err = c.standing(name)
	if err != nil {
		return "", ferry.Info{}, c.report.Failed(verb, name, err), false
	}
	return name, info, ftpreply.Reply{}, true
}

// standing describes the file or directory that stands under a name: what can be
// read or listed.
func (c *conn) standing(name ferry.Name) (ferry.Info, error) {
	info, err := c.fs().Stat(c.ctx(), name)
	if err == nil && info.Unfinished {
		return ferry.Info{}, fs.ErrNotExist
	}
	return info, err
}

// SIZE (RFC 3659 §4): how many bytes RETR would send, so in TYPE A only where
// that is cheap to know. Where there is only an unfinished upload of this user,
// its size: that is what a client asks for that wants to resume.
func (c *conn) size(arg string) ftpreply.Reply {
	name, err := c.name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	info, err := c.fs().Stat(c.ctx(), name)
	switch {
	case err != nil:
		return c.report.Failed("SIZE", name, err)
	case info.IsDir():
		return ftpreply.Say(550, "It is a directory.")
	case !info.Mode.IsRegular():
		return ftpreply.Say(550, "Not a regular file.")
	case c.params.ASCII && c.legacy().LooseTypes:
		c.noteLegacy("SIZE in TYPE A")
	case c.params.ASCII:
		return c.asciiSize(name, info.Size)
	}
	return ftpreply.Say(213, strconv.FormatInt(info.Size, 10))
}

// asciiSizeLimit is up to what size a file is read to know its size in TYPE A.
const asciiSizeLimit = 4 << 20

// asciiSize counts the line ends of a file: RFC 3659 §4.2 wants the exact
// number or none.
func (c *conn) asciiSize(name ferry.Name, size int64) ftpreply.Reply {
	if size > asciiSizeLimit {
		return ftpreply.Say(550, "SIZE is not told in TYPE A for a file as large as this; use TYPE I.")
	}
	h, err := c.fs().Open(c.ctx(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return c.report.Failed("SIZE", name, err)
	}
	defer h.Abort(nil)
	n, err := networkSize(c.ctx(), h)
	if err != nil {
		return c.report.Failed("SIZE", name, err)
	}
	return ftpreply.Say(213, strconv.FormatInt(n, 10))
}

// MDTM (RFC 3659 §3) tells the time of the last change. With a time before the
// name it sets it, as rclone, lftp and WinSCP want it, unless a file has that
// whole name.
func (c *conn) mdtm(arg string) ftpreply.Reply {
	_, info, r, ok := c.lookAt("MDTM", arg)
	if !ok {
		if t, name, ok := cutTime(arg); ok {
			return c.setTime("MDTM", t, name, func(string, time.Time) ftpreply.Reply { return ftpreply.Say(213, "Modification time set.") })
		}
		return r
	}
	return ftpreply.Say(213, string(ftpwire.AppendTime(nil, info.ModTime.Truncate(time.Second))))
}

// MFMT (draft-somers-ftp-mfxx §3).
func (c *conn) mfmt(arg string) ftpreply.Reply {
	t, name, ok := cutTime(arg)
	if !ok {
		return ftpreply.Say(501, "MFMT takes YYYYMMDDhhmmss and a name.")
	}
	return c.setTime("MFMT", t, name, func(shown string, set time.Time) ftpreply.Reply {
		if t.Nanosecond() == 0 {
			set = set.Truncate(time.Second)
		}
		return ftpreply.Say(213, "Modify="+string(ftpwire.AppendTime(nil, set))+"; "+shown)
	})
}

// cutTime splits "20260102030405 name".
func cutTime(arg string) (t time.Time, name string, ok bool) {
	word, name, found := cutWord(arg)
	if !found || name == "" {
		return t, "", false
	}
	t, err := ftpwire.ParseTime(word)
	return t, name, err == nil
}

func (c *conn) setTime(verb string, t time.Time, arg string, done func(shown string, set time.Time) ftpreply.Reply) ftpreply.Reply {
	name, err := c.name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := c.fs().SetAttr(c.ctx(), name, ferry.Attr{ModTime: &t}); err != nil {
		return c.report.Failed(verb, name, err)
	}
	// What the storage made of it: not every file system has every year.
	if info, err := c.fs().Stat(c.ctx(), name); err == nil {
		t = info.ModTime
	}
	return done(arg, t)
}

// MFF (draft-somers-ftp-mfxx §5) changes facts: Modify and UNIX.mode.
func (c *conn) mff(arg string) ftpreply.Reply {
	list, shown, found := cutWord(arg)
	if !found || shown == "" || list == "" || list[len(list)-1] != ';' {
		return ftpreply.Say(501, "MFF takes fact=value; and a name.")
	}
	attr, code, wrong := parseMFF(list)
	if wrong != "" {
		return ftpreply.Say(code, wrong)
	}
	name, err := c.name(shown)
	if err != nil {
		return ftpreply.For(err)
	}
	if err := c.fs().SetAttr(c.ctx(), name, attr); err != nil {
		return c.report.Failed("MFF", name, err)
	}
	return ftpreply.Say(213, list+" "+shown)
}

// AVBL tells how many bytes may be stored in a directory.
func (c *conn) avbl(arg string) ftpreply.Reply {
	name, info, r, ok := c.lookAt("AVBL", arg)
	if !ok {
		return r
	}
	if !info.IsDir() {
		return ftpreply.For(ferry.ErrNotDir)
	}
	space, err := c.fs().Space(c.ctx(), name)
	if err != nil {
		return c.report.Failed("AVBL", name, err)
	}
	if space.Total == 0 {
		return ftpreply.Say(550, "The storage does not know.")
	}
	return ftpreply.Say(213, fmt.Sprint(space.Available))
}
