package config

import (
	"fmt"

	"golang.org/x/text/encoding/htmlindex"
)

// charset is an encoding by its name in the WHATWG list, or "" for UTF-8.
type charset struct{ at *string }

func (c charset) set(v any) error {
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
		return fmt.Errorf("must be an encoding of the WHATWG list such as \"gbk\", \"shift_jis\" or \"windows-1251\", not %v", printed(v))
	}
	return nil
}

func (c charset) Toml() string { return quote(*c.at) }
func (c charset) kind() string { return "encoding" }
