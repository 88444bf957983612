package ftpparam

import (
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"ferry/internal/ftpreply"
)

// do runs one command line on p.
func do(p *Params, line string) ftpreply.Reply {
	verb, arg, _ := strings.Cut(line, " ")
	switch verb {
	case "TYPE":
		return p.Type(arg)
	case "MODE":
		return p.Mode(arg)
	case "STRU":
		return p.Stru(arg)
	case "REST":
		return p.Rest(arg)
	case "RANG":
		return p.Rang(arg)
	case "UMASK":
		return p.Umask(arg)
	case "ALLO":
		return p.Allo(arg, func(bytes int64) error {
			if bytes > 1000 {
				return fs.ErrPermission // some reason
			}
			return nil
		})
	}
	return p.Opts(arg)
}

// TestParameters: each conversation, and what the parameters are behind it.
func TestParameters(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines string // "command = code" separated by commas
		want  func(p Params) bool
	}{
		{"as it begins", "", func(p Params) bool {
			return p.ASCII && !p.Z && p.Level == 6 && p.Restart == Restart{} && p.Hash == "SHA-256" && p.FilePerm() == nil
		}},
		{"bytes", "TYPE I = 200", func(p Params) bool { return !p.ASCII }},
		{"bytes of 8 bits", "TYPE L 8 = 200", func(p Params) bool { return !p.ASCII }},
		{"L8 as some clients write it", "TYPE l8 = 200", func(p Params) bool { return !p.ASCII }},
		{"text for a terminal", "TYPE I = 200, TYPE A T = 200", func(p Params) bool { return p.ASCII }},
		{"no such type", "TYPE A C = 504, TYPE A X = 501, TYPE E = 504, TYPE L 36 = 504, TYPE L x = 501, TYPE I N = 501, TYPE X = 501", func(p Params) bool { return p.ASCII }},
		{"compressed", "MODE z = 200, OPTS MODE Z LEVEL 9 = 200", func(p Params) bool { return p.Z && p.Level == 9 }},
		{"no such mode", "MODE B = 504, MODE C = 504, MODE X = 501, OPTS MODE Z LEVEL 0 = 501, OPTS MODE Z LEVEL = 501, OPTS MODE S = 501", func(p Params) bool { return !p.Z && p.Level == 6 }},
		{"structure", "STRU F = 200, STRU R = 504, STRU P = 504, STRU X = 501", func(Params) bool { return true }},
		{"a restart", "REST 7 = 350", func(p Params) bool { return p.Restart == Restart{Given: true, Offset: 7} && p.Restart.Length() == -1 }},
		{"REST 0 is none", "REST 7 = 350, REST 0 = 350", func(p Params) bool { return p.Restart == Restart{} }},
		{"a restart of a compressed stream", "MODE Z = 200, REST 7 = 501, REST 0 = 350", func(p Params) bool { return !p.Restart.Given }},
		{"REST of nonsense", "REST -1 = 501, REST x = 501", func(p Params) bool { return !p.Restart.Given }},
		{"a range", "TYPE I = 200, RANG 2 5 = 350", func(p Params) bool { return p.Restart == Range(2, 5) && p.Restart.Length() == 4 }},
		{"a range that is reset", "TYPE I = 200, RANG 2 5 = 350, RANG 1 0 = 350", func(p Params) bool { return p.Restart == Restart{} }},
		{"a range that is wrong ends the last one", "TYPE I = 200, RANG 2 5 = 350, RANG 5 2 = 501", func(p Params) bool { return p.Restart == Restart{} }},
		{"a range of text", "RANG 2 5 = 551", func(p Params) bool { return p.Restart == Restart{} }},
		{"ALLO", "ALLO 1000 = 200", func(p Params) bool { return p.Announced == 1000 }},
		{"ALLO with a record size", "ALLO 10 R 5 = 200", func(p Params) bool { return p.Announced == 10 }},
		{"ALLO without room", "ALLO 1001 = 550, ALLO x = 501", func(p Params) bool { return p.Announced == 0 }},
		{"UMASK", "UMASK = 200, UMASK 027 = 200", func(p Params) bool { return *p.FilePerm() == 0o640 && *p.DirPerm() == 0o750 }},
		{"UMASK 0 is one", "UMASK 0 = 200", func(p Params) bool { return *p.FilePerm() == 0o666 }},
		{"UMASK of nonsense", "UMASK 1000 = 501, UMASK 8 = 501, UMASK +7 = 501", func(p Params) bool { return p.FilePerm() == nil }},
		{"UTF-8", "OPTS UTF8 ON = 200", func(p Params) bool { return p.UTF8 }},
		{"UTF-8 as old clients say it", "OPTS UTF8 = 200, OPTS utf-8 off = 200, OPTS UTF8 maybe = 501", func(p Params) bool { return !p.UTF8 }},
		{"facts", "OPTS MLST size;Unknown;type; = 200", func(p Params) bool { return p.Facts.String() == "type;size;" }},
		{"HASH", "OPTS HASH sha-1 = 200, OPTS HASH = 200, OPTS HASH whirlpool = 501", func(p Params) bool { return p.Hash == "SHA-1" }},
		{"no such option", "OPTS REST x = 501, OPTS NOOP = 501", func(Params) bool { return true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Initial(true)
			for step := range strings.SplitSeq(test.lines, ", ") {
				line, code, _ := strings.Cut(step, " = ")
				if line == "" {
					continue
				}
				if r := do(&p, line); code != strconv.Itoa(r.Code) {
					t.Errorf("%s is answered with %d %s, want %s", line, r.Code, r.Text, code)
				}
			}
			if !test.want(p) {
				t.Errorf("the parameters are %+v", p)
			}
		})
	}
}

// TestCompressionSwitchedOff: then it is neither taken nor spoken of.
func TestCompressionSwitchedOff(t *testing.T) {
	p := Initial(false)
	if a, b := do(&p, "MODE Z"), do(&p, "OPTS MODE Z LEVEL 3"); a.Code != 504 || b.Code != 501 || p.Z {
		t.Errorf("MODE Z is answered with %d, its level with %d", a.Code, b.Code)
	}
}

// TestCopiesStay: what a transfer took with it is not what the client sets meanwhile.
func TestCopiesStay(t *testing.T) {
	p := Initial(true)
	p.Umask("022")
	taken := p
	for _, line := range []string{"TYPE I", "REST 5", "UMASK 077", "OPTS MLST ", "OPTS HASH MD5"} {
		do(&p, line)
	}
	if !taken.ASCII || taken.Restart.Given || *taken.FilePerm() != 0o644 || taken.Facts == p.Facts || taken.Hash != "SHA-256" {
		t.Errorf("the copy is now %+v", taken)
	}
}

// TestFeaturesShowWhatIsChosen (draft-bryan-ftpext-hash §3.1, RFC 3659 §7.8).
func TestFeaturesShowWhatIsChosen(t *testing.T) {
	p := Initial(true)
	do(&p, "OPTS HASH MD5")
	do(&p, "OPTS MLST Type;")
	hash, mlst := p.Features()
	if hash != "HASH SHA-256;SHA-512;SHA-1;MD5*;CRC32;" || !strings.HasPrefix(mlst, "MLST type*;size;") {
		t.Errorf("%q, %q", hash, mlst)
	}
}
