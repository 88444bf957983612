package ftpwire_test

import (
	"testing"
	"time"

	"ferry/internal/ftpwire"
)

func TestParseTime(t *testing.T) {
	tests := []struct {
		in   string
		want string // RFC 3339; "" is an error
	}{
		{"19980615100045", "1998-06-15T10:00:45Z"},
		{"19980615100045.014", "1998-06-15T10:00:45.014Z"},
		{"19980615100045.000", "1998-06-15T10:00:45Z"},
		{"20240229000000", "2024-02-29T00:00:00Z"},
		{"20161231235960", "2017-01-01T00:00:00Z"},
		{"20240102030405.1234567891", "2024-01-02T03:04:05.123456789Z"},
		{"20230229000000", ""}, {"20240001000000", ""}, {"20241301000000", ""}, {"20240100000000", ""}, {"20240431000000", ""},
		{"20240101240000", ""}, {"20240101006000", ""}, {"20240101000061", ""}, {"2024010100000", ""}, {"202401010000000", ""},
		{"20240101000000.", ""}, {"20240101000000.x", ""}, {"20240101000000Z", ""}, {"-2240101000000", ""}, {"+2240101000000", ""}, {"", ""},
	}
	for _, tt := range tests {
		got, err := ftpwire.ParseTime(tt.in)
		if tt.want == "" {
			if err == nil {
				t.Errorf("ParseTime(%q) = %v, want an error", tt.in, got)
			}
			continue
		}
		if s := got.Format(time.RFC3339Nano); err != nil || s != tt.want {
			t.Errorf("ParseTime(%q) = %s, %v; want %s", tt.in, s, err, tt.want)
		}
	}
}

func TestAppendTime(t *testing.T) {
	tests := []struct {
		in   time.Time
		want string
	}{
		{time.Date(1998, 6, 15, 10, 0, 45, 0, time.UTC), "19980615100045"},
		{time.Date(1998, 6, 15, 10, 0, 45, 14e6, time.UTC), "19980615100045.014"},
		{time.Date(1998, 6, 15, 10, 0, 45, 1, time.UTC), "19980615100045.000000001"},
		{time.Date(1998, 6, 15, 1, 0, 0, 0, time.FixedZone("", 2*60*60)), "19980614230000"},
		{time.Date(292277026596, 1, 1, 0, 0, 0, 0, time.UTC), "99991231235959"},
		{time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), "00000101000000"},
	}
	for _, tt := range tests {
		if got := string(ftpwire.AppendTime(nil, tt.in)); got != tt.want {
			t.Errorf("AppendTime(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"19980615100045", "19980615100045.014", "20161231235960", "20230229000000", "99991231235960.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		at, err := ftpwire.ParseTime(in)
		if err != nil || at.Year() > 9999 {
			return
		}
		printed := string(ftpwire.AppendTime(nil, at))
		if again, err := ftpwire.ParseTime(printed); err != nil || !again.Equal(at) {
			t.Errorf("%q: %v, printed %q, parsed again %v, %v", in, at, printed, again, err)
		}
	})
}
