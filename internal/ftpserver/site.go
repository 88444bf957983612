package ftpserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ferry"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// siteCommand is a row of the table of SITE commands (RFC 959 §4.1.3). There
// is no EXEC among them, and there will be none.
type siteCommand struct {
	verb  string
	usage string
	run   func(c *conn, arg string) ftpreply.Reply
}

func siteTable() []siteCommand {
	return []siteCommand{
		{"CHMOD", "mode name", (*conn).siteChmod},
		{"COPY", "from to", (*conn).siteCopy},
		{"CPFR", "name", (*conn).siteCpfr},
		{"CPTO", "name", (*conn).siteCpto},
		{"HELP", "", (*conn).siteHelp},
		{"IDLE", "[seconds]", (*conn).siteIdle},
		{"MKDIR", "name", (*conn).mkd},
		{"RMDIR", "name", (*conn).rmd},
		{"SYMLINK", "target name", (*conn).siteSymlink},
		{"UMASK", "[mask]", (*conn).siteUmask},
		{"UTIME", "YYYYMMDDhhmm[ss] name", (*conn).siteUtime},
	}
}

// SITE (RFC 959 §4.1.3).
func (c *conn) site(arg string) ftpreply.Reply {
	verb, rest, _ := cutWord(arg)
	for _, row := range siteTable() {
		if !strings.EqualFold(row.verb, verb) {
			continue
		}
		if rest == "" && row.usage != "" && row.usage[0] != '[' {
			return ftpreply.Say(501, "SITE "+row.verb+" needs arguments: "+row.usage)
		}
		if row.verb != "CPTO" {
			c.copyFrom = ""
		}
		return row.run(c, rest)
	}
	return ftpreply.Say(504, "Unknown SITE command; SITE HELP lists them.")
}

func (c *conn) siteHelp(string) ftpreply.Reply {
	var lines []string
	for _, row := range siteTable() {
		lines = append(lines, strings.TrimRight(" "+row.verb+" "+row.usage, " "))
	}
	return ftpreply.Reply{Code: 214, Text: "SITE commands:", More: append(lines, "End")}
}

func (c *conn) siteChmod(arg string) ftpreply.Reply {
	word, name, _ := cutWord(arg)
	mode, ok := parseMode(word)
	if !ok || name == "" {
		return ftpreply.Say(501, "SITE CHMOD takes an octal mode and a name.")
	}
	return c.change("SITE CHMOD", name,
		func(ctx context.Context, name ferry.Name) error {
			return c.fs().SetAttr(ctx, name, ferry.Attr{Mode: &mode})
		},
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(200, "Mode changed.") })
}

// siteUtime takes the two forms in use: "YYYYMMDDhhmm[ss] name", and
// "name atime mtime ctime UTC".
func (c *conn) siteUtime(arg string) ftpreply.Reply {
	if name, t, ok := cutUtimeTail(arg); ok {
		return c.setTime("SITE UTIME", t, name, timeSet)
	}
	word, name, _ := cutWord(arg)
	t, err := parseUtime(word)
	if err != nil || name == "" {
		return ftpreply.Say(501, "SITE UTIME takes YYYYMMDDhhmmss and a name.")
	}
	return c.setTime("SITE UTIME", t, name, timeSet)
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

func (c *conn) siteSymlink(arg string) ftpreply.Reply {
	words, err := splitNames(arg)
	if err != nil || len(words) != 2 || words[0] == "" {
		return ftpreply.Say(501, `SITE SYMLINK takes a target and a name; names with spaces go in double quotes.`)
	}
	if strings.IndexByte(words[0], 0) >= 0 {
		return ftpreply.For(ferry.ErrBadName)
	}
	return c.change("SITE SYMLINK", words[1],
		func(ctx context.Context, name ferry.Name) error { return c.fs().Symlink(ctx, words[0], name) },
		func(ferry.Name) ftpreply.Reply { return ftpreply.Say(200, "Link made.") })
}

func (c *conn) siteUmask(arg string) ftpreply.Reply { return c.params.Umask(arg) }

// siteIdle shows or sets the idle timeout, up to what the server allows.
func (c *conn) siteIdle(arg string) ftpreply.Reply {
	limit := c.srv.cfg.IdleTimeout
	if arg != "" {
		n, err := strconv.Atoi(arg)
		if err != nil || !ftpwire.AllDigits(arg) || n < 1 || time.Duration(n)*time.Second > limit {
			return ftpreply.Say(501, fmt.Sprintf("SITE IDLE takes 1 to %d seconds.", int(limit.Seconds())))
		}
		c.idle = time.Duration(n) * time.Second
	}
	return ftpreply.Say(200, fmt.Sprintf("Idle timeout is %d seconds, at most %d.", int(c.idle.Seconds()), int(limit.Seconds())))
}

// siteCpfr and siteCpto are ProFTPD's way of copying, which WinSCP uses.
func (c *conn) siteCpfr(arg string) ftpreply.Reply {
	name, info, r, ok := c.lookAt("SITE CPFR", arg)
	if !ok {
		return r
	}
	if !info.Mode.IsRegular() {
		return ftpreply.Say(550, "Only files can be copied.")
	}
	c.copyFrom = name
	return ftpreply.Say(350, "Ready for SITE CPTO.")
}

func (c *conn) siteCpto(arg string) ftpreply.Reply {
	from := c.copyFrom
	c.copyFrom = ""
	if from == "" {
		return ftpreply.Say(503, "Give SITE CPFR first.")
	}
	to, err := c.name(arg)
	if err != nil {
		return ftpreply.ForStore(err)
	}
	return c.copy("SITE CPTO", from, to)
}

func (c *conn) siteCopy(arg string) ftpreply.Reply {
	words, err := splitNames(arg)
	if err != nil || len(words) != 2 {
		return ftpreply.Say(501, `SITE COPY takes two names; names with spaces go in double quotes.`)
	}
	from, err := c.name(words[0])
	if err != nil {
		return ftpreply.For(err)
	}
	to, err := c.name(words[1])
	if err != nil {
		return ftpreply.ForStore(err)
	}
	return c.copy("SITE COPY", from, to)
}

// copy runs as a job: a large file takes a while. The client sees no "250-"
// meanwhile: after that the end could only be called a success.
func (c *conn) copy(verb string, from ferry.Name, to ferry.Name) ftpreply.Reply {
	src, err := c.fs().Open(c.ctx(), from, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return c.report.Failed(verb, from, err)
	}
	if c.leadsTo(to, src) {
		_ = src.Abort(nil)
		return ftpreply.Say(553, "A file cannot be copied onto itself.")
	}
	tree, perm, report := c.fs(), c.params.FilePerm(), c.report
	return ftpreply.Begin(ftpreply.Job{Verb: verb, Alone: true, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		defer src.Abort(nil)
		if err := copyFile(ctx, tree, src, to, perm); err != nil {
			return report.StoreFailed(verb, from+" to "+to, err)
		}
		return ftpreply.Say(250, "Copied.")
	}})
}

// leadsTo tells whether name means the very file that h has open: where that
// is written in place, opening it to take the copy would empty what is copied.
func (c *conn) leadsTo(name ferry.Name, h ferry.Handle) bool {
	there, err := c.fs().Stat(c.ctx(), name)
	if err != nil {
		return false
	}
	here, err := h.Stat()
	return err == nil && sameFile(here, there)
}
