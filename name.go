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

// Name is a clean name of a session's tree: absolute, slash-separated, without
// empty, "." or ".." elements, "/" for the root. Rules and backends see names in
// no other form. Clean alone makes one of what a client has given; that nothing
// else converts a string to a Name is held by house_test.go.
type Name string

// Root is the name of the root of every tree.
const Root Name = "/"

// Clean makes a Name of what a client gave, in a session whose current directory
// is cwd. ".." at the root stays there, as under chroot. Nothing else is special:
// a backslash, a percent sign or a leading "-" are letters like any other, and
// bytes that are not UTF-8 are kept.
//
// It refuses, with ErrBadName, a NUL byte and any element that is a part's
// name. An empty name is cwd.
func Clean(cwd Name, given string) (Name, error) {
	if strings.IndexByte(given, 0) >= 0 {
		return "", ErrBadName
	}
	if !strings.HasPrefix(given, "/") {
		given = string(cwd) + "/" + given
	}
	name := path.Clean("/" + given)
	for element := range strings.SplitSeq(name, "/") {
		if IsPart(element) {
			return "", ErrBadName
		}
	}
	return Name(name), nil
}

// Base is the last element of n, "/" for the root.
func (n Name) Base() string { return path.Base(string(n)) }

// Dir is the directory that holds n; the root holds itself.
func (n Name) Dir() Name { return Name(path.Dir(string(n))) }

// Join is the name of the entry base in the directory n. What is not the name of
// a single entry, a part's among them, is ErrBadName.
func (n Name) Join(base string) (Name, error) {
	if base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\x00") || IsPart(base) {
		return "", ErrBadName
	}
	return Name(path.Join(string(n), base)), nil
}

// Within tells whether n is dir or lies below it.
func (n Name) Within(dir Name) bool {
	return dir == Root || n == dir || strings.HasPrefix(string(n), string(dir)) && n[len(dir)] == '/'
}
