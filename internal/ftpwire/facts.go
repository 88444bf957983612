package ftpwire

import (
	"fmt"
	"math/bits"
	"strings"
)

// Facts is a set of the facts that MLST and MLSD tell of a file (RFC 3659 §7.5).
type Facts uint16

const (
	FactType Facts = 1 << iota
	FactSize
	FactModify
	FactPerm
	FactUnique
	FactMode   // UNIX.mode
	FactUID    // UNIX.uid
	FactGID    // UNIX.gid
	FactOwner  // UNIX.owner
	FactGroup  // UNIX.group
	FactCreate // only where the storage knows when a file was made

	// AllFacts is every fact, DefaultFacts those that are on before OPTS MLST.
	AllFacts     Facts = 1<<iota - 1
	DefaultFacts       = FactType | FactSize | FactModify | FactPerm | FactUnique | FactMode | FactOwner | FactGroup
)

// factName names one fact as it is printed; case does not count (§7.5).
func factName(f Facts) string {
	switch f {
	case FactType:
		return "type"
	case FactSize:
		return "size"
	case FactModify:
		return "modify"
	case FactPerm:
		return "perm"
	case FactUnique:
		return "unique"
	case FactMode:
		return "UNIX.mode"
	case FactUID:
		return "UNIX.uid"
	case FactGID:
		return "UNIX.gid"
	case FactOwner:
		return "UNIX.owner"
	case FactGroup:
		return "UNIX.group"
	case FactCreate:
		return "create"
	}
	return ""
}

// factNamed is the fact of that name, 0 for one unknown.
func factNamed(name string) Facts {
	for f := FactType; f&AllFacts != 0; f <<= 1 {
		if strings.EqualFold(name, factName(f)) {
			return f
		}
	}
	return 0
}

// Has tells whether f holds every fact of want.
func (f Facts) Has(want Facts) bool { return f&want == want }

// String lists the facts as the reply to OPTS MLST does: "type;size;".
func (f Facts) String() string { return f.list(0) }

// Feature lists the facts as the MLST line of FEAT does, a star on those in on:
// "type*;size*;create;".
func (f Facts) Feature(on Facts) string { return f.list(on) }

func (f Facts) list(starred Facts) string {
	var b strings.Builder
	for rest := f & AllFacts; rest != 0; {
		fact := Facts(1) << bits.TrailingZeros16(uint16(rest))
		rest &^= fact
		b.WriteString(factName(fact))
		if starred&fact != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// ParseFacts reads the list that follows OPTS MLST: names with ";" after each; the
// last one may do without. The empty list is legal, unknown names are dropped (RFC
// 3659 §7.9). A name with a space or another byte that names do not have is an
// error.
func ParseFacts(arg string) (Facts, error) {
	var set Facts
	if arg == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(arg, ";"), ";") {
		if !isFactName(name) {
			return 0, fmt.Errorf("facts %.80q: must be names with a semicolon after each", arg)
		}
		set |= factNamed(name)
	}
	return set, nil
}

func isFactName(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '=' || c == ';' {
			return false
		}
	}
	return s != ""
}
