package ferry_test

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"ferry"
)

const aPart = ferry.PartPrefix + "0123456789abcdef0123456789abcdef"

// TestThreat2Clean: one form of each name, whatever the client wrote.
func TestThreat2Clean(t *testing.T) {
	tests := []struct {
		cwd        ferry.Name
		name, want string
	}{
		{"/", "", "/"},
		{"/a/b", "", "/a/b"},
		{"/", "f", "/f"},
		{"/a", "f", "/a/f"},
		{"/a", "/f", "/f"},
		{"/a", "//f//g/", "/f/g"},
		{"/a", "./f/.", "/a/f"},
		{"/a/b", "..", "/a"},
		{"/a/b", "../../../../etc/passwd", "/etc/passwd"},
		{"/", "/../..", "/"},
		{"/", "...", "/..."},
		{"/", `..\..\f`, `/..\..\f`},
		{"/", "%2e%2e/f", "/%2e%2e/f"},
		{"/", "\xc0\xae\xc0\xae/f", "/\xc0\xae\xc0\xae/f"},
		{"/", " f ", "/ f "},
		{"/", "-rf", "/-rf"},
		{"/", "a\r\nb", "/a\r\nb"},
		{"/", ferry.PartPrefix, "/" + ferry.PartPrefix},
		{"/", aPart + "0", "/" + aPart + "0"},
		{"/", strings.ToUpper(aPart), "/" + strings.ToUpper(aPart)},
		{"/", aPart + "/..", "/"},
	}
	for _, test := range tests {
		if got, err := ferry.Clean(test.cwd, test.name); string(got) != test.want || err != nil {
			t.Errorf("%q in %q is %q, %v; want %q", test.name, test.cwd, got, err, test.want)
		}
	}
	for _, name := range []string{"\x00", "a\x00b", "/a/\x00", aPart, "/a/" + aPart, aPart + "/f", "f/../" + aPart} {
		if got, err := ferry.Clean("/", name); !errors.Is(err, ferry.ErrBadName) {
			t.Errorf("%q is %q, %v; want it refused", name, got, err)
		}
	}
}

func TestWithin(t *testing.T) {
	tests := []struct {
		name, dir string
		want      bool
	}{
		{"/", "/", true},
		{"/a", "/", true},
		{"/a", "/a", true},
		{"/a/b", "/a", true},
		{"/ab", "/a", false},
		{"/", "/a", false},
		{"/a", "/a/b", false},
	}
	for _, test := range tests {
		if got := ferry.Name(test.name).Within(ferry.Name(test.dir)); got != test.want {
			t.Errorf("%q within %q: %v", test.name, test.dir, got)
		}
	}
}

// FuzzClean: what Clean lets through is absolute, plain, without a part's name,
// and stays as it is.
func FuzzClean(f *testing.F) {
	for _, name := range []string{"", "f", "/f", "../f", "a//b/./c/", "..", "/..", "a\x00", aPart, "a/" + aPart + "/..", "\xff", "a\r\n"} {
		f.Add("/", name)
		f.Add("/a/b", name)
	}
	f.Fuzz(func(t *testing.T, from, name string) {
		cwd, err := ferry.Clean("/", from)
		if err != nil {
			return
		}
		got, err := ferry.Clean(cwd, name)
		if err != nil {
			if !errors.Is(err, ferry.ErrBadName) || got != "" {
				t.Fatalf("%q in %q: %q, %v", name, cwd, got, err)
			}
			return
		}
		elements := strings.Split(string(got[1:]), "/")
		switch {
		case got[0] != '/' || path.Clean(string(got)) != string(got):
			t.Fatalf("%q in %q is %q, which is not plain", name, cwd, got)
		case strings.Contains(string(got), "\x00") || slices.Contains(elements, "..") || slices.ContainsFunc(elements, ferry.IsPart):
			t.Fatalf("%q in %q is %q", name, cwd, got)
		case !strings.HasPrefix(name, "/") && !strings.Contains(name, "..") && !got.Within(cwd):
			t.Fatalf("%q in %q is %q, outside", name, cwd, got)
		}
		if again, err := ferry.Clean("/", string(got)); again != got || err != nil {
			t.Fatalf("%q becomes %q, %v", got, again, err)
		}
	})
}

// TestJoin: an entry of a directory has the directory's name before its own, and
// what is not the name of one entry is refused.
func TestJoin(t *testing.T) {
	for _, test := range []struct{ dir, want ferry.Name }{{"/", "/f"}, {"/a", "/a/f"}} {
		if got, err := test.dir.Join("f"); got != test.want || err != nil {
			t.Errorf("f in %q is %q, %v; want %q", test.dir, got, err, test.want)
		}
	}
	for _, base := range []string{"", ".", "..", "a/b", "/", "a\x00", aPart} {
		if got, err := ferry.Root.Join(base); !errors.Is(err, ferry.ErrBadName) {
			t.Errorf("%q is %q, %v; want it refused", base, got, err)
		}
	}
}
