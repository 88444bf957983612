package ftpwire

import (
	"fmt"
	"strings"
	"time"
)

// timeDigits is the length of YYYYMMDDhhmmss.
const timeDigits = len("YYYYMMDDhhmmss")

// AppendTime prints t as RFC 3659 §2.3 wants it: YYYYMMDDhhmmss in UTC, and a
// fraction, to the nanosecond and without zeros at its end, where there is one. A
// year that four digits cannot say is printed as the nearest time they can.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	switch {
	case year < 0:
		return append(dst, "00000101000000"...)
	case year > 9999:
		return append(dst, "99991231235959"...)
	}
	hour, minute, second := t.Clock()
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(dst, int(month), 2)
	dst = appendPadded(dst, day, 2)
	dst = appendPadded(dst, hour, 2)
	dst = appendPadded(dst, minute, 2)
	dst = appendPadded(dst, second, 2)
	return appendFraction(dst, t.Nanosecond())
}

func appendFraction(dst []byte, nanosecond int) []byte {
	if nanosecond == 0 {
		return dst
	}
	width := 9
	for nanosecond%10 == 0 {
		nanosecond /= 10
		width--
	}
	return appendPadded(append(dst, '.'), nanosecond, width)
}

// ParseTime reads what AppendTime prints. All numbers must be within their ranges
// and the day must exist in its month; second 60, a leap second, is the next
// minute's first. Of a fraction nine digits count.
func ParseTime(s string) (time.Time, error) {
	whole, fraction, hasFraction := strings.Cut(s, ".")
	if len(whole) != timeDigits || !isNumber(whole) || hasFraction && !isNumber(fraction) {
		return time.Time{}, fmt.Errorf("time %.40q: must be YYYYMMDDhhmmss, and a fraction if need be", s)
	}
	year, month, day := digits(whole[:4]), digits(whole[4:6]), digits(whole[6:8])
	hour, minute, second := digits(whole[8:10]), digits(whole[10:12]), digits(whole[12:])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, fmt.Errorf("time %.40q: there is no such day or time", s)
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanoseconds(fraction), time.UTC), nil
}

// daysIn counts the days of a month: day 0 of the next is its last.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func nanoseconds(fraction string) int {
	n := 0
	for i := range 9 {
		n *= 10
		if i < len(fraction) {
			n += int(fraction[i] - '0')
		}
	}
	return n
}

// digits is the value of a string of a few digits.
func digits(s string) int {
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n
}

// appendPadded prints the last width digits of n, which is not negative, with zeros
// before it where it has fewer.
func appendPadded(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; n > 0 && width > 0; i, width = i-1, width-1 {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
