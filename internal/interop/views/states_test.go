package views

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ferry/internal/sftpwire"
)

// half is how far alice's upload of /d/x has come, in every state with one.
const half = "half"

// uploading is what there is of an upload.
type uploading int

const (
	none    uploading = iota
	kept              // it broke
	open              // another session writes it
	own               // this very session writes it; over FTP it can ask for nothing meanwhile
	foreign           // another user's session writes it
	left              // another user's broke
)

func (u uploading) String() string {
	return []string{"no upload", "a broken upload", "an upload in another session", "an upload in this session",
		"another user's upload", "another user's broken upload"}[u]
}

// sees is what a user sees of /d/x: "" is nothing.
type sees struct {
	// size is what the looks mean that ask how far an upload has come: SIZE and STAT.
	size string
	// lists is what all others mean that only look: MLST, MLSD, LIST, NLST, MDTM,
	// LSTAT and READDIR.
	lists string
	// reads is what those mean that read: RETR, HASH, READ and check-file.
	reads string
}

// expected is the design: what stands under a name is what every look and every reading
// means; where nothing stands, its user's unfinished upload is what SIZE and STAT mean.
// The session that writes it sees its own file, and it is published by who reads it.
func expected(u uploading, stands string) sees {
	s := sees{stands, stands, stands}
	switch {
	case u == own && stands != "":
		s = sees{half, half, half}
	case u == own:
		s = sees{half, "", half}
	case stands == "" && (u == kept || u == open):
		s.size = half
	}
	return s
}

// TestViewsAgree: all views of a name that one user has agree with each other, and with
// the design, over both protocols, in every state that a name can be in.
func TestViewsAgree(t *testing.T) {
	for kind, files := range storages() {
		for _, uploader := range []string{"ftp", "sftp"} {
			t.Run(kind+"/"+uploader, func(t *testing.T) {
				for _, stands := range []string{"", old} {
					for u := none; u <= left; u++ {
						if u == own && uploader == "ftp" {
							continue
						}
						var wrong []string
						synctest.Test(t, func(t *testing.T) {
							w := newWorld(t, files(t))
							defer w.end()
							wrong = w.viewed(uploader, "alice", u, stands, expected(u, stands))
						})
						for _, what := range wrong {
							t.Error(what)
						}
					}
				}
			})
		}
	}
}

// TestViewsOfWhoMayNotSee: to who may upload and neither list nor read, nothing shows but
// its own unfinished upload, whatever stands there.
func TestViewsOfWhoMayNotSee(t *testing.T) {
	for kind, files := range storages() {
		for _, uploader := range []string{"ftp", "sftp"} {
			for _, stands := range []string{"", old} {
				for _, u := range []uploading{none, kept, open} {
					var wrong []string
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, files(t))
						defer w.end()
						var want sees
						if u != none {
							want.size = half
						}
						wrong = w.viewed(uploader, dropper, u, stands, want)
					})
					for _, what := range wrong {
						t.Errorf("%s, %s: %s", kind, uploader, what)
					}
				}
			}
		}
	}
}

// TestViewsOfPartial: by LSTAT WinSCP asks how far its upload has come, under a name of
// its own.
func TestViewsOfPartial(t *testing.T) {
	for kind, files := range storages() {
		for _, broken := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, files(t))
				defer w.end()
				up := w.sftp("alice")
				up.begin("/x.filepart", half)
				if broken {
					up.leave()
				}
				again := w.sftp("alice")
				stat, lstat := again.size(&sftpwire.Stat{Name: "/x.filepart"}), again.size(&sftpwire.Lstat{Name: "/x.filepart"})
				if stat != "4" || lstat != "4" {
					t.Errorf("%s, broken %t: STAT says %s, LSTAT %s", kind, broken, stat, lstat)
				}
			})
		}
	}
}

// viewed brings /d/x into a state and looks at it in every way. It says what is wrong.
func (w *world) viewed(uploader, user string, u uploading, stands string, want sees) []string {
	w.mkdir("/d")
	if stands != "" {
		w.put("/d/x", stands)
	}
	who := user
	if u == foreign || u == left {
		who = "bob"
	}
	var up session
	if u != none {
		up = w.sessionOf(uploader, who)
		up.begin("/d/x", half)
	}
	if u == kept || u == left {
		up.leave()
	}
	state := fmt.Sprintf("%s, and %q stands there", u, stands)
	if u == own {
		return compare(state+", its session", up.(*sftp).views(), want, true)
	}
	return append(compare(state+", FTP", w.ftp(user).views(), want, false),
		compare(state+", SFTP", w.sftp(user).views(), want, false)...)
}

