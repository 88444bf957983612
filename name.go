package ferry

import (
	"path"
	"strings"
)

// PartPrefix begins the name of every part: the hidden file, in the directory
// of its target, that holds an upload until it is whole. A part's name is the
// prefix and PartDigits lower-case hexadecimal digits, so it has one length
// whatever the target's name.
const (
	PartPrefix = ".ferry-part-"
	PartDigits = 32
)

// IsPart tells whether base, the last element of a name, is the name of a
// part. Parts are left out of every listing and refused in every command.
func IsPart(base string) bool {
	if len(base) != len(PartPrefix)+PartDigits || base[:len(PartPrefix)] != PartPrefix {
		return false
	}
	for _, c := range []byte(base[len(PartPrefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Clean makes the name a client gave, in a session whose current directory is
// cwd (itself clean), into the one form that rules and backends see: absolute,
// slash-separated, without empty, "." or ".." elements, "/" for the root. ".."
// at the root stays there, as under chroot. Nothing else is special: a
// backslash, a percent sign or a leading "-" are letters like any other, and
// bytes that are not UTF-8 are kept.
//
// It refuses, with ErrBadName, a NUL byte and any element that is a part's
// name. An empty name is cwd.
func Clean(cwd, name string) (string, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return "", ErrBadName
	}
	if !strings.HasPrefix(name, "/") {
		name = cwd + "/" + name
	}
	name = path.Clean("/" + name)
	for element := range strings.SplitSeq(name, "/") {
		if IsPart(element) {
			return "", ErrBadName
		}
	}
	return name, nil
}

// Within tells whether name is dir or lies below it. Both are clean.
func Within(name, dir string) bool {
	return dir == "/" || name == dir || strings.HasPrefix(name, dir) && name[len(dir)] == '/'
}
