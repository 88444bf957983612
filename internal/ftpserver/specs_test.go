package ftpserver

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The list of commands in docs/specs.md is the table's.
func TestSpecsNameEveryCommand(t *testing.T) {
	text, err := os.ReadFile("../../docs/specs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, lists, _ := strings.Cut(string(text), "## The commands")
	lists, _, _ = strings.Cut(lists, "\n## ")
	named := map[string]bool{}
	for _, verb := range regexp.MustCompile(`\b[A-Z][A-Z0-9]{2,7}\b`).FindAllString(lists, -1) {
		named[verb] = true
	}
	table := commandTable()
	for verb := range table {
		if !named[verb] {
			t.Errorf("docs/specs.md does not list %s", verb)
		}
	}
	for verb := range named {
		if table[verb] == nil {
			t.Errorf("docs/specs.md lists %s, which the table has not", verb)
		}
	}
}
