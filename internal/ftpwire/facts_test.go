package ftpwire_test

import (
	"testing"

	"ferry/internal/ftpwire"
)

func TestParseFacts(t *testing.T) {
	tests := []struct {
		in   string
		want string // the reply's list
		ok   bool
	}{
		{"type;size;modify;", "type;size;modify;", true},
		{"Modify;SIZE;tYpE", "type;size;modify;", true},
		{"unix.MODE;UNIX.uid;", "UNIX.mode;UNIX.uid;", true},
		{"size;lang;media-type;size;", "size;", true},
		{"fish;", "", true},
		{"", "", true},
		{"fish cakes;", "", false}, {"type; size;", "", false}, {";", "", false}, {"type;;", "", false}, {"type;\x00;", "", false}, {"type=x;", "", false},
		{"\u212aind;", "", false},
	}
	for _, tt := range tests {
		got, err := ftpwire.ParseFacts(tt.in)
		if got.String() != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseFacts(%q) = %q, %v; want %q, %t", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestFactsOfFeat(t *testing.T) {
	got := ftpwire.AllFacts.Feature(ftpwire.DefaultFacts)
	want := "type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.uid;UNIX.gid;UNIX.owner*;UNIX.group*;create;"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (ftpwire.FactType | ftpwire.FactSize).Feature(0); got != "type;size;" {
		t.Errorf("without stars: %s", got)
	}
}

func FuzzParseFacts(f *testing.F) {
	for _, s := range []string{"type;size;", "Type;UNIQUE;perm", "fish cakes;", ";", "UNIX.mode;unix.uid;x;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		facts, err := ftpwire.ParseFacts(in)
		if err != nil {
			return
		}
		if again, err := ftpwire.ParseFacts(facts.String()); err != nil || again != facts || !ftpwire.AllFacts.Has(facts) {
			t.Errorf("%q: %s, parsed again %s, %v", in, facts, again, err)
		}
	})
}
