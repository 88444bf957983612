package ftpwire

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// The type fact of a link, as IANA's registry of OS-specific types has it: with
// its target, or without where the target cannot stand in a fact.
const (
	typeSlink   = "OS.unix=slink:"
	typeSymlink = "OS.unix=symlink"
)

// AppendFacts prints the line of MLST and MLSD for e, without a line end: those
// facts of f that are known, a space, the name (RFC 3659 §7.2). The size is told
// of files only. Fractions of Modify and Birth are printed: truncate them where
// they are not wanted.
func AppendFacts(dst []byte, f Facts, e *Entry) []byte {
	if f.Has(FactType) {
		dst = append(dst, "type="...)
		dst = append(appendType(dst, e), ';')
	}
	if f.Has(FactSize) && e.Kind == KindFile {
		dst = append(dst, "size="...)
		dst = append(strconv.AppendInt(dst, e.Size, 10), ';')
	}
	if f.Has(FactModify) && !e.Modify.IsZero() {
		dst = append(dst, "modify="...)
		dst = append(AppendTime(dst, e.Modify), ';')
	}
	if f.Has(FactCreate) && !e.Birth.IsZero() {
		dst = append(dst, "create="...)
		dst = append(AppendTime(dst, e.Birth), ';')
	}
	if f.Has(FactPerm) {
		dst = append(dst, "perm="...)
		dst = append(appendWord(dst, e.Perm), ';')
	}
	if f.Has(FactUnique) && e.Unique != "" {
		dst = append(dst, "unique="...)
		dst = append(appendWord(dst, e.Unique), ';')
	}
	dst = appendUnixFacts(dst, f, e)
	return appendName(append(dst, ' '), e.Name)
}

func appendUnixFacts(dst []byte, f Facts, e *Entry) []byte {
	if f.Has(FactMode) {
		bits := unixBits(e.Mode)
		dst = append(dst, "UNIX.mode="...)
		dst = append(dst, '0'+byte(bits>>9&7), '0'+byte(bits>>6&7), '0'+byte(bits>>3&7), '0'+byte(bits&7), ';')
	}
	if f.Has(FactUID) {
		dst = append(dst, "UNIX.uid="...)
		dst = append(strconv.AppendUint(dst, uint64(e.UID), 10), ';')
	}
	if f.Has(FactGID) {
		dst = append(dst, "UNIX.gid="...)
		dst = append(strconv.AppendUint(dst, uint64(e.GID), 10), ';')
	}
	if f.Has(FactOwner) && e.Owner != "" {
		dst = append(dst, "UNIX.owner="...)
		dst = append(appendWord(dst, e.Owner), ';')
	}
	if f.Has(FactGroup) && e.Group != "" {
		dst = append(dst, "UNIX.group="...)
		dst = append(appendWord(dst, e.Group), ';')
	}
	return dst
}

func appendType(dst []byte, e *Entry) []byte {
	switch e.Kind {
	case KindFile:
		return append(dst, "file"...)
	case KindDir:
		return append(dst, "dir"...)
	case KindCdir:
		return append(dst, "cdir"...)
	case KindPdir:
		return append(dst, "pdir"...)
	case KindLink:
		if isWord(e.Target) {
			return append(append(dst, typeSlink...), e.Target...)
		}
		return append(dst, typeSymlink...)
	}
	return append(append(dst, "OS.unix="...), specialType(e.Mode)...)
}

func specialType(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "fifo"
	case m&fs.ModeSocket != 0:
		return "sock"
	case m&fs.ModeCharDevice != 0:
		return "chr"
	case m&fs.ModeDevice != 0:
		return "blk"
	}
	return "special"
}

// ParseEntry reads a line of MLST or MLSD without its end (and without the space
// that begins MLST's), and tells which facts it held. Facts it does not know are
// passed over; a known one with a value that cannot be is an error.
//
// The name is what the server sent: a client that makes it a path on its own side
// must first look whether it has "/" or ".." in it (threat 37).
func ParseEntry(line string) (Entry, Facts, error) {
	list, name, ok := strings.Cut(line, " ")
	if !ok || name == "" || list != "" && !strings.HasSuffix(list, ";") {
		return Entry{}, 0, fmt.Errorf("entry %.80q: must be facts with a semicolon after each, a space, and the name", line)
	}
	e := Entry{Name: name}
	var set Facts
	for list != "" {
		var fact string
		fact, list, _ = strings.Cut(list, ";")
		key, value, ok := strings.Cut(fact, "=")
		f := factNamed(key)
		if !ok || !e.setFact(f, value) {
			return Entry{}, 0, fmt.Errorf("entry %.80q: fact %.40q cannot be read", line, fact)
		}
		set |= f
	}
	e.Mode |= e.Kind.typeBits()
	return e, set, nil
}

// setFact takes over the value of a fact and tells whether it could be read.
func (e *Entry) setFact(f Facts, value string) bool {
	var err error
	switch f {
	case FactType:
		e.setType(value)
	case FactSize:
		e.Size, err = ParseOffset(value)
	case FactModify:
		e.Modify, err = ParseTime(value)
	case FactCreate:
		e.Birth, err = ParseTime(value)
	case FactPerm:
		e.Perm = value
	case FactUnique:
		e.Unique = value
	case FactMode:
		var n uint64
		n, err = strconv.ParseUint(value, 8, 32)
		e.Mode = e.Mode.Type() | fileMode(uint32(n))
	case FactUID:
		e.UID, err = parseID(value)
	case FactGID:
		e.GID, err = parseID(value)
	case FactOwner:
		e.Owner = value
	case FactGroup:
		e.Group = value
	}
	return err == nil
}

func (e *Entry) setType(value string) {
	e.Target = ""
	e.Mode &^= fs.ModeType
	if len(value) > len(typeSlink) && strings.EqualFold(value[:len(typeSlink)], typeSlink) {
		e.Kind, e.Target = KindLink, value[len(typeSlink):]
		return
	}
	special := func(m fs.FileMode) { e.Kind, e.Mode = KindOther, e.Mode|m }
	switch strings.ToLower(value) {
	case "file":
		e.Kind = KindFile
	case "dir":
		e.Kind = KindDir
	case "cdir":
		e.Kind = KindCdir
	case "pdir":
		e.Kind = KindPdir
	case "os.unix=symlink", "os.unix=slink", "os.unix=slink:":
		e.Kind = KindLink
	case "os.unix=fifo":
		special(fs.ModeNamedPipe)
	case "os.unix=sock":
		special(fs.ModeSocket)
	case "os.unix=chr":
		special(fs.ModeDevice | fs.ModeCharDevice)
	case "os.unix=blk":
		special(fs.ModeDevice)
	default:
		special(0)
	}
}

func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}
