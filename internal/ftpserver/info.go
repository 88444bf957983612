package ftpserver

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"ferry/internal/ftpreply"
)

// FEAT (RFC 2389 §3). Each line has clients that look for its exact words:
// "UTF8" and no more, "HASH" before its list, no MLSD (RFC 3659 §7.8 has MLST
// stand for both), no PRET, which clients would send before every transfer.
func (c *conn) feat(string) ftpreply.Reply {
	hash, mlst := c.params.Features()
	var site []string
	for _, row := range siteTable() {
		site = append(site, row.verb)
	}
	lines := c.securityFeatures()
	lines = append(lines,
		"AVBL",
		"CLNT",
		"CSID",
		"EPRT",
		"EPSV",
		hash,
		"HOST",
		"LANG EN*",
		"MDTM",
		"MFF Modify;UNIX.mode;",
		"MFMT",
		mlst,
	)
	if c.srv.cfg.ModeZ {
		lines = append(lines, "MODE Z")
	}
	lines = append(lines, "RANG STREAM", "REST STREAM", "SITE "+strings.Join(site, ";"))
	for _, row := range siteTable() {
		if row.verb == "COPY" || row.verb == "SYMLINK" {
			lines = append(lines, "SITE "+row.verb)
		}
	}
	lines = append(lines, "SIZE", "TVFS", "UTF8", "XCRC", "XMD5", "XSHA1", "XSHA256", "XSHA512")
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return ftpreply.Reply{Code: 211, Text: "Features:", More: append(lines, "End")}
}

// securityFeatures are the lines of FEAT about TLS (RFC 4217 §6).
func (c *conn) securityFeatures() []string {
	if c.tlsConfig() == nil {
		return nil
	}
	lines := []string{"AUTH TLS"}
	if c.policy().CCC {
		lines = append(lines, "CCC")
	}
	return append(lines, "PBSZ", "PROT")
}

// HELP (RFC 959 §4.1.3).
func (c *conn) help(arg string) ftpreply.Reply {
	if arg != "" {
		return c.helpFor(strings.ToUpper(arg))
	}
	var verbs []string
	for verb, row := range c.srv.commands {
		if row.spec != "" {
			verbs = append(verbs, verb)
		}
	}
	sort.Strings(verbs)
	var lines []string
	for len(verbs) > 0 {
		n := min(8, len(verbs))
		lines = append(lines, " "+strings.Join(verbs[:n], " "))
		verbs = verbs[n:]
	}
	return ftpreply.Reply{Code: 214, Text: "Commands; HELP and one of them tells more:", More: append(lines, "End")}
}

func (c *conn) helpFor(verb string) ftpreply.Reply {
	if verb == "SITE" {
		return c.siteHelp("")
	}
	row := c.srv.commands[verb]
	if row == nil || row.spec == "" {
		return ftpreply.Say(501, "Unknown command.")
	}
	spec := row.spec
	if spec[0] >= '0' && spec[0] <= '9' {
		spec = "RFC " + spec
	}
	spec = strings.ReplaceAll(spec, "§", "section ") // texts of replies are ASCII (RFC 959 §4.2)
	return ftpreply.Say(214, strings.TrimRight("Syntax: "+verb+" "+row.usage, " ")+" ("+spec+")")
}

// NOOP (RFC 959 §4.1.3).
func noop(string) ftpreply.Reply { return ftpreply.Say(200, "Ok.") }

// SYST (RFC 959 §4.1.3): the words that wget and others look for.
func syst(string) ftpreply.Reply { return ftpreply.Say(215, "UNIX Type: L8") }

func notImplemented(string) ftpreply.Reply {
	return ftpreply.Say(502, "Command not implemented.")
}

// STAT (RFC 959 §4.1.3): of the session, at once even during a transfer; with
// a name, a listing on the control connection.
func (c *conn) stat(arg string) ftpreply.Reply {
	if arg != "" {
		return c.statName(arg)
	}
	typ, mode, prot := "I", "S", "C"
	if c.tls != nil && c.tls.private {
		prot = "P"
	}
	if c.params.ASCII {
		typ = "A"
	}
	if c.params.Z {
		mode = "Z"
	}
	lines := []string{
		" Connected from " + c.peer.String(),
		" Logged in as " + c.sess.User().Name,
		" TYPE " + typ + ", MODE " + mode + ", STRU F, PROT " + prot,
		" Connected for " + time.Since(c.start).Truncate(time.Second).String(),
	}
	switch next := c.next.Endpoint(); {
	case next.Port() != 0:
		lines = append(lines, fmt.Sprintf(" Waiting for a data connection at port %d", next.Port()))
	case next.Prepared():
		lines = append(lines, " The next data connection goes to "+next.To().String())
	}
	for _, t := range c.sess.Transfers() {
		way := "Sent"
		if t.Upload {
			way = "Received"
		}
		line := fmt.Sprintf(" %s %d bytes", way, t.Bytes)
		if !t.Upload && t.Size >= 0 {
			line += fmt.Sprintf(" of %d", t.Size)
		}
		lines = append(lines, line+" of "+string(t.Name))
	}
	if c.job != nil && len(c.sess.Transfers()) == 0 {
		lines = append(lines, " "+c.job.Verb+" is running")
	}
	return ftpreply.Reply{Code: 211, Text: "Status:", More: append(lines, "End")}
}
