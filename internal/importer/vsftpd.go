package importer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/store"
)

// readVsftpd reads the text that vsftpd's virtual users are made from by db_load -T:
// a line with a name, a line with its password, or its hash. What db_dump -p prints of
// the database is read, too.
func readVsftpd(files []File) *Accounts {
	all := &Accounts{}
	for _, f := range files {
		if isDatabase(f.Data) {
			all.refuse(Place{f.Name, 1}, "this is a database, not its text: db_dump -p %s >users.txt makes one to import", f.Name)
			continue
		}
		lines := f.words()
		if len(lines)%2 != 0 {
			last := lines[len(lines)-1]
			all.refuse(last.Place, "names and passwords take turns, a line for each, and the last name has no password")
			continue // a line is missing somewhere: a password may stand where a name should
		}
		for pair := range slices.Chunk(lines, 2) {
			if ferry.CheckUserName(pair[0].text) != nil { // it may be a password, and is not shown
				all.refuse(pair[0].Place, "a name belongs on this line, and a name has only letters, digits and ._-+@$")
				continue
			}
			all.take(pair[0].Place, pair[0].text, func(e *Entry) error { return all.secret(e, pair[1].text) })
		}
	}
	return all
}

// secret takes a password, or the hash of one.
func (a *Accounts) secret(e *Entry, secret string) error {
	switch {
	case auth.LooksHashed(secret):
		return a.hash(e, secret)
	case secret == "":
		return errors.New("its password is empty: anybody could log in")
	case len(secret) > auth.MaxPassword || strings.ContainsRune(secret, 0):
		return errors.New("no client could send its password: it is too long, or holds a NUL")
	}
	e.password = secret
	e.set(func(account *store.Account) { account.Disabled = false })
	return nil
}

// words are the lines of f in pairs: all of them, as db_load takes them, or what
// stands between the header and the end of a dump.
func (f File) words() []line {
	var all []line
	for text := range bytes.Lines(f.Data) {
		all = append(all, line{Place{f.Name, len(all) + 1}, strings.TrimRight(string(text), "\r\n")})
	}
	if len(all) > 0 && strings.HasPrefix(all[0].text, "VERSION=") {
		return dumped(all)
	}
	for len(all) > 0 && all[len(all)-1].text == "" && len(all)%2 != 0 {
		all = all[:len(all)-1] // an empty line at the end is none
	}
	return all
}

// dumped are the lines between HEADER=END and DATA=END, without the space that each
// begins with. With format=print "\" stands before two hexadecimal digits.
func dumped(all []line) (words []line) {
	inside := false
	for _, l := range all {
		switch {
		case l.text == "HEADER=END":
			inside = true
		case l.text == "DATA=END":
			return words
		case inside:
			l.text = unescape(strings.TrimPrefix(l.text, " "))
			words = append(words, l)
		}
	}
	return words
}

func unescape(s string) string {
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, `\`)
		b.WriteString(before)
		if s = after; !found {
			break
		}
		if strings.HasPrefix(s, `\`) {
			b.WriteByte('\\')
			s = s[1:]
			continue
		}
		code, err := hex.DecodeString(s[:min(2, len(s))])
		if err != nil || len(code) != 1 {
			b.WriteByte('\\')
			continue
		}
		b.Write(code)
		s = s[2:]
	}
	return b.String()
}

// isDatabase tells whether data begin as Berkeley DB's, of any version and byte order,
// or as GDBM's, which newer systems have in its place.
func isDatabase(data []byte) bool {
	for _, at := range []int{0, 12} {
		if len(data) < at+4 {
			continue
		}
		little, big := binary.LittleEndian.Uint32(data[at:]), binary.BigEndian.Uint32(data[at:])
		for _, magic := range []uint32{0x00053162, 0x00061561, 0x00042253, 0x13579ace, 0x13579acd, 0x13579acf, 0x13579ad0} {
			if little == magic || big == magic {
				return true
			}
		}
	}
	return false
}
