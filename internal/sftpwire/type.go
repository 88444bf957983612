package sftpwire

import "strings"

// String is the word of the draft, in lower case as OpenSSH's sftp-server
// names requests (-Q requests): "open", "readdir".
func (t Type) String() string {
	words := [...]string{"", "init", "version", "open", "close", "read", "write", "lstat", "fstat", "setstat",
		"fsetstat", "opendir", "readdir", "remove", "mkdir", "rmdir", "realpath", "stat", "rename", "readlink", "symlink"}
	switch {
	case int(t) < len(words):
		return words[t]
	case t == TypeExtended:
		return "extended"
	}
	return "unknown"
}

// NameOf is how OpenSSH's sftp-server names a request: "open", or of an
// extended one its name without a domain, "posix-rename".
func NameOf(r Request) string {
	e, ok := r.(extended)
	if !ok {
		return r.Type().String()
	}
	name, _, _ := strings.Cut(e.extension(), "@")
	return name
}
