// Package access decides what a user may do to a file: an FS, made by New, that
// lets through what the user's rules grant and refuses everything else. It knows
// rights and names. Who the user is, how many bytes may move and what is told of
// it is decided elsewhere.
//
// Which right each method needs stands at the method, and once more, as a table,
// in the tests: FS method, right, event.
//
// Rights are Ferry's own. RFC 959 and RFC 3659 §7.5.5 (the perm fact) name what
// a client is told of them.
package access
