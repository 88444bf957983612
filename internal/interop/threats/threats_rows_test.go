package threats

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// covered are the rows of the page of threats that concern what is built.
func covered() []int {
	return []int{2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37}
}

// TestEveryThreatHasATest: a test of a threat names its number, as in
// TestThreat19GlobIsLinear or "threat 19". A number without one is a promise
// that nobody keeps.
func TestEveryThreatHasATest(t *testing.T) {
	t.Parallel()
	named := map[int]bool{}
	number := regexp.MustCompile(`(?i)threats?[ _]?([0-9]+)(?:And([0-9]+))?`)
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".txtar") || filepath.Base(path) == "threats_rows_test.go" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range number.FindAllStringSubmatch(string(content), -1) {
			for _, digits := range match[1:] {
				if n, err := strconv.Atoi(digits); err == nil {
					named[n] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range covered() {
		if !named[n] {
			t.Errorf("no test names threat %d", n)
		}
	}
}
