package ftpserver

import (
	"fmt"
	"strconv"
	"strings"

	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// restartPoint is what REST or RANG asked for, for the very next transfer.
type restartPoint struct {
	given  bool
	offset int64
	ranged bool  // RANG: only offset to last, inclusive
	last   int64 // of RANG
}

// length is how many bytes the range has; -1: to the end.
func (p restartPoint) length() int64 {
	if !p.ranged {
		return -1
	}
	return p.last - p.offset + 1
}

// TYPE (RFC 959 §4.1.2): text with either of the formats that mean the same
// here, and bytes.
func (c *conn) typeCmd(arg string) ftpreply.Reply {
	kind, param, _ := strings.Cut(strings.ToUpper(arg), " ")
	switch kind {
	case "A":
		switch param {
		case "", "N", "T":
			c.ascii = true
			return ftpreply.Say(200, "Type is ASCII.")
		case "C":
			return ftpreply.Say(504, "Carriage control is not supported; use A N.")
		}
		return ftpreply.Say(501, "TYPE A takes N or T.")
	case "I", "L8":
		if param == "" {
			c.ascii = false
			return ftpreply.Say(200, "Type is binary.")
		}
	case "L":
		if param == "8" {
			c.ascii = false
			return ftpreply.Say(200, "Type is binary.")
		}
		if ftpwire.AllDigits(param) {
			return ftpreply.Say(504, "Only bytes of 8 bits are supported.")
		}
	case "E":
		return ftpreply.Say(504, "EBCDIC is not supported.")
	}
	return ftpreply.Say(501, "TYPE takes A, I or L 8.")
}

// MODE (RFC 959 §4.1.2).
func (c *conn) modeCmd(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "S":
		c.modeZ = false
		return ftpreply.Say(200, "Mode is stream.")
	case "Z":
		if !c.srv.cfg.ModeZ {
			return ftpreply.Say(504, "Compression is switched off.")
		}
		c.modeZ = true
		return ftpreply.Say(200, "Mode is compressed (deflate).")
	case "B", "C":
		return ftpreply.Say(504, "Only stream mode is supported.")
	}
	return ftpreply.Say(501, "MODE takes S.")
}

// STRU (RFC 959 §4.1.2).
func (c *conn) stru(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "F":
		return ftpreply.Say(200, "Structure is file.")
	case "R", "P":
		return ftpreply.Say(504, "Only file structure is supported.")
	}
	return ftpreply.Say(501, "STRU takes F.")
}

// OPTS (RFC 2389 §4).
func (c *conn) opts(arg string) ftpreply.Reply {
	verb, param, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "UTF8", "UTF-8":
		return c.optsUTF8(param)
	case "MLST":
		return c.optsMLST(param)
	case "HASH":
		return c.optsHASH(param)
	case "MODE":
		return c.optsMODE(param)
	case "REST", "LIST", "NLST", "RETR", "STOR":
		return ftpreply.Say(501, verb+" has no options.")
	}
	return ftpreply.Say(501, "OPTS knows UTF8, MLST, HASH and MODE Z.")
}

// optsUTF8 switches between UTF-8 and the charset that the account names.
func (c *conn) optsUTF8(param string) ftpreply.Reply {
	switch strings.ToUpper(param) {
	case "ON", "":
		c.utf8 = true
		c.charset = nil
		c.in.SetTelnet(true)
		return ftpreply.Say(200, "UTF-8 is on.")
	case "OFF":
		c.utf8 = false
		if c.sess != nil {
			c.useCharset(c.accountCharset())
		}
		return ftpreply.Say(200, "UTF-8 is off.")
	}
	return ftpreply.Say(501, "OPTS UTF8 takes ON or OFF.")
}

// optsMLST chooses the facts of MLST and MLSD (RFC 3659 §7.9).
func (c *conn) optsMLST(param string) ftpreply.Reply {
	facts, err := ftpwire.ParseFacts(param)
	if err != nil {
		return ftpreply.Say(501, "OPTS MLST takes facts, each with a semicolon behind it.")
	}
	c.facts = facts & ftplist.SupportedFacts()
	return ftpreply.Say(200, strings.TrimRight("MLST OPTS "+c.facts.String(), " "))
}

// optsMODE sets the level of compression: "Z LEVEL n".
func (c *conn) optsMODE(param string) ftpreply.Reply {
	words := strings.Fields(strings.ToUpper(param))
	if !c.srv.cfg.ModeZ || len(words) == 0 || words[0] != "Z" {
		return ftpreply.Say(501, "OPTS MODE has no such options.")
	}
	if len(words) == 1 {
		return ftpreply.Say(200, fmt.Sprintf("MODE Z LEVEL %d", c.zLevel))
	}
	level, err := strconv.Atoi(words[len(words)-1])
	if len(words) != 3 || words[1] != "LEVEL" || err != nil || level < 1 || level > 9 {
		return ftpreply.Say(501, "OPTS MODE Z takes LEVEL 1 to 9.")
	}
	c.zLevel = level
	return ftpreply.Say(200, fmt.Sprintf("MODE Z LEVEL %d", level))
}

// REST (RFC 3659 §5). Whether the offset makes sense is known at the transfer.
func (c *conn) rest(arg string) ftpreply.Reply {
	offset, err := ftpwire.ParseOffset(arg)
	if err != nil {
		return ftpreply.Say(501, "REST takes a byte offset in digits.")
	}
	if c.modeZ && offset > 0 {
		return ftpreply.Say(501, "REST cannot be combined with MODE Z.")
	}
	c.restart = restartPoint{given: offset > 0, offset: offset}
	return ftpreply.Say(350, fmt.Sprintf("Restarting at %d.", offset))
}

// RANG (draft-bryan-ftp-range §3): "1 0" ends a range that was set.
func (c *conn) rang(arg string) ftpreply.Reply {
	first, last, err := ftpwire.ParseRange(arg)
	switch {
	case err == nil && first == 1 && last == 0:
		c.restart = restartPoint{}
		return ftpreply.Say(350, "Range is reset.")
	case err != nil || first > last:
		c.restart = restartPoint{}
		return ftpreply.Say(501, "RANG takes the first and the last byte's offset.")
	case c.ascii || c.modeZ:
		return ftpreply.Say(551, "RANG needs TYPE I and MODE S.")
	}
	c.restart = restartPoint{given: true, ranged: true, offset: first, last: last}
	return ftpreply.Say(350, fmt.Sprintf("Range is %d to %d.", first, last))
}

// ALLO (RFC 959 §4.1.3). The answer is 200, not 202, which some cameras take
// for a failure.
func (c *conn) allo(arg string) ftpreply.Reply {
	bytes, _, err := ftpwire.ParseALLO(arg)
	if err != nil {
		return ftpreply.Say(501, "ALLO takes a number of bytes.")
	}
	if space, err := c.fs().Space(c.ctx(), c.cwd); err == nil && space.Total > 0 && uint64(bytes) > space.Available {
		return ftpreply.Say(452, "Not enough space; free some, or try again later.")
	}
	c.alloBytes = bytes
	return ftpreply.Say(200, "Ok.")
}
