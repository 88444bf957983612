package opensshlog

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/mem"
)

// TestDiary: `ferry sftp-server` logs what OpenSSH's does, in its words, and
// looks after the directories that uploads went to.
func TestDiary(t *testing.T) {
	var log strings.Builder
	d := Watch(mem.New(mem.Config{}).For(ferry.User{Name: "alice"}),
		slog.New(newLines(slog.LevelInfo, func(l line) { log.WriteString(l.text + "\n") })))
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.Mkdir(ctx, "/in", new(fs.FileMode(0o750))))
	h, err := d.Open(ctx, "/in/a\nb", ferry.OpenOptions{Mode: ferry.Replace, Perm: new(fs.FileMode(0o640))})
	must(err)
	_, err = h.WriteAt([]byte("hello"), 0)
	must(err)
	must(h.Commit())
	_ = h.Abort(errors.New("too late"))
	h, err = d.Open(ctx, "/in/a\nb", ferry.OpenOptions{Mode: ferry.Read})
	must(err)
	if n, err := h.ReadAt(make([]byte, 100), 0); n != 5 || err != io.EOF {
		t.Fatal(n, err)
	}
	must(h.Abort(nil))
	h, err = d.Open(ctx, "/broken", ferry.OpenOptions{Mode: ferry.Exclusive})
	must(err)
	must(h.Abort(io.ErrUnexpectedEOF))
	mode, size, when := fs.FileMode(0o600), int64(3), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	must(d.SetAttr(ctx, "/in/a\nb", ferry.Attr{Mode: &mode, Size: &size, ModTime: &when}))
	must(d.Rename(ctx, "/in/a\nb", "/c", false))
	must(d.Rename(ctx, "/c", "/d", true))
	must(d.Symlink(ctx, "d", "/l"))
	must(d.Link(ctx, "/d", "/e"))
	must(d.Remove(ctx, "/e"))
	for range d.List(ctx, "/", ferry.Full) {
	}
	must(d.Rmdir(ctx, "/in"))
	_ = d.Remove(ctx, "/missing")
	_, _ = d.Open(ctx, "/missing", ferry.OpenOptions{Mode: ferry.Update}) // only a question
	d.log.Debug("not at this level")
	d.log.With("user", "alice").Info("more", "name", "a\u202eb", "n", 1)

	const want = `mkdir name "/in" mode 0750
open "/in/a\nb" flags WRITE,CREATE,TRUNCATE mode 0640
close "/in/a\nb" bytes read 0 written 5
open "/in/a\nb" flags READ mode 0666
close "/in/a\nb" bytes read 5 written 0
open "/broken" flags WRITE,CREATE,EXCL mode 0666
forced close "/broken" bytes read 0 written 0
set "/in/a\nb" size 3 mode 0600 modtime 20260102-03:04:05
rename old "/in/a\nb" new "/c"
posix-rename old "/c" new "/d"
symlink old "d" new "/l"
hardlink old "/d" new "/e"
remove name "/e"
opendir "/"
closedir "/"
rmdir name "/in"
remove name "/missing": file does not exist
more name="a\u202eb" n=1 user=alice
`
	if log.String() != want {
		t.Errorf("the log is\n%s\nwant\n%s", log.String(), want)
	}
	var swept []string
	d.Sweep(func(_ context.Context, name ferry.Name) error { swept = append(swept, string(name)); return nil })
	slices.Sort(swept)
	if !slices.Equal(swept, []string{"/", "/in"}) {
		t.Errorf("swept: %q", swept)
	}
}
