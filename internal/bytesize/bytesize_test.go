package bytesize_test

import (
	"testing"

	"ferry/internal/bytesize"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1, "512B": 512, "1kB": 1000, "1K": 1024, "1KiB": 1024, "10MiB": 10 << 20,
		"3MB": 3e6, "2GiB": 2 << 30, "1TB": 1e12} {
		var s bytesize.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || int64(s) != want {
			t.Errorf("%s is %d (%v), want %d", text, s, err, want)
		}
		var again bytesize.Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%s prints as %s, which is %d (%v)", text, s, again, err)
		}
	}
	for _, text := range []string{"", "-1", "+1", "1.5M", "MiB", "1 MiB", "1Mi", "1KKB", "0x10", "9223372036854775808"} {
		if err := new(bytesize.Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzSize(f *testing.F) {
	f.Add("10MiB")
	f.Fuzz(func(t *testing.T, text string) {
		var s, again bytesize.Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || s < 0 || again != s {
			t.Errorf("%q is %d, written %q and read as %d, %v", text, int64(s), s, int64(again), err)
		}
	})
}
