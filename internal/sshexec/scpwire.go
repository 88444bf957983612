package sshexec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// record is one line of what a sending scp says:
//
//	C0644 1234 name            a file, whose bytes follow
//	D0755 0 name               a directory, whose entries follow
//	E                          its end
//	T1700000000 0 1700000000 0 times (modified, read) of the next C or D
//
// and, with the byte 1 or 2 before it, a text about what went wrong.
type record struct {
	kind     byte // 'C', 'D', 'E', 'T', 1 (a warning), 2 (the end)
	mode     fs.FileMode
	size     int64
	name     string // one element of a name
	modified time.Time
	read     time.Time
	text     string
}

// errRecord: a client said what is no record.
var errRecord = errors.New("protocol error")

// maxRecord is how long a line may be: the longest name is much shorter.
const maxRecord = 4 << 10

// readLine reads up to a line end, which it leaves out. io.EOF: there was
// nothing more at all.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		b, err := r.ReadByte()
		switch {
		case err == io.EOF && len(line) > 0:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case b == '\n':
			return string(line), nil
		case len(line) >= maxRecord:
			return "", fmt.Errorf("%w: a line without an end", errRecord)
		}
		line = append(line, b)
	}
}

// parseRecord reads a line without its end. Names that lead out of the
// directory they are meant for are refused here, before anybody joins them.
func parseRecord(line string) (record, error) {
	if line == "" {
		return record{}, fmt.Errorf("%w: an empty line", errRecord)
	}
	r := record{kind: line[0]}
	rest := line[1:]
	switch r.kind {
	case 1, 2:
		r.text = rest
		return r, nil
	case 'E':
		if rest != "" {
			return record{}, fmt.Errorf("%w: text behind E", errRecord)
		}
		return r, nil
	case 'T':
		return r, r.parseTimes(rest)
	case 'C', 'D':
		return r, r.parseEntry(rest)
	}
	return record{}, fmt.Errorf("%w: unknown record", errRecord)
}

func (r *record) parseEntry(rest string) error {
	mode, rest, _ := strings.Cut(rest, " ")
	size, name, _ := strings.Cut(rest, " ")
	bits, err := strconv.ParseUint(mode, 8, 12)
	if err != nil {
		return fmt.Errorf("%w: mode not delimited", errRecord)
	}
	r.mode = fs.FileMode(bits & 0o777)
	length, err := strconv.ParseUint(size, 10, 63)
	if err != nil {
		return fmt.Errorf("%w: size not delimited", errRecord)
	}
	r.size, r.name = int64(length), name
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%w: unexpected filename", errRecord)
	}
	return nil
}

func (r *record) parseTimes(rest string) error {
	fields := strings.Split(rest, " ")
	if len(fields) != 4 {
		return fmt.Errorf("%w: times not delimited", errRecord)
	}
	var n [4]int64
	for i, f := range fields {
		v, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i%2 == 1 && (v < 0 || v > 999_999) {
			return fmt.Errorf("%w: times not delimited", errRecord)
		}
		n[i] = v
	}
	r.modified, r.read = time.Unix(n[0], n[1]*1000), time.Unix(n[2], n[3]*1000)
	return nil
}

// append writes r as parseRecord reads it, with the line end.
func (r record) append(b []byte) []byte {
	switch r.kind {
	case 'C', 'D':
		return fmt.Appendf(b, "%c%04o %d %s\n", r.kind, r.mode.Perm(), r.size, r.name)
	case 'T':
		return fmt.Appendf(b, "T%d %d %d %d\n", r.modified.Unix(), r.modified.Nanosecond()/1000, r.read.Unix(), r.read.Nanosecond()/1000)
	}
	return append(append(b, r.kind), r.text+"\n"...)
}
