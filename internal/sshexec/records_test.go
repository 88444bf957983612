package sshexec

import (
	"bufio"
	"reflect"
	"strings"
	"testing"
)

func FuzzRecord(f *testing.F) {
	for _, seed := range []string{"C0644 12 name", "D0755 0 a b", "E", "T1 2 3 4", "\x01warn", "C99999 1 x", "C0644 -1 x", "C0644 1 ..", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parseRecord(line)
		if err != nil || strings.Contains(line, "\n") {
			return
		}
		if r.kind == 'C' || r.kind == 'D' {
			if r.name == "" || r.name == ".." || strings.Contains(r.name, "/") || r.size < 0 {
				t.Errorf("%q gave %+v", line, r)
			}
		}
		printed, err := readLine(bufio.NewReader(strings.NewReader(string(r.append(nil)))))
		if len(line) >= maxRecord {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseRecord(printed); err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%q: %+v was printed as %q, read as %+v, %v", line, r, printed, again, err)
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{"scp -t 'a b'", `a\ b "c\"d$x${y}"`, "a|b", "'", `"$`, "*.t[x]\\*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err != nil {
			return
		}
		// Quoted again, the words are the same.
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w.text, "'", `'\''`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		if err != nil || len(again) != len(words) {
			t.Fatalf("%q: %v, then %v, %v", line, words, again, err)
		}
		for i := range words {
			if again[i].text != words[i].text || again[i].pattern != "" {
				t.Errorf("%q: word %d is %+v, then %+v", line, i, words[i], again[i])
			}
		}
	})
}
