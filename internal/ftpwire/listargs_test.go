package ftpwire_test

import (
	"strings"
	"testing"

	"ferry/internal/ftpwire"
)

func TestParseListArg(t *testing.T) {
	type options = ftpwire.ListOptions
	tests := []struct {
		in   string
		want options
		path string
	}{
		{"", options{}, ""},
		{"dir", options{}, "dir"},
		{"-a", options{All: true}, ""},
		{"-A dir", options{All: true}, "dir"},
		{"-al dir", options{All: true, Long: true}, "dir"},
		{"-l -a -R -t -F dir", options{Long: true, All: true, Recursive: true, ByTime: true, Classify: true}, "dir"},
		{"-1rd", options{OnePerLine: true, Reverse: true, DirSelf: true}, ""},
		{"-lzQ9 dir", options{Long: true}, "dir"},
		{"-a two words", options{All: true}, "two words"},
		{"-a  dir", options{All: true}, " dir"},
		{"-a ", options{All: true}, ""},
		{"-- -a", options{}, "-a"},
		{"-l -- -a b", options{Long: true}, "-a b"},
		{"--", options{}, ""},
		{"-", options{}, "-"},
		{"-a.txt", options{}, "-a.txt"},
		{"--color", options{}, "--color"},
		{"dir -a", options{}, "dir -a"},
		{" -a", options{}, " -a"},
	}
	for _, tt := range tests {
		if got, path := ftpwire.ParseListArg(tt.in); got != tt.want || path != tt.path {
			t.Errorf("ParseListArg(%q) = %+v, %q; want %+v, %q", tt.in, got, path, tt.want, tt.path)
		}
	}
}

func FuzzParseListArg(f *testing.F) {
	for _, s := range []string{"-al dir", "-l -- -a", "-", "--", "-a  b", "dir -a", "-\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		o, path := ftpwire.ParseListArg(in)
		if !strings.HasSuffix(in, path) {
			t.Fatalf("%q: path %q", in, path)
		}
		if o == (ftpwire.ListOptions{}) && !strings.HasPrefix(in, "-") && path != in {
			t.Fatalf("%q: path %q without options", in, path)
		}
		if again, same := ftpwire.ParseListArg("-- " + path); again != (ftpwire.ListOptions{}) || same != path {
			t.Fatalf("%q behind --: %+v, %q", path, again, same)
		}
	})
}
