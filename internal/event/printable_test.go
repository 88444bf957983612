package event

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
)

// TestThreat36JSONDoesNotSteerTerminals: what JSON need not escape, and a
// person's terminal obeys.
func TestThreat36JSONDoesNotSteerTerminals(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"plain", "plain"},
		{"grün 日本 😀", "grün 日本 😀"},
		{"\u009b2J", `\u009b2J`},
		{"a\x7fb\u0085", `a\u007fb\u0085`},
		{"\u202etxt.exe\u2069", `\u202etxt.exe\u2069`},
		{"\xff\xc2", `\ufffd\ufffd`},
	} {
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(Printable(&out), nil)).Info("m", "name", c.name)
		if want := `"name":"` + c.want + `"`; !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("%q is logged as %s, want %s", c.name, &out, want)
		}
		var back struct{ Name string }
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Name != string([]rune(c.name)) {
			t.Errorf("%q comes back as %q, %v", c.name, back.Name, err)
		}
	}
}
