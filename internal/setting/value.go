package setting

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/internal/bytesize"
)

// Value is one setting: it takes what a config file or a flag says, and prints
// itself as a config file would say it.
type Value interface {
	// Set takes a string (of a file or a flag), bool, int64, float64,
	// []string (of a flag) or []any (of a file). Its error completes the
	// sentence "KEY must be ...".
	Set(v any) error
	Toml() string
	Kind() string // for people: "number", "time span"
}

// text is any string.
type text string

// Text is a setting of any string.
func Text(at *string) Value { return (*text)(at) }

// String is what a Text holds; "" of every other kind.
func String(v Value) string {
	if t, ok := v.(*text); ok {
		return string(*t)
	}
	return ""
}

func (t *text) Set(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("must be a string in quotes, not %v", v)
	}
	*t = text(s)
	return nil
}

func (t *text) Toml() string { return Quote(string(*t)) }
func (t *text) Kind() string { return "string" }

// choice is one of a few words.
type choice struct {
	at    *string
	words []string
}

// Choice is a setting of one of words.
func Choice(at *string, words ...string) Value { return choice{at, words} }

func (c choice) Set(v any) error {
	s, ok := v.(string)
	if !ok || !slices.Contains(c.words, s) {
		return fmt.Errorf("must be one of %s, not %v", strings.Join(c.words, ", "), Printed(v))
	}
	*c.at = s
	return nil
}

func (c choice) Toml() string { return Quote(*c.at) }
func (c choice) Kind() string { return "one of " + strings.Join(c.words, ", ") }

// boolean is true or false.
type boolean bool

// Boolean is a setting that is true or false.
func Boolean(at *bool) Value { return (*boolean)(at) }

func (b *boolean) Set(v any) error {
	is, ok := v.(bool)
	if !ok {
		return fmt.Errorf("must be true or false, not %v", Printed(v))
	}
	*b = boolean(is)
	return nil
}

func (b *boolean) Toml() string { return strconv.FormatBool(bool(*b)) }
func (b *boolean) Kind() string { return "true or false" }

// count is a whole number from 0 on.
type count int

// Count is a setting of a whole number from 0 on.
func Count(at *int) Value { return (*count)(at) }

func (c *count) Set(v any) error {
	n, ok := v.(int64)
	if !ok || n < 0 || n > 1<<31-1 {
		return fmt.Errorf("must be a whole number from 0 on, not %v", Printed(v))
	}
	*c = count(n)
	return nil
}

func (c *count) Toml() string { return strconv.Itoa(int(*c)) }
func (c *count) Kind() string { return "number" }

// duration is a time span above zero, written "90s", "15m", "24h".
type duration time.Duration

// Duration is a setting of a time span above zero, written "90s", "15m", "24h".
func Duration(at *time.Duration) Value { return (*duration)(at) }

func (d *duration) Set(v any) error {
	s, _ := v.(string)
	span, err := time.ParseDuration(s)
	if err != nil || span <= 0 {
		return fmt.Errorf("must be a time span such as \"30s\", \"15m\" or \"24h\", not %v", Printed(v))
	}
	*d = duration(span)
	return nil
}

func (d *duration) Toml() string { return Quote(shortSpan(time.Duration(*d))) }
func (d *duration) Kind() string { return "time span" }

// delay is a duration that may be 0, written "0s".
type delay time.Duration

// Delay is a setting of a time span that may be 0.
func Delay(at *time.Duration) Value { return (*delay)(at) }

func (d *delay) Set(v any) error {
	if v == "0s" || v == "0" || v == int64(0) {
		*d = 0
		return nil
	}
	return (*duration)(d).Set(v)
}

func (d *delay) Toml() string { return Quote(shortSpan(time.Duration(*d))) }
func (d *delay) Kind() string { return "time span or 0" }

// shortSpan writes 15 minutes as "15m", where time writes "15m0s".
func shortSpan(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// size is a number of bytes, or of bytes a second.
type size bytesize.Size

// Size is a setting of a number of bytes, or of bytes a second.
func Size(at *int64) Value { return (*size)(at) }

func (s *size) Set(v any) error {
	if n, ok := v.(int64); ok && n >= 0 {
		*s = size(n)
		return nil
	}
	text, _ := v.(string)
	return (*bytesize.Size)(s).UnmarshalText([]byte(text))
}

func (s *size) Toml() string {
	if *s == 0 {
		return "0"
	}
	return Quote(bytesize.Size(*s).String())
}
func (s *size) Kind() string { return "size" }

// Octal is a permission mask, written "0022".
type Octal fs.FileMode

func (o *Octal) Set(v any) error {
	s, _ := v.(string)
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("must be an octal mask in quotes such as \"0022\", not %v", Printed(v))
	}
	*o = Octal(n)
	return nil
}

