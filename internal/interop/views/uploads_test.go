package views

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// verb is something that a session does to the name /d/x while another one uploads it.
type verb struct {
	name string
	ftp  func(c *ftp) string
	sftp func(c *sftp) string
	cells
}

// cells are what comes of it: where only the upload of another session of the same user
// is, where it is to replace a file, and where the session is another user's.
type cells struct{ alone, over, foreign, foreignOver string }

// old is what stands there in two of the cells: longer than what the upload begins with.
const old = "0123456789"

func verbs() []verb {
	line := func(format string) func(c *ftp) string {
		return func(c *ftp) string { return codes(c.ask(format)) }
	}
	lines := func(all ...string) func(c *ftp) string {
		return func(c *ftp) string {
			var answers []string
			for _, l := range all {
				answers = append(answers, codes(c.ask(l)))
			}
			return strings.Join(answers, " ")
		}
	}
	request := func(r sftpwire.Request) func(c *sftp) string {
		return func(c *sftp) string { return c.code(r) }
	}
	open := func(flags sftpwire.OpenFlags) func(c *sftp) string {
		return func(c *sftp) string { return c.edit(flags) }
	}
	mode, size := sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o600}, sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 2}
	return []verb{
		{name: "RETR", ftp: func(c *ftp) string { answer, got := c.fetch("RETR /d/x"); return strings.TrimSpace(answer + " " + got) },
			cells: cells{"550", "150 226 0123456789", "550", "150 226 0123456789"}},
		{name: "STOR", ftp: func(c *ftp) string { return c.store("STOR /d/x", "theirs") },
			cells: cells{"waits, then 150 226 -> yes: /d/x=theirs /f=file", "waits, then 150 226 -> yes: /d/x=theirs /f=file", "150 226", "150 226"}},
		{name: "APPE", ftp: func(c *ftp) string { return c.store("APPE /d/x", "theirs") },
			cells: cells{"waits, then 150 226 -> yes: /d/x=half wholetheirs /f=file", "waits, then 150 226 -> yes: /d/x=half wholetheirs /f=file", "150 226", "150 226"}},
		{name: "REST+STOR", ftp: func(c *ftp) string { c.ask("REST 4"); return c.store("STOR /d/x", "theirs") },
			cells: cells{"waits, then 150 226 -> yes: /d/x=halftheirs /f=file", "waits, then 150 226 -> yes: /d/x=halftheirs /f=file", "554", "150 226"}},
		{name: "STOU", ftp: func(c *ftp) string { return c.store("STOU /d/x", "theirs") },
			cells: cells{"150 226 -> yes: /d/x.1=theirs /d/x=half whole /f=file", "150 226 -> yes: /d/x.1=theirs /d/x=half whole /f=file", "150 226", "150 226 -> yes: /d/x.1=theirs /d/x=half whole /f=file"}},
		{name: "SIZE", ftp: func(c *ftp) string { return strings.TrimSpace(c.ask("SIZE /d/x")) },
			cells: cells{"213 4", "213 10", "550 No such file or directory.", "213 10"}},
		{name: "MDTM", ftp: line("MDTM /d/x"),
			cells: cells{"550", "213", "550", "213"}},
		{name: "MLST", ftp: line("MLST /d/x"),
			cells: cells{"550", "250", "550", "250"}},
		{name: "MLSD", ftp: func(c *ftp) string { return c.lists("MLSD /d") },
			cells: cells{"150 226 -", "150 226 x 10", "150 226 -", "150 226 x 10"}},
		{name: "LIST", ftp: func(c *ftp) string { return c.lists("LIST /d") },
			cells: cells{"150 226 -", "150 226 x 10", "150 226 -", "150 226 x 10"}},
		{name: "HASH", ftp: line("HASH /d/x"),
			cells: cells{"550", "213", "550", "213"}},
		{name: "DELE", ftp: line("DELE /d/x"),
			cells: cells{"250 -> no: /f=file", "250 -> no: /f=file", "550", "250"}},
		{name: "RNFR+RNTO from it", ftp: lines("RNFR /d/x", "RNTO /y"),
			cells: cells{"350 250 -> yes: /f=file /y=half whole", "350 250 -> yes: /d/x=half whole /f=file /y=0123456789", "550 503", "350 250 -> yes: /d/x=half whole /f=file /y=0123456789"}},
		{name: "RNFR+RNTO onto it", ftp: lines("RNFR /f", "RNTO /d/x"),
			cells: cells{"350 250 -> no: /d/x=file", "350 250 -> no: /d/x=file", "350 250 -> yes: /d/x=half whole", "350 250 -> yes: /d/x=half whole"}},
		{name: "MKD", ftp: line("MKD /d/x"),
			cells: cells{"257 -> no: /d/x/ /f=file", "550", "257 -> no: /d/x/ /f=file", "550"}},
		{name: "RMD of its directory", ftp: line("RMD /d"),
			cells: cells{"250 -> no: /f=file", "550", "450", "550"}},
		{name: "SITE CHMOD", ftp: line("SITE CHMOD 600 /d/x"),
			cells: cells{"200", "200", "550", "200"}},
		{name: "MFMT", ftp: line("MFMT 20010203040506 /d/x"),
			cells: cells{"213", "213", "550", "213"}},
		{name: "MFF", ftp: line("MFF UNIX.mode=600; /d/x"),
			cells: cells{"213", "213", "550", "213"}},
		{name: "COMB into it", ftp: line("COMB /d/x /f"),
			cells: cells{"450", "450", "250 -> yes: /d/x=half whole", "250 -> yes: /d/x=half whole"}},
		{name: "COMB of it", ftp: line("COMB /f /d/x"),
			cells: cells{"550", "250 -> yes: /d/x=half whole /f=file0123456789", "550", "250 -> yes: /d/x=half whole /f=file0123456789"}},
		{name: "SITE COPY of it", ftp: line("SITE COPY /d/x /y"),
			cells: cells{"550", "250 -> yes: /d/x=half whole /f=file /y=0123456789", "550", "250 -> yes: /d/x=half whole /f=file /y=0123456789"}},
		{name: "SITE COPY to it", ftp: line("SITE COPY /f /d/x"),
			cells: cells{"450", "450", "250", "250"}},
		{name: "SITE SYMLINK", ftp: line("SITE SYMLINK f /d/x"),
			cells: cells{"200", "550", "200", "550"}},

		{name: "OPEN read", sftp: open(sftptest.Rd),
			cells: cells{"No such file", "0123456789", "No such file", "0123456789"}},
		{name: "OPEN write", sftp: open(sftptest.Wr),
			cells: cells{"waits, then Success, Success -> yes: /d/x=theirshole /f=file", "Success, Success", "No such file", "Success, Success"}},
		{name: "OPEN read write", sftp: open(sftptest.Rd | sftptest.Wr),
			cells: cells{"waits, then Success, Success -> yes: /d/x=theirshole /f=file", "Success, Success", "No such file", "Success, Success"}},
		{name: "OPEN write creat", sftp: open(sftptest.Wr | sftptest.Creat),
			cells: cells{"waits, then Success, Success -> yes: /d/x=theirshole /f=file", "waits, then Success, Success -> yes: /d/x=theirshole /f=file", "Success, Success", "Success, Success"}},
		{name: "OPEN write creat trunc", sftp: open(sftptest.Wr | sftptest.Creat | sftptest.Trunc),
			cells: cells{"waits, then Success, Success -> yes: /d/x=theirs /f=file", "waits, then Success, Success -> yes: /d/x=theirs /f=file", "Success, Success", "Success, Success"}},
		{name: "OPEN write creat excl", sftp: open(sftptest.Wr | sftptest.Creat | sftptest.Excl),
			cells: cells{"waits, then Failure", "Failure", "Success, Success", "Failure"}},
		{name: "OPEN write creat append", sftp: open(sftptest.Wr | sftptest.Creat | sftptest.App),
			cells: cells{"waits, then Success, Success -> yes: /d/x=half wholetheirs /f=file", "waits, then Success, Success -> yes: /d/x=half wholetheirs /f=file", "Success, Success", "Success, Success"}},
		{name: "STAT", sftp: func(c *sftp) string { return c.size(&sftpwire.Stat{Name: "/d/x"}) },
			cells: cells{"4", "10", "No such file", "10"}},
		{name: "LSTAT", sftp: func(c *sftp) string { return c.size(&sftpwire.Lstat{Name: "/d/x"}) },
			cells: cells{"No such file", "10", "No such file", "10"}},
		{name: "SETSTAT mode", sftp: request(&sftpwire.Setstat{Name: "/d/x", Attrs: mode}),
			cells: cells{"Success", "Success", "No such file", "Success"}},
		{name: "SETSTAT size", sftp: request(&sftpwire.Setstat{Name: "/d/x", Attrs: size}),
			cells: cells{"Success -> yes: /d/x=ha\x00\x00 whole /f=file", "Success", "No such file", "Success"}},
		{name: "lsetstat", sftp: request(&sftpwire.Lsetstat{Name: "/d/x", Attrs: mode}),
			cells: cells{"Success", "Success", "No such file", "Success"}},
		{name: "REMOVE", sftp: request(&sftpwire.Remove{Name: "/d/x"}),
			cells: cells{"Success -> no: /f=file", "Success -> no: /f=file", "No such file", "Success"}},
		{name: "RENAME from it", sftp: request(&sftpwire.Rename{From: "/d/x", To: "/y"}),
			cells: cells{"Success -> yes: /f=file /y=half whole", "Success -> yes: /d/x=half whole /f=file /y=0123456789", "No such file", "Success -> yes: /d/x=half whole /f=file /y=0123456789"}},
		{name: "RENAME onto it", sftp: request(&sftpwire.Rename{From: "/f", To: "/d/x"}),
			cells: cells{"Success -> no: /d/x=file", "Failure", "Success -> yes: /d/x=half whole", "Failure"}},
		{name: "posix-rename from it", sftp: request(&sftpwire.PosixRename{From: "/d/x", To: "/f"}),
			cells: cells{"Success -> yes: /f=half whole", "Success -> yes: /d/x=half whole /f=0123456789", "No such file", "Success -> yes: /d/x=half whole /f=0123456789"}},
		{name: "posix-rename onto it", sftp: request(&sftpwire.PosixRename{From: "/f", To: "/d/x"}),
			cells: cells{"Success -> no: /d/x=file", "Success -> no: /d/x=file", "Success -> yes: /d/x=half whole", "Success -> yes: /d/x=half whole"}},
		{name: "MKDIR", sftp: request(&sftpwire.Mkdir{Name: "/d/x"}),
			cells: cells{"Success -> no: /d/x/ /f=file", "Failure", "Success -> no: /d/x/ /f=file", "Failure"}},
		{name: "RMDIR of its directory", sftp: request(&sftpwire.Rmdir{Name: "/d"}),
			cells: cells{"Success -> no: /f=file", "Failure", "Failure", "Failure"}},
		{name: "READDIR", sftp: func(c *sftp) string { return c.lists("/d") },
			cells: cells{"-", "x 10", "-", "x 10"}},
		{name: "hardlink of it", sftp: request(&sftpwire.Hardlink{From: "/d/x", To: "/y"}),
			cells: cells{"No such file", "Success -> yes: /d/x=half whole /f=file /y=0123456789", "No such file", "Success -> yes: /d/x=half whole /f=file /y=0123456789"}},
		{name: "hardlink to it", sftp: request(&sftpwire.Hardlink{From: "/f", To: "/d/x"}),
			cells: cells{"Success", "Failure", "Success", "Failure"}},
		{name: "SYMLINK", sftp: request(&sftpwire.Symlink{Target: "f", Name: "/d/x"}),
			cells: cells{"Success", "Failure", "Success", "Failure"}},
		{name: "check-file", sftp: request(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/d/x", Algorithms: []string{"md5"}}),
			cells: cells{"No such file", "Success", "No such file", "Success"}},
		{name: "copy-file of it", sftp: request(&sftpwire.CopyFile{From: "/d/x", To: "/y"}),
			cells: cells{"No such file", "Success -> yes: /d/x=half whole /f=file /y=0123456789", "No such file", "Success -> yes: /d/x=half whole /f=file /y=0123456789"}},
		{name: "copy-file to it", sftp: request(&sftpwire.CopyFile{From: "/f", To: "/d/x"}),
			cells: cells{"Failure", "Failure", "Success", "Failure"}},
		{name: "copy-file over it", sftp: request(&sftpwire.CopyFile{From: "/f", To: "/d/x", Overwrite: true}),
			cells: cells{"Failure", "Failure", "Success", "Success"}},
	}
}

