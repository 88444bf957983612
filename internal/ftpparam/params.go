// Package ftpparam is what a client sets for the commands that follow: TYPE, MODE and
// STRU (RFC 959 §4.1.2), ALLO (§4.1.3), REST (RFC 3659 §5), RANG
// (draft-bryan-ftp-range), OPTS (RFC 2389 §4) of MLST (RFC 3659 §7.9), HASH
// (draft-bryan-ftpext-hash) and MODE Z (draft-preston-ftpext-deflate), and SITE UMASK.
//
// All of it is one value. A session owns it and changes it by the methods, one for
// each command; a transfer that goes on beside the session takes a copy.
package ftpparam

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"ferry/internal/ftpdata"
	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Params are the parameters of a session. A copy does not change with the original.
type Params struct {
	ASCII     bool          // TYPE A
	Z         bool          // MODE Z
	Level     int           // of its compression, 1 to 9
	Restart   Restart       // of REST and RANG, for the very next transfer
	Announced int64         // bytes that ALLO announced for the next upload; 0: none
	Facts     ftpwire.Facts // of MLST and MLSD
	Hash      string        // the algorithm of HASH; one of HashNames
	UTF8      bool          // OPTS UTF8 ON was given: an account's charset does not count

	offersZ  bool
	umask    fs.FileMode // of SITE UMASK
	umaskSet bool        // there was one
}

// Initial are the parameters at the beginning of a session, and after REIN (RFC 959
// §4.1.1, RFC 3659 §7.7). offersZ: MODE Z is to be had.
func Initial(offersZ bool) Params {
	return Params{
		ASCII: true, Level: ftpdata.DefaultZLevel, Facts: ftplist.DefaultFacts(),
		Hash: HashNames()[0], offersZ: offersZ,
	}
}

// Restart is where the next transfer begins. The zero value: at the beginning.
type Restart struct {
	Given  bool
	Offset int64
	Ranged bool  // RANG: only Offset to Last, inclusive
	Last   int64 // of RANG
}

// Length is how many bytes the range has; -1: to the end.
func (r Restart) Length() int64 {
	if !r.Ranged {
		return -1
	}
	return r.Last - r.Offset + 1
}

// Range is the Restart of bytes first to last, inclusive.
func Range(first, last int64) Restart {
	return Restart{Given: true, Ranged: true, Offset: first, Last: last}
}

// Form is how bytes look on a data connection; its TLS is not a parameter.
func (p Params) Form() ftpdata.Form { return ftpdata.Form{Ascii: p.ASCII, Z: p.Z, Level: p.Level} }

// FilePerm is the permission of a new file: SITE UMASK's; nil: the storage's default.
func (p Params) FilePerm() *fs.FileMode { return p.perm(0o666) }

// DirPerm is that of a new directory.
func (p Params) DirPerm() *fs.FileMode { return p.perm(0o777) }

func (p Params) perm(all fs.FileMode) *fs.FileMode {
	if !p.umaskSet {
		return nil
	}
	return new(all &^ p.umask)
}

// Type is TYPE (RFC 959 §4.1.2): text with either of the formats that mean the same
// here, and bytes.
func (p *Params) Type(arg string) ftpreply.Reply {
	kind, param, _ := strings.Cut(strings.ToUpper(arg), " ")
	switch kind {
	case "A":
		switch param {
		case "", "N", "T":
			p.ASCII = true
			return ftpreply.Say(200, "Type is ASCII.")
		case "C":
			return ftpreply.Say(504, "Carriage control is not supported; use A N.")
		}
		return ftpreply.Say(501, "TYPE A takes N or T.")
	case "I", "L8":
		if param == "" {
			p.ASCII = false
			return ftpreply.Say(200, "Type is binary.")
		}
	case "L":
		if param == "8" {
			p.ASCII = false
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

// Mode is MODE (RFC 959 §4.1.2).
func (p *Params) Mode(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "S":
		p.Z = false
		return ftpreply.Say(200, "Mode is stream.")
	case "Z":
		if !p.offersZ {
			return ftpreply.Say(504, "Compression is switched off.")
		}
		p.Z = true
		return ftpreply.Say(200, "Mode is compressed (deflate).")
	case "B", "C":
		return ftpreply.Say(504, "Only stream mode is supported.")
	}
	return ftpreply.Say(501, "MODE takes S.")
}

// Stru is STRU (RFC 959 §4.1.2).
func (p *Params) Stru(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "F":
		return ftpreply.Say(200, "Structure is file.")
	case "R", "P":
		return ftpreply.Say(504, "Only file structure is supported.")
	}
	return ftpreply.Say(501, "STRU takes F.")
}

// Rest is REST (RFC 3659 §5). Whether the offset makes sense is known at the transfer.
func (p *Params) Rest(arg string) ftpreply.Reply {
	offset, err := ftpwire.ParseOffset(arg)
	if err != nil {
		return ftpreply.Say(501, "REST takes a byte offset in digits.")
	}
	if p.Z && offset > 0 {
		return ftpreply.Say(501, "REST cannot be combined with MODE Z.")
	}
	p.Restart = Restart{Given: offset > 0, Offset: offset}
	return ftpreply.Say(350, fmt.Sprintf("Restarting at %d.", offset))
}

// Rang is RANG (draft-bryan-ftp-range §3): "1 0" ends a range that was set.
func (p *Params) Rang(arg string) ftpreply.Reply {
	first, last, err := ftpwire.ParseRange(arg)
	switch {
	case err == nil && first == 1 && last == 0:
		p.Restart = Restart{}
		return ftpreply.Say(350, "Range is reset.")
	case err != nil || first > last:
		p.Restart = Restart{}
		return ftpreply.Say(501, "RANG takes the first and the last byte's offset.")
	case p.ASCII || p.Z:
		return ftpreply.Say(551, "RANG needs TYPE I and MODE S.")
	}
	p.Restart = Range(first, last)
	return ftpreply.Say(350, fmt.Sprintf("Range is %d to %d.", first, last))
}

// Allo is ALLO (RFC 959 §4.1.3); fits tells why there is no room for so many bytes.
// The answer is 200, not 202, which some cameras take for a failure.
func (p *Params) Allo(arg string, fits func(bytes int64) error) ftpreply.Reply {
	bytes, _, err := ftpwire.ParseALLO(arg)
	if err != nil {
		return ftpreply.Say(501, "ALLO takes a number of bytes.")
	}
	if err := fits(bytes); err != nil {
		return ftpreply.For(err)
	}
	p.Announced = bytes
	return ftpreply.Say(200, "Ok.")
}

// Umask is SITE UMASK: it shows or sets the permissions that new files do not get.
func (p *Params) Umask(arg string) ftpreply.Reply {
	if arg == "" {
		if !p.umaskSet {
			return ftpreply.Say(200, "UMASK is the server's.")
		}
		return ftpreply.Say(200, fmt.Sprintf("UMASK is %03o.", uint32(p.umask)))
	}
	mask, err := strconv.ParseUint(arg, 8, 16)
	if err != nil || mask > 0o777 || !ftpwire.AllDigits(arg) {
		return ftpreply.Say(501, "SITE UMASK takes an octal number up to 777.")
	}
	p.umask, p.umaskSet = fs.FileMode(mask), true
	return ftpreply.Say(200, fmt.Sprintf("UMASK is %03o.", mask))
}
