package ftpserver

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"path"
	"strings"

	"ferry"
	"ferry/internal/ftpdata"
	"ferry/internal/ftpwire"
)

// style is the form of a listing.
type style uint8

const (
	styleLong  style = iota // LIST: as ls -l
	styleNames              // NLST: names a client can use as arguments
	styleFacts              // MLSD
)

// listing is what one LIST, NLST, MLSD or STAT asks for.
type listing struct {
	style   style
	options ftpwire.ListOptions
	name    ferry.Name    // clean: the directory, or the one file
	prefix  string        // what NLST puts before each name of a directory
	itself  string        // what NLST calls the one file
	glob    *ftpwire.Glob // which entries of the directory; nil: all
	dots    bool          // hidden entries too
	dir     bool          // name is a directory whose entries are wanted
	info    ferry.Info    // of name
}

// LIST (RFC 959 §4.1.3).
func (c *conn) list(arg string) reply { return c.listData("LIST", arg, styleLong) }

// NLST (RFC 959 §4.1.3): what it sends can be given to RETR as it is
// (RFC 1123 §4.1.2.7).
func (c *conn) nlst(arg string) reply { return c.listData("NLST", arg, styleNames) }

// MLSD (RFC 3659 §7).
func (c *conn) mlsd(arg string) reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	name, info, r := c.lookAt("MLSD", arg)
	switch {
	case r.code != 0:
		return r
	case !info.IsDir():
		return say(501, "MLSD lists directories; use MLST for a file.") // RFC 3659 §7.2.1
	}
	return c.startListing("MLSD", listing{style: styleFacts, name: name, dots: true, dir: true, info: info})
}

func (c *conn) listData(verb, arg string, s style) reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	l, err := c.parseListing(arg, s)
	if err != nil {
		return c.listFailed(verb, l.name, err)
	}
	return c.startListing(verb, l)
}

// errPattern is a pattern that is not allowed; text says why.
type errPattern struct{ text string }

func (e errPattern) Error() string { return e.text }

func (c *conn) listFailed(verb string, name ferry.Name, err error) reply {
	var bad errPattern
	if errors.As(err, &bad) {
		return say(501, bad.text+".")
	}
	return c.failed(verb, name, err)
}

// parseListing finds out what arg means: options, a directory, a file, or a
// pattern in the last element. A file that is really named like the argument
// wins over options and patterns.
func (c *conn) parseListing(arg string, s style) (listing, error) {
	l := listing{style: s}
	if strings.HasPrefix(arg, "-") && !c.exists(arg) {
		l.options, arg = ftpwire.ParseListArg(arg)
	}
	l.dots = l.options.All
	var err error
	if l.name, err = c.name(arg); err != nil {
		return l, err
	}
	if l.info, err = c.fs().Stat(c.ctx(), l.name); err == nil {
		l.dir = l.info.IsDir() && !l.options.DirSelf
		l.setPrefix(arg)
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
	_, err = c.fs().Lstat(c.ctx(), name)
	return err == nil
}

// setPrefix makes the names of NLST ones that lead to the files from where the
// session stands.
func (l *listing) setPrefix(arg string) {
	switch {
	case !l.dir && arg == "":
		l.itself = "."
	case !l.dir:
		l.itself = arg
	case arg != "" && !strings.HasSuffix(arg, "/"):
		l.prefix = arg + "/"
	default:
		l.prefix = arg
	}
}

func (c *conn) parseGlob(l listing, arg string) (listing, error) {
	dir, pattern := path.Split(arg)
	if ftpwire.HasMeta(dir) {
		return l, errPattern{"Patterns are allowed in the last element of a name only"}
	}
	glob, err := ftpwire.CompileGlob(pattern)
	if err != nil {
		return l, errPattern{err.Error()}
	}
	if l.name, err = c.name(dir); err != nil {
		return l, err
	}
	if l.info, err = c.fs().Stat(c.ctx(), l.name); err != nil {
		return l, err
	}
	if !l.info.IsDir() {
		return l, ferry.ErrNotDir
	}
	l.glob, l.prefix, l.dir = glob, dir, true
	l.dots = l.dots || strings.HasPrefix(pattern, ".")
	l.options.Recursive = false
	return l, nil
}

// startListing sends a listing over the data connection.
func (c *conn) startListing(verb string, l listing) reply {
	if l.dir && !c.sess.Rights(l.name).Has(ferry.RightList) {
		return replyFor(fs.ErrPermission)
	}
	data, way, who := c.srv.data, c.takeData(), c.party()
	f := ftpdata.Form{Z: c.modeZ, Level: c.zLevel, TLS: c.shield()}
	p, bufs, stall := c.newPrinter(l), c.srv.listBufs, c.srv.cfg.StallTimeout
	c.begin(verb, 0, func(ctx context.Context, _ *job) reply {
		err := data.With(ctx, who, way, f, func(nc net.Conn) error { return p.send(ctx, nc, l, bufs, stall) })
		if p.unprintable > 0 {
			c.log().Warn("names with line ends were left out of a listing", "directory", l.name, "entries", p.unprintable)
		}
		if err != nil {
			return c.failed(verb, l.name, err)
		}
		if p.full {
			return say(226, "Listing ended at the server's limit of entries.")
		}
		return say(226, "Listing sent.")
	})
	return say(150, "Here comes the listing.")
}

// statName is STAT with a name: a listing on the control connection, 212 of a
// directory, 213 of a file (RFC 959 §5.4).
func (c *conn) statName(arg string) reply {
	l, err := c.parseListing(arg, styleLong)
	if err != nil {
		return c.listFailed("STAT", l.name, err)
	}
	p := c.newPrinter(l)
	p.left = c.srv.cfg.ListLimit
	p.charset = nil // the reply as a whole is encoded
	var lines []string
	p.emit = func(line []byte) error {
		lines = append(lines, " "+strings.TrimSuffix(string(line), "\r\n"))
		return nil
	}
	if err := p.print(c.ctx(), l); err != nil {
		return c.failed("STAT", l.name, err)
	}
	code, end := 213, "End"
	if l.dir {
		code = 212
	}
	if p.full {
		end = "Listing ended at the server's limit of entries"
	}
	return reply{code: code, text: "Status of " + arg + ":", more: append(lines, end)}
}
