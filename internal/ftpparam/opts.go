package ftpparam

import (
	"fmt"
	"strconv"
	"strings"

	"ferry/internal/ftplist"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// HashNames are the algorithms of HASH in the order FEAT lists them, the first the
// one that counts where none was chosen. SHA-1 has to be there
// (draft-bryan-ftpext-hash §3.1.1); the weak ones find accidents, not attackers, and
// clients ask for them.
func HashNames() []string { return []string{"SHA-256", "SHA-512", "SHA-1", "MD5", "CRC32"} }

// Opts is OPTS (RFC 2389 §4). A session looks at UTF8 behind it.
func (p *Params) Opts(arg string) ftpreply.Reply {
	verb, param, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "UTF8", "UTF-8":
		return p.optsUTF8(param)
	case "MLST":
		return p.optsMLST(param)
	case "HASH":
		return p.optsHASH(param)
	case "MODE":
		return p.optsMODE(param)
	case "REST", "LIST", "NLST", "RETR", "STOR":
		return ftpreply.Say(501, verb+" has no options.")
	}
	return ftpreply.Say(501, "OPTS knows UTF8, MLST, HASH and MODE Z.")
}

// optsUTF8 switches between UTF-8 and the charset that the account names.
func (p *Params) optsUTF8(param string) ftpreply.Reply {
	switch strings.ToUpper(param) {
	case "ON", "":
		p.UTF8 = true
		return ftpreply.Say(200, "UTF-8 is on.")
	case "OFF":
		p.UTF8 = false
		return ftpreply.Say(200, "UTF-8 is off.")
	}
	return ftpreply.Say(501, "OPTS UTF8 takes ON or OFF.")
}

// optsMLST chooses the facts of MLST and MLSD (RFC 3659 §7.9).
func (p *Params) optsMLST(param string) ftpreply.Reply {
	facts, err := ftpwire.ParseFacts(param)
	if err != nil {
		return ftpreply.Say(501, "OPTS MLST takes facts, each with a semicolon behind it.")
	}
	p.Facts = facts & ftplist.SupportedFacts()
	return ftpreply.Say(200, strings.TrimRight("MLST OPTS "+p.Facts.String(), " "))
}

// optsHASH shows or chooses the algorithm of HASH.
func (p *Params) optsHASH(param string) ftpreply.Reply {
	if param == "" {
		return ftpreply.Say(200, p.Hash)
	}
	for _, name := range HashNames() {
		if strings.EqualFold(name, param) {
			p.Hash = name
			return ftpreply.Say(200, name)
		}
	}
	return ftpreply.Say(501, "Unknown algorithm; "+strings.Join(HashNames(), ", ")+" are known.")
}

// optsMODE sets the level of compression: "Z LEVEL n".
func (p *Params) optsMODE(param string) ftpreply.Reply {
	words := strings.Fields(strings.ToUpper(param))
	if !p.offersZ || len(words) == 0 || words[0] != "Z" {
		return ftpreply.Say(501, "OPTS MODE has no such options.")
	}
	if len(words) == 1 {
		return ftpreply.Say(200, fmt.Sprintf("MODE Z LEVEL %d", p.Level))
	}
	level, err := strconv.Atoi(words[len(words)-1])
	if len(words) != 3 || words[1] != "LEVEL" || err != nil || level < 1 || level > 9 {
		return ftpreply.Say(501, "OPTS MODE Z takes LEVEL 1 to 9.")
	}
	p.Level = level
	return ftpreply.Say(200, fmt.Sprintf("MODE Z LEVEL %d", level))
}

// Features are the lines of FEAT that show what is chosen: HASH (draft-bryan-ftpext-hash
// §3.1) and MLST (RFC 3659 §7.8).
func (p Params) Features() (hash, mlst string) {
	hash = "HASH "
	for _, name := range HashNames() {
		if hash += name; name == p.Hash {
			hash += "*"
		}
		hash += ";"
	}
	return hash, "MLST " + ftplist.SupportedFacts().Feature(p.Facts)
}
