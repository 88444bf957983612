package setting

import (
	"fmt"

	"golang.org/x/text/encoding/htmlindex"
)

// charset is an encoding by its name in the WHATWG list, or "" for UTF-8.
type charset struct{ at *string }

// Charset is a setting of an encoding; it is kept by its own name, "" for UTF-8.
func Charset(at *string) Value { return charset{at} }

func (c charset) Set(v any) error {
	s, ok := v.(string)
	encoding, err := htmlindex.Get(s)
	if ok && s == "" {
		*c.at = ""
		return nil
	}
	if err == nil {
		*c.at, err = htmlindex.Name(encoding)
	}
	if err != nil {
		return fmt.Errorf("must be an encoding of the WHATWG list such as \"gbk\", \"shift_jis\" or \"windows-1251\", not %v", Printed(v))
	}
	return nil
}

func (c charset) Toml() string { return Quote(*c.at) }
func (c charset) Kind() string { return "encoding" }
