package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry"
	"ferry/internal/store"
)

// TestHomesThatCannotBeUsed are told of before anybody logs in: each home once, a few of
// many, and not those that nobody needs.
func TestHomesThatCannotBeUsed(t *testing.T) {
	state, there := t.TempDir(), t.TempDir()
	file := filepath.Join(there, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "[server]\nstate = " + quoted(state) + "\n[storage]\nroot = " + quoted(there) + "\n"
	conf := written(t, text, nil)
	db, err := store.Open(t.Context(), conf.Database())
	if err != nil {
		t.Fatal(err)
	}
	all := []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}
	add := func(name, home string, disabled bool) {
		if err := db.Add(t.Context(), store.Account{User: ferry.User{Name: name, Home: home, Rules: all, Disabled: disabled}}); err != nil {
			t.Fatal(err)
		}
	}
	add("fine", there, false)
	add("root", "", false)
	add("gone", "/nowhere/gone", true)
	add("missing", "/nowhere/missing", false)
	add("same", "/nowhere/missing", false)
	add("file", file, false)
	add("url", "s3://bucket", false)
	for i := range 20 {
		add(fmt.Sprintf("z%02d", i), fmt.Sprintf("/nowhere/%d", i), false)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := Load(conf.File, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, warning := range c.Warnings {
		fmt.Fprintln(&told, warning)
	}
	for _, want := range []string{
		`has the account "missing", whose home /nowhere/missing is not there: make it, or name another`,
		`has the account "file", whose home ` + file + ` is no directory`,
		`has the account "url", whose home s3://bucket cannot be used`,
		`has 13 more accounts whose homes cannot be used`,
		conf.File + ":2: server.state",
	} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("nothing is said of %q in\n%s", want, told.String())
		}
	}
	for _, never := range []string{`"fine"`, `"root"`, `"gone"`, `"same"`} {
		if strings.Contains(told.String(), never) {
			t.Errorf("%s is told of in\n%s", never, told.String())
		}
	}
	if n := strings.Count(told.String(), "\n"); n != mostTold+1 {
		t.Errorf("%d lines", n)
	}
}
