package readme

import (
	"slices"
	"testing"
)

func TestBlocks(t *testing.T) {
	page := "Text\n" + // 1
		"\n" +
		"    ls -l    # set in\n" + // 3
		"\n" +
		"    pwd\n" +
		"\n" +
		"<!-- not run by a test: a drawing -->\n" +
		"\n" +
		"```\n" +
		"a -> b\n" + // 10
		"```\n" +
		"- a list\n" +
		"    that goes on\n" +
		"\n" +
		"<!-- not run by a test: of the paragraph below -->\n" +
		"Text between takes the comment away.\n" +
		"\n" +
		"    $ echo a\n" + // 18
		"    a\n" +
		"\n" +
		"    $ true\n"
	want := []block{
		{3, "", "ls -l    # set in\n\npwd\n\n"},
		{10, "a drawing", "a -> b\n"},
		{18, "", "$ echo a\na\n\n$ true\n\n"},
	}
	got := blocksIn(page)
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if steps := got[0].transcript(); steps != nil {
		t.Errorf("no transcript, and taken for one: %+v", steps)
	}
	if steps := got[2].transcript(); len(steps) != 2 || steps[0].command != "echo a" || !slices.Equal(steps[0].want, []string{"a"}) || steps[1].command != "true" || steps[1].want != nil {
		t.Errorf("%+v", steps)
	}
}
