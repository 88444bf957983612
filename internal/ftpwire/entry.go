package ftpwire

import (
	"io/fs"
	"time"
)

// Kind is what an entry of a listing is.
type Kind uint8

const (
	KindFile  Kind = iota
	KindDir        // a directory in the one listed
	KindCdir       // the directory listed
	KindPdir       // its parent
	KindLink       // a symbolic link, shown as such
	KindOther      // FIFO, socket, device: the type bits of Mode say which
)

// KindOf is the kind that the type bits of m tell.
func KindOf(m fs.FileMode) Kind {
	switch m.Type() {
	case 0:
		return KindFile
	case fs.ModeDir:
		return KindDir
	case fs.ModeSymlink:
		return KindLink
	}
	return KindOther
}

// typeBits is the inverse of KindOf, as far as there is one.
func (k Kind) typeBits() fs.FileMode {
	switch k {
	case KindDir, KindCdir, KindPdir:
		return fs.ModeDir
	case KindLink:
		return fs.ModeSymlink
	}
	return 0
}

// Entry is one file or directory as a listing shows it. A zero Modify or Birth, an
// empty Unique, Owner, Group or Target is not known, and not shown as a fact.
type Entry struct {
	Name   string // as the client is to see it: the last element, or a whole path
	Kind   Kind
	Size   int64 // bytes
	Modify time.Time
	Birth  time.Time
	Perm   string // what AppendPerm prints
	Unique string // the same for two names of one file, else different
	// Mode holds the permissions, setuid, setgid and sticky; its type bits are
	// looked at for KindOther only.
	Mode   fs.FileMode
	Owner  string // a name; without one LIST shows the UID
	Group  string
	UID    uint32
	GID    uint32
	Links  uint64 // hard links; 0 counts as 1
	Target string // of a link
}

// unixBits makes permissions and special bits into the number chmod knows.
func unixBits(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		n |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		n |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		n |= 0o1000
	}
	return n
}

// fileMode is unixBits' inverse.
func fileMode(n uint32) fs.FileMode {
	m := fs.FileMode(n & 0o777)
	if n&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if n&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if n&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// appendName prints a file name. What would end the line, or in Telnet change its
// end, becomes '?': a name cannot make up an entry of its own (threat 21). The
// server leaves such names out; this holds where it forgets.
func appendName(dst []byte, name string) []byte {
	start := len(dst)
	dst = append(dst, name...)
	for i, c := range dst[start:] {
		if c == '\r' || c == '\n' || c == 0 {
			dst[start+i] = '?'
		}
	}
	return dst
}

// appendWord prints a value that must have no spaces in it.
func appendWord(dst []byte, word string) []byte {
	for _, c := range []byte(word) {
		if !isWordByte(c) {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}

// isWordByte tells what may stand in the value of a fact, and in a column of LIST.
func isWordByte(c byte) bool { return c > ' ' && c != ';' && c != 0x7f }

func isWord(s string) bool {
	for _, c := range []byte(s) {
		if !isWordByte(c) {
			return false
		}
	}
	return s != ""
}