// lists gives the code, and whether x is in the listing, and with which size.
func (c *ftp) lists(line string) string {
	answer, text := c.fetch(line)
	for entry := range strings.Lines(text) {
		words := strings.FieldsFunc(entry, func(r rune) bool { return strings.ContainsRune(" ;=\r\n", r) })
		if words[len(words)-1] != "x" {
			continue
		}
		if i := slices.Index(words, "size"); i >= 0 { // of MLSD
			return answer + " x " + words[i+1]
		}
		return answer + " x " + words[4]
	}
	return answer + " -"
}

func (c *sftp) lists(dir string) string {
	h, ok := c.Ask(&sftpwire.Opendir{Name: dir}).(*sftpwire.Handle)
	if !ok {
		return "-"
	}
	c.code(&sftpwire.Close{Handle: h.Handle})
	for _, e := range c.List(dir) {
		if e.Name == "x" {
			return fmt.Sprint("x ", e.Attrs.Size)
		}
	}
	return "-"
}

// size gives the size, or the status.
func (c *sftp) size(r sftpwire.Request) string {
	reply := c.Ask(r)
	if a, ok := reply.(*sftpwire.AttrsReply); ok {
		return fmt.Sprint(a.Attrs.Size)
	}
	return codeOf(reply)
}

// edit opens /d/x, writes "theirs" at its beginning or its end and closes it; or reads
// it.
func (c *sftp) edit(flags sftpwire.OpenFlags) string {
	return c.answer(&sftpwire.Open{Name: "/d/x", Flags: flags}, func(r sftpwire.Reply) string {
		h, ok := r.(*sftpwire.Handle)
		switch {
		case !ok:
			return codeOf(r)
		case flags&sftptest.Wr == 0:
			defer c.code(&sftpwire.Close{Handle: h.Handle})
			return c.ReadAt(h.Handle, 0, 100)
		}
		return c.answer(&sftpwire.Write{Handle: h.Handle, Data: []byte("theirs")}, func(r sftpwire.Reply) string {
			return codeOf(r) + ", " + c.code(&sftpwire.Close{Handle: h.Handle})
		})
	})
}