func (o *Octal) Toml() string { return fmt.Sprintf("\"%04o\"", uint32(*o)) }
func (o *Octal) Kind() string { return "octal mask" }

// zone is a time zone by its name.
type zone struct{ at **time.Location }

// Zone is a setting of a time zone, by its name.
func Zone(at **time.Location) Value { return zone{at} }

func (z zone) Set(v any) error {
	s, _ := v.(string)
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" {
		return fmt.Errorf("must be a time zone such as \"UTC\", \"Local\" or \"Europe/Berlin\", not %v", Printed(v))
	}
	*z.at = loc
	return nil
}

func (z zone) Toml() string { return Quote((*z.at).String()) }
func (z zone) Kind() string { return "time zone" }

// Ports is a range of TCP ports, written "50000-50999".
type Ports struct{ First, Last uint16 }

func (p *Ports) Set(v any) error {
	s, _ := v.(string)
	low, high, ok := strings.Cut(s, "-")
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if ok && err1 == nil && err2 == nil && last > 0 && first > last {
		return fmt.Errorf("must be a range of ports from the lower to the higher: \"%d-%d\", not reversed, %v", last, first, Printed(v))
	}
	if !ok || err1 != nil || err2 != nil || first == 0 {
		return fmt.Errorf("must be a range of ports such as \"50000-50999\", not %v", Printed(v))
	}
	*p = Ports{uint16(first), uint16(last)}
	return nil
}

func (p *Ports) Toml() string { return fmt.Sprintf("\"%d-%d\"", p.First, p.Last) }
func (p *Ports) Kind() string { return "range of ports" }

// list is several strings. check, where it is set, looks at each.
type list struct {
	at    *[]string
	check func(string) error
}

// List is a setting of several strings. check, unless it is nil, looks at each.
func List(at *[]string, check func(string) error) Value { return list{at, check} }

func (l list) Set(v any) error {
	return Fill(l.at, v, func(item string) (string, error) {
		if l.check == nil {
			return item, nil
		}
		return item, l.check(item)
	})
}

func (l list) Toml() string { return QuoteList(*l.at) }
func (l list) Kind() string { return "list of strings" }

// Networks is several networks or single addresses.
type Networks []netip.Prefix

func (n *Networks) Set(v any) error { return Fill((*[]netip.Prefix)(n), v, ParseNetwork) }

func (n *Networks) Toml() string {
	var items []string
	for _, prefix := range *n {
		items = append(items, prefix.String())
	}
	return QuoteList(items)
}
func (n *Networks) Kind() string { return "list of networks" }

// ParseNetwork reads a network, or an address as the network of it alone.
func ParseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("must hold networks such as \"192.0.2.0/24\" or addresses, not %q", s)
	}
	return prefix.Masked(), nil
}

// Fill sets a list to what parse makes of the items of v. The error joins the faults of
// all items; where there is one, the list stays as it is.
func Fill[T any](list *[]T, v any, parse func(item string) (T, error)) error {
	items, err := Items(v)
	if err != nil {
		return err
	}
	all, found := make([]T, len(items)), make([]error, len(items))
	for i, item := range items {
		all[i], found[i] = parse(item)
	}
	if err := errors.Join(found...); err != nil {
		return err
	}
	*list = all
	return nil
}

// Items takes a list as a file or a flag gives it.
func Items(v any) ([]string, error) {
	switch v := v.(type) {
	case []string:
		return v, nil
	case string:
		return []string{v}, nil
	case []any:
		all := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("must be a list of strings, but holds %v", Printed(item))
			}
			all = append(all, s)
		}
		return all, nil
	}
	return nil, fmt.Errorf("must be a list of strings such as [\"a\", \"b\"], not %v", Printed(v))
}

// Printed shows a value from a file as a person wrote it, near enough.
func Printed(v any) string {
	switch v := v.(type) {
	case string:
		return Quote(v)
	case []any, []string:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}

// QuoteList writes a TOML list of strings.
func QuoteList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = Quote(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Quote writes a TOML basic string.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// line is a string that holds one line of text.
type line struct{ at *string }

// Line is a setting of one line of text.
func Line(at *string) Value { return line{at} }

func (l line) Set(v any) error {
	s, ok := v.(string)
	if !ok || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("must be one line of text, not %v", Printed(v))
	}
	*l.at = s
	return nil
}

func (l line) Toml() string { return Quote(*l.at) }
func (l line) Kind() string { return "line of text" }
