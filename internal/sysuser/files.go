package sysuser

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// maxLine is the longest line that is read, in bytes: a group may have many members.
const maxLine = 1 << 20

// file is a file of lines that is parsed again when it has changed.
type file[T any] struct {
	path  string
	parse func(lines []string) T

	mu   sync.Mutex
	seen os.FileInfo // when it was parsed; nil: never
	what T
}

// unchanged tells whether a file is as it was; nil is one that is not there.
func unchanged(was, now os.FileInfo) bool {
	if was == nil || now == nil {
		return was == nil && now == nil
	}
	return was.Size() == now.Size() && was.ModTime().Equal(now.ModTime()) && os.SameFile(was, now)
}

// get is what the file says now. One that is not there says nothing; the error then
// matches fs.ErrNotExist.
func (f *file[T]) get() (T, error) {
	var nothing T
	info, err := os.Stat(f.path)
	if err != nil {
		return nothing, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen != nil && unchanged(f.seen, info) {
		return f.what, nil
	}
	lines, err := readLines(f.path)
	if err != nil {
		return nothing, err
	}
	f.what = f.parse(lines)
	f.seen = info
	return f.what, nil
}

// readLines are the lines of a file that say something: no comments, nothing empty.
func readLines(path string) ([]string, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var lines []string
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	for in.Scan() {
		if line := in.Text(); strings.TrimSpace(line) != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines, in.Err()
}

// words are the first words of lines, as a set: ftpusers(5) and shells(5).
func words(lines []string) map[string]bool {
	all := make(map[string]bool, len(lines))
	for _, line := range lines {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "#")
		all[strings.TrimSpace(word)] = true
	}
	delete(all, "")
	return all
}

// orNothing is what a file says that need not be there.
func orNothing[T any](what T, err error) (T, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return what, nil
	}
	return what, err
}
