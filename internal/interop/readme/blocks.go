// Package readme is tests only: what README.md and docs/ tell people to paste is
// pasted, in the order in which it stands there.
package readme

import (
	"regexp"
	"strings"
)

// block is a block of code of a Markdown file: lines that are set in by four spaces, or
// stand in a fence.
type block struct {
	line   int    // of the file, where it begins
	reason string // why it is not run; "": it is
	text   string
}

// blocksIn finds the blocks of a page. A comment before one,
//
//	<!-- not run by a test: REASON -->
//
// takes it out.
func blocksIn(page string) (all []block) {
	marker := regexp.MustCompile(`^<!-- not run by a test: (.+) -->$`)
	reason, fenced, open := "", false, false
	add := func(n int, line string) {
		if !open {
			all = append(all, block{line: n + 1, reason: reason})
		}
		open, reason = true, ""
		all[len(all)-1].text += line + "\n"
	}
	blank := true // the line before: one that is set in begins a block only after a blank one
	for n, line := range strings.Split(page, "\n") {
		in, indented := strings.CutPrefix(line, "    ")
		switch found := marker.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "```"):
			fenced, open = !fenced, false
		case fenced:
			add(n, line)
		case indented && (blank || open):
			add(n, in)
		case line == "" && open:
			all[len(all)-1].text += "\n"
		case line == "":
		case found != nil:
			reason, open = found[1], false
		default:
			reason, open = "", false
		}
		blank = line == ""
	}
	return all
}

// step is a command of a transcript, and what it must print.
type step struct {
	command string
	want    []string
}

// transcript takes a block apart in which commands stand behind "$ ", with what they
// print below them; nil: it is none.
func (b block) transcript() (steps []step) {
	for line := range strings.Lines(b.text) {
		line = strings.TrimRight(line, "\n")
		command, is := strings.CutPrefix(line, "$ ")
		switch {
		case is:
			steps = append(steps, step{command: command})
		case len(steps) == 0:
			return nil
		case line != "":
			last := &steps[len(steps)-1]
			last.want = append(last.want, line)
		}
	}
	return steps
}

// constant is a line without what is another one each time.
func constant(line string) string {
	for pattern, name := range map[string]string{
		`\b[a-z2-7]{26}\b`:                    "PASSWORD",
		`\b([0-9A-F]{2}:){31}[0-9A-F]{2}\b`:   "FINGERPRINT",
		`SHA256:[A-Za-z0-9+/]{43}`:            "FINGERPRINT",
		`\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b`: "DATE",
	} {
		line = regexp.MustCompile(pattern).ReplaceAllString(line, name)
	}
	return strings.TrimSpace(line)
}