// view is what one way of looking shows: a size, or content, or that there is something.
type view struct {
	name string
	kind viewKind
	got  string
}

type viewKind int

const (
	asks  viewKind = iota // how far an upload has come
	looks                 // what stands there
	reads                 // its content
)

// compare says which views are wrong. In the session that writes the file LSTAT looks as STAT
// does: it is how mounts ask for a file that they have just made.
func compare(state string, views []view, want sees, itself bool) (wrong []string) {
	for _, v := range views {
		content := []string{want.size, want.lists, want.reads}[v.kind]
		if itself && v.name == "LSTAT" {
			content = want.size
		}
		expected := map[string]string{
			"RETR": content, "READ": content, "MDTM": "there", "MLST": fmt.Sprint(len(content)), "NLST": "there",
			"HASH": fmt.Sprintf("%x", sha256.Sum256([]byte(content))), "check-file": fmt.Sprintf("%x", md5.Sum([]byte(content))),
		}[v.name]
		if expected == "" {
			expected = fmt.Sprint(len(content))
		}
		if content == "" {
			expected = "-"
		}
		if v.got != expected {
			wrong = append(wrong, fmt.Sprintf("%s: %s shows %q, want %q", state, v.name, v.got, expected))
		}
	}
	return wrong
}

func (c *ftp) views() []view {
	facts := func(text string) string {
		_, rest, _ := strings.Cut(strings.ToLower(text), "size=")
		size, _, _ := strings.Cut(rest, ";")
		return size
	}
	answer := func(line, code string, of func(text string) string) string {
		text := c.ask(line)
		if !strings.HasPrefix(text, code) {
			return "-"
		}
		return of(text)
	}
	there := func(string) string { return "there" }
	last := func(text string) string { words := strings.Fields(text); return words[len(words)-1] }
	listed := func(line string) string {
		words := strings.Fields(c.lists(line))
		return words[len(words)-1]
	}
	_, content := c.fetch("RETR /d/x")
	if content == "" {
		content = "-"
	}
	named := "-"
	if _, text := c.fetch("NLST /d"); strings.Contains(text, "x\r\n") {
		named = "there"
	}
	return []view{
		{"SIZE", asks, answer("SIZE /d/x", "213", last)},
		{"MLST", looks, answer("MLST /d/x", "250", facts)},
		{"MDTM", looks, answer("MDTM /d/x", "213", there)},
		{"MLSD", looks, listed("MLSD /d")},
		{"LIST", looks, listed("LIST /d")},
		{"LIST of it", looks, listed("LIST /d/x")},
		{"NLST", looks, named},
		{"HASH", reads, answer("HASH /d/x", "213", func(text string) string { return strings.Fields(text)[3] })},
		{"RETR", reads, content},
	}
}

func (c *sftp) views() []view {
	size := func(r sftpwire.Request) string {
		if a, ok := c.Ask(r).(*sftpwire.AttrsReply); ok {
			return fmt.Sprint(a.Attrs.Size)
		}
		return "-"
	}
	views := []view{
		{"READDIR", looks, strings.TrimPrefix(c.lists("/d"), "x ")},
		{"STAT", asks, size(&sftpwire.Stat{Name: "/d/x"})},
		{"LSTAT", looks, size(&sftpwire.Lstat{Name: "/d/x"})},
	}
	sum := "-"
	if e, ok := c.Ask(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/d/x", Algorithms: []string{"md5"}}).(*sftpwire.ExtendedReply); ok {
		var check sftpwire.CheckReply
		if err := e.Parse(&check); err != nil {
			c.w.Error(err)
		}
		sum = fmt.Sprintf("%x", check.Hashes)
	}
	content := "-"
	if h, ok := c.Ask(&sftpwire.Open{Name: "/d/x", Flags: sftpwire.OpenRead}).(*sftpwire.Handle); ok {
		content = c.ReadAt(h.Handle, 0, 100)
	}
	return slices.Concat(views, []view{{"check-file", reads, sum}, {"READ", reads, content}})
}
