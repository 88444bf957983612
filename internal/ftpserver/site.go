package ftpserver

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptree"
	"ferry/internal/ftpwire"
)

// siteCommand is a row of the table of SITE commands (RFC 959 §4.1.3). There
// is no EXEC among them, and there will be none.
type siteCommand struct {
	verb  string
	usage string
	run   handler
}

func siteTable() []siteCommand {
	return []siteCommand{
		{"CHMOD", "mode name", onFiles((*ftptree.Files).Chmod)},
		{"COPY", "from to", onFilesWith((*ftptree.Files).Copy)},
		{"CPFR", "name", onFiles((*ftptree.Files).Cpfr)},
		{"CPTO", "name", onFilesWith((*ftptree.Files).Cpto)},
		{"HELP", "", (*conn).siteHelp},
		{"IDLE", "[seconds]", (*conn).siteIdle},
		{"MKDIR", "name", onFilesWith((*ftptree.Files).Mkd)},
		{"QUOTA", "[directory]", onFiles((*ftptree.Files).Quota)},
		{"RMDIR", "name", onFiles((*ftptree.Files).Rmd)},
		{"SYMLINK", "target name", onFiles((*ftptree.Files).Symlink)},
		{"UMASK", "[mask]", onParams((*ftpparam.Params).Umask)},
		{"UTIME", "YYYYMMDDhhmm[ss] name", onFiles((*ftptree.Files).Utime)},
	}
}

// SITE (RFC 959 §4.1.3).
func (c *conn) site(arg string) ftpreply.Reply {
	verb, rest, _ := strings.Cut(arg, " ")
	for _, row := range siteTable() {
		if !strings.EqualFold(row.verb, verb) {
			continue
		}
		if rest == "" && row.usage != "" && row.usage[0] != '[' {
			return ftpreply.Say(501, "SITE "+row.verb+" needs arguments: "+row.usage)
		}
		if row.verb != "CPTO" {
			c.files.ForgetCopy()
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
