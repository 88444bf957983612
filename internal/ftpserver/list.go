package ftpserver

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"golang.org/x/text/encoding"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// LIST (RFC 959 §4.1.3).
func (c *conn) list(arg string) ftpreply.Reply { return c.listData("LIST", arg, ftplist.Long) }

// NLST (RFC 959 §4.1.3): what it sends can be given to RETR as it is
// (RFC 1123 §4.1.2.7).
func (c *conn) nlst(arg string) ftpreply.Reply { return c.listData("NLST", arg, ftplist.Names) }

// MLSD (RFC 3659 §7).
func (c *conn) mlsd(arg string) ftpreply.Reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	name, info, r, ok := c.lookAt("MLSD", arg)
	switch {
	case !ok:
		return r
	case !info.IsDir():
		return ftpreply.Say(501, "MLSD lists directories; use MLST for a file.") // RFC 3659 §7.2.1
	}
	return c.startListing("MLSD", ftplist.Listing{Style: ftplist.Facts, Name: name, Dots: true, Dir: true, Info: info})
}

func (c *conn) listData(verb, arg string, s ftplist.Style) ftpreply.Reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	l, err := c.parseListing(arg, s)
	if err != nil {
		return c.listFailed(verb, l.Name, err)
	}
	return c.startListing(verb, l)
}

// errPattern is a pattern that is not allowed; text says why.
type errPattern struct{ text string }

func (e errPattern) Error() string { return e.text }

func (c *conn) listFailed(verb string, name ferry.Name, err error) ftpreply.Reply {
	var bad errPattern
	if errors.As(err, &bad) {
		return ftpreply.Say(501, bad.text+".")
	}
	return c.report.Failed(verb, name, err)
}

// parseListing finds out what arg means: options, a directory, a file, or a
// pattern in the last element. A file that is really named like the argument
// wins over options and patterns.
func (c *conn) parseListing(arg string, s ftplist.Style) (ftplist.Listing, error) {
	l := ftplist.Listing{Style: s}
	if strings.HasPrefix(arg, "-") && !c.exists(arg) {
		l.Options, arg = ftpwire.ParseListArg(arg)
	}
	l.Dots = l.Options.All
	var err error
	if l.Name, err = c.name(arg); err != nil {
		return l, err
	}
	if l.Info, err = c.standing(l.Name); err == nil {
		l.Dir = l.Info.IsDir() && !l.Options.DirSelf
		l.SetPrefix(arg)
		return l, nil
	}
	if !ftpwire.HasMeta(arg) {
		return l, err
	}
	return c.parseGlob(l, arg)
}

func (c *conn) exists(arg string) bool {
	name, err := c.name(arg)
	if err != nil {
		return false
	}
	i, err := c.fs().Lstat(c.ctx(), name)
	return err == nil && !i.Unfinished
}

func (c *conn) parseGlob(l ftplist.Listing, arg string) (ftplist.Listing, error) {
	dir, pattern := path.Split(arg)
	if ftpwire.HasMeta(dir) {
		return l, errPattern{"Patterns are allowed in the last element of a name only"}
	}
	glob, err := ftpwire.CompileGlob(pattern)
	if err != nil {
		return l, errPattern{err.Error()}
	}
	if l.Name, err = c.name(dir); err != nil {
		return l, err
	}
	if l.Info, err = c.fs().Stat(c.ctx(), l.Name); err != nil {
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

// startListing sends a listing over the data connection.
func (c *conn) startListing(verb string, l ftplist.Listing) ftpreply.Reply {
	if l.Dir {
		if err := c.sess.Need("list", l.Name, ferry.RightList); err != nil {
			return ftpreply.For(err)
		}
	}
	data, way, who := c.srv.data, c.next.Take(), c.next.Party()
	f := c.form()
	f.Ascii = false // a listing has the line ends of TYPE A already
	p, bufs, stall := c.newPrinter(l), c.srv.listBufs, c.srv.cfg.StallTimeout
	report := c.report
	send := func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		err := data.With(ctx, who, way, f, func(to *ferry.DataConn) error { return p.Send(ctx, to, l, bufs, stall) })
		if p.Unprintable > 0 {
			report.Log().Warn("names with line ends were left out of a listing", "directory", l.Name, "entries", p.Unprintable)
		}
		if err != nil {
			return report.Failed(verb, l.Name, err)
		}
		if p.Full {
			return ftpreply.Say(226, "Listing ended at the server's limit of entries.")
		}
		return ftpreply.Say(226, "Listing sent.")
	}
	return ftpreply.Say(150, "Here comes the listing.").With(ftpreply.Job{Verb: verb, Run: send})
}

// statName is STAT with a name: a listing on the control connection, 212 of a
// directory, 213 of a file (RFC 959 §5.4).
func (c *conn) statName(arg string) ftpreply.Reply {
	l, err := c.parseListing(arg, ftplist.Long)
	if err != nil {
		return c.listFailed("STAT", l.Name, err)
	}
	p := c.newPrinter(l)
	p.Left = c.srv.cfg.ListLimit
	p.Charset = nil // the reply as a whole is encoded
	var lines []string
	p.Emit = func(line []byte) error {
		lines = append(lines, " "+strings.TrimSuffix(string(line), "\r\n"))
		return nil
	}
	report := c.report
	describe := func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		if err := p.Print(ctx, l); err != nil {
			return report.Failed("STAT", l.Name, err)
		}
		code, end := 213, "End"
		if l.Dir {
			code = 212
		}
		if p.Full {
			end = "Listing ended at the server's limit of entries"
		}
		return ftpreply.Reply{Code: code, Text: "Status of " + arg + ":", More: append(lines, end)}
	}
	return ftpreply.Begin(ftpreply.Job{Verb: "STAT", Alone: true, Run: describe})
}

func (c *conn) newPrinter(l ftplist.Listing) *ftplist.Printer {
	p := &ftplist.Printer{
		Tree: c.fs(), Rules: c.sess.User().Rules, Facts: c.params.Facts, Zone: c.srv.cfg.Zone, Now: time.Now(), Left: -1,
	}
	if c.charset != nil {
		p.Charset = encoding.ReplaceUnsupported(c.charset.NewEncoder())
	}
	if l.Style == ftplist.Long && c.legacy().DOSList {
		p.Dos = true
		c.noteLegacy("LIST as on Windows")
	}
	if l.Options.Recursive && c.srv.cfg.Recursive && l.Dir {
		p.Recurse, p.Left = true, c.srv.cfg.ListLimit
	}
	if l.Glob != nil {
		p.Left = c.srv.cfg.ListLimit
	}
	return p
}
