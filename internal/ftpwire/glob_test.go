package ftpwire_test

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"ferry/internal/ftpwire"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"", []string{""}, []string{"a"}},
		{"abc", []string{"abc"}, []string{"ab", "abcd", "ABC", ""}},
		{"*", []string{"", "a", ".a", "ä"}, []string{"a/b", "/"}},
		{"*.txt", []string{".txt", "a.txt", "a.txt.txt"}, []string{"a.txt2", "txt"}},
		{"a*b*c", []string{"abc", "aXbXc", "abbcc", "abcbc"}, []string{"ab", "acb", "abcd"}},
		{"?", []string{"a", "ä", "日", "\xff"}, []string{"", "ab", "/"}},
		{"*?", []string{"a", "ab", "é"}, []string{""}},
		{"*??", []string{"ab", "éé"}, []string{"é", "a"}},
		{"[a-c]x", []string{"ax", "cx"}, []string{"dx", "x", "abx"}},
		{"[!a-c]", []string{"d", "ä"}, []string{"a", "", "/"}},
		{"[^a]", []string{"b"}, []string{"a", "/"}},
		{"a[!b]c", []string{"axc"}, []string{"a/c"}},
		{"[.-0]", []string{".", "0"}, []string{"/"}},
		{"[]a]", []string{"]", "a"}, []string{"b"}},
		{"[!]a]", []string{"b"}, []string{"]", "a"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{"[-a]", []string{"a", "-"}, []string{"b"}},
		{`[\]\-]`, []string{"]", "-"}, []string{`\`}},
		{"[ä-ü]", []string{"ö"}, []string{"o"}},
		{"[\xe4]", []string{"\xe4"}, []string{"\xe5", "ä"}},
		{`\*\?\[`, []string{"*?["}, []string{"abc"}},
		{"a/*/b*", []string{"a/x/b", "a//bc"}, []string{"a/x/y/b", "a/b"}},
		{"*/*/*/*/*", []string{"a/b/c/d/e"}, []string{"a/b/c/d"}},
	}
	for _, tt := range tests {
		g, err := ftpwire.CompileGlob(tt.pattern)
		if err != nil {
			t.Errorf("CompileGlob(%q): %v", tt.pattern, err)
			continue
		}
		for _, name := range tt.yes {
			if !g.Match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for _, name := range tt.no {
			if g.Match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

func TestCompileGlobRefuses(t *testing.T) {
	for pattern, word := range map[string]string{"[": "close", "[a": "close", "[a-": "close", "[]": "close", "[!]": "close", `[\`: "close", `a\`: `"\\"`, "[b-a]": "range", "*a*b*c*": "stars", "****": "stars", "a/*b*c*d*": "stars"} {
		if _, err := ftpwire.CompileGlob(pattern); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("CompileGlob(%q): %v, want an error about %q", pattern, err, word)
		}
	}
}

// A matcher that tries every length for every star needs 10^17 steps for these.
func TestThreat19GlobIsLinear(t *testing.T) {
	name := strings.Repeat("a", 1<<20)
	for _, pattern := range []string{"*a*a*b", "*a*a*[b]", "*?*?*b", "*aaaaaaaa*aaaaaaaa*aaaaaaab"} {
		g, err := ftpwire.CompileGlob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if g.Match(name) {
			t.Errorf("%q matches", pattern)
		}
		if !g.Match(name + "aaaaaaab") {
			t.Errorf("%q does not match with a b at the end", pattern)
		}
	}
}

func TestHasMeta(t *testing.T) {
	for p, want := range map[string]bool{"a": false, "": false, `a\b`: false, "*": true, "a?": true, "[a": true, "a]": false} {
		if got := ftpwire.HasMeta(p); got != want {
			t.Errorf("HasMeta(%q) = %t, want %t", p, got, want)
		}
	}
}

// The standard library's path.Match means the same by a pattern of UTF-8, but for
// two things about classes: "!" is a letter to it, and a class may match "/".
func FuzzGlob(f *testing.F) {
	for _, p := range []string{"*.txt", "a*b*c", "[a-c]?", "[^x]*", `\*`, "*/a*", "*?é", "[ä-ü]*", "["} {
		f.Add(p, "a.txt")
		f.Add(p, "é/abc")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g, err := ftpwire.CompileGlob(pattern)
		if err != nil {
			return
		}
		got := g.Match(name)
		if !ftpwire.HasMeta(pattern) && !strings.Contains(pattern, `\`) && got != (pattern == name) {
			t.Fatalf("%q without meta, %q: %t", pattern, name, got)
		}
		class := strings.Contains(pattern, "[")
		if !utf8.ValidString(pattern) || !utf8.ValidString(name) || class && (strings.Contains(pattern, "!") || strings.Contains(name, "/")) {
			return
		}
		if want, err := path.Match(pattern, name); err == nil && got != want {
			t.Fatalf("%q, %q: %t, path.Match says %t", pattern, name, got, want)
		}
	})
}