// answer asks and goes on with the answer. Where there is none yet that "waits", and
// world.late goes on.
func (c *sftp) answer(r sftpwire.Request, goOn func(sftpwire.Reply) string) string {
	id := c.Send(r)
	synctest.Wait()
	c.Mu.Lock()
	answered := slices.Contains(c.Order, id)
	c.Mu.Unlock()
	if answered {
		return goOn(c.Wait(id))
	}
	c.w.late = func() string { return goOn(c.Wait(id)) }
	return "waits"
}

// TestUploadOfAnotherSession: what every verb does about a name that another session
// uploads, and what becomes of the upload. ARCHITECTURE.md has it as a table.
func TestUploadOfAnotherSession(t *testing.T) {
	for kind, files := range storages() {
		for _, uploader := range []string{"ftp", "sftp"} {
			t.Run(kind+"/"+uploader, func(t *testing.T) {
				for _, v := range verbs() {
					got := cells{
						meanwhile(t, files, uploader, v, "alice", false), meanwhile(t, files, uploader, v, "alice", true),
						meanwhile(t, files, uploader, v, "bob", false), meanwhile(t, files, uploader, v, "bob", true),
					}
					if got != v.cells {
						t.Errorf("%s:\n got %q\nwant %q", v.name, got, v.cells)
					}
				}
			})
		}
	}
}

// meanwhile lets a session of alice begin to upload /d/x, another one of user do what
// the verb says, and the first go on. It gives what the second was answered, before the
// first has ended and then; and, where the first did not publish its file with nothing else changed, whether it was told of
// success, and what is there in the end.
func meanwhile(t *testing.T, files func(*testing.T) storage, uploader string, v verb, user string, stands bool) (cell string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, files(t))
		defer w.end()
		w.mkdir("/d")
		w.put("/f", "file")
		if stands {
			w.put("/d/x", old)
		}
		up := w.sessionOf(uploader, "alice")
		up.begin("/d/x", "half")
		if v.ftp != nil {
			cell = v.ftp(w.ftp(user))
		} else {
			cell = v.sftp(w.sftp(user))
		}
		up.more(" whole")
		published := up.finish()
		if w.late != nil {
			cell += ", then " + w.late()
		}
		tree := w.tree()
		switch {
		case !published:
			cell += " -> no: " + tree
		case tree != "/d/x=half whole /f=file":
			cell += " -> yes: " + tree
		}
	})
	return cell
}
