package ftpserver

import (
	"context"
	"strings"
	"time"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
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
	name, info, r, ok := c.files.LookAt(c.ctx(), "MLSD", arg)
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
	l, r, ok := c.files.Listing(c.ctx(), verb, arg, s)
	if !ok {
		return r
	}
	return c.startListing(verb, l)
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
			report.Log().Warn("names with line ends were left out of a listing", "name", l.Name, "entries", p.Unprintable)
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
	l, r, ok := c.files.Listing(c.ctx(), "STAT", arg, ftplist.Long)
	if !ok {
		return r
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
		Charset: c.ctl.Encoder(),
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
