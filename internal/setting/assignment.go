package setting

import (
	"fmt"
	"slices"
	"strings"
)

// Assignment is "LEFT=RIGHT" in a list: what the right side is for the left.
type Assignment struct{ Left, Right string }

// assignments is several of them, each left side once. clean brings one into
// the form that is kept; its error completes "KEY must ...".
type assignments struct {
	at      *[]Assignment
	example string
	clean   func(Assignment) (Assignment, error)
}

// Assignments is a setting of several of them. example is one, for people; clean brings
// each into the form that is kept.
func Assignments(at *[]Assignment, example string, clean func(Assignment) (Assignment, error)) Value {
	return assignments{at, example, clean}
}

func (a assignments) Set(v any) error {
	var seen []string
	return Fill(a.at, v, func(item string) (Assignment, error) {
		left, right, ok := strings.Cut(item, "=")
		if !ok || left == "" || right == "" {
			return Assignment{}, fmt.Errorf("must hold lines such as %q, not %q", a.example, item)
		}
		one, err := a.clean(Assignment{left, right})
		if err == nil && slices.Contains(seen, one.Left) {
			err = fmt.Errorf("must say one thing of %s, not two", one.Left)
		}
		seen = append(seen, one.Left)
		return one, err
	})
}

func (a assignments) Toml() string {
	var items []string
	for _, one := range *a.at {
		items = append(items, one.Left+"="+one.Right)
	}
	return QuoteList(items)
}

func (a assignments) Kind() string { return "list of assignments" }

// Assigned is what all says of left; "": nothing.
func Assigned(all []Assignment, left string) string {
	for _, one := range all {
		if one.Left == left {
			return one.Right
		}
	}
	return ""
}
