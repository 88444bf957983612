package ftpwire

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseOffset reads the argument of REST (RFC 3659 §5.3): decimal digits, at most
// 2^63-1. A sign, a space, a fraction or more than that is an error (threat 32),
// never zero: a transfer that begins at the wrong place destroys a file.
func ParseOffset(arg string) (int64, error) {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || !isNumber(arg) {
		return 0, fmt.Errorf("offset %.40q: must be digits only, at most %d", arg, int64(1<<63-1))
	}
	return n, nil
}

// ParseRange reads the argument of RANG (draft-bryan-ftp-range): "start end", two
// offsets with one space between them. That the end comes before the start is no
// error here: "1 0" means no range.
func ParseRange(arg string) (start, end int64, err error) {
	first, last, ok := strings.Cut(arg, " ")
	if !ok {
		return 0, 0, fmt.Errorf("range %.40q: must be two offsets with one space between them", arg)
	}
	if start, err = ParseOffset(first); err != nil {
		return 0, 0, err
	}
	if end, err = ParseOffset(last); err != nil {
		return 0, 0, err
	}
	return start, end, nil
}

// ParseALLO reads the argument of ALLO (RFC 959 §4.1.3): "n" or "n R m", the bytes
// to come and the largest record; record is 0 where it is not given.
func ParseALLO(arg string) (size, record int64, err error) {
	first, rest, more := strings.Cut(arg, " ")
	if size, err = ParseOffset(first); err != nil || !more {
		return size, 0, err
	}
	r, last, ok := strings.Cut(rest, " ")
	if !ok || !strings.EqualFold(r, "R") {
		return 0, 0, fmt.Errorf("size %.40q: must be a number, or two with R between them", arg)
	}
	if record, err = ParseOffset(last); err != nil {
		return 0, 0, err
	}
	return size, record, nil
}
