package sshexec

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"path"
	"strings"
	"sync"

	"ferry"
	"ferry/internal/digest"
)

// Stdio is what a program talks to: standard input and output, and for people.
type Stdio interface {
	io.ReadWriter
	// Say writes text to standard error.
	Say(text string)
	// Touch notes that the program is at work, though no byte of it moves.
	Touch()
}

// Call is what a program runs with.
type Call struct {
	// Ctx ends with the connection, Here before it, when the client has hung up, or
	// closed the channel: what nobody waits for any more is not to be found out or
	// sent. What the client has sent, it meant.
	Ctx, Here context.Context
	Files     ferry.FS
	// Hashes are where sums wait for their turns; nil: they do not wait. Share is whose
	// turns they are.
	Hashes *digest.Queue
	Share  string
	Stdio  Stdio
	Log    *slog.Logger
}

// Program is what an exec request runs. The result is its exit status.
type Program func(Call) uint32

// Commands are those that there are. The zero value is ready, and serves any
// number of clients.
type Commands struct {
	rooms sync.Pool // of *[copySize]byte
}

// copySize is how many bytes of a file are read at a time.
const copySize = 256 << 10

// For is the program that a command line runs; nil: it is refused. There is no
// shell and no process: what clients probe a server with is answered from the
// session's files. sftp tells that the line asks for the subsystem, as clients do
// that know none.
func (k *Commands) For(line string) (run Program, sftp bool) {
	words, err := splitWords(line)
	if err != nil || len(words) == 0 {
		return nil, false
	}
	args := words[1:]
	switch name := words[0].text; name {
	case "scp":
		return k.scp(args), false
	case "md5sum", "sha1sum", "sha256sum", "sha384sum", "sha512sum":
		return k.command(name, args, (*command).sum), false
	case "df":
		return k.command(name, args, (*command).df), false
	case "echo":
		return k.command(name, args, (*command).echo), false
	case "cd":
		return k.command(name, args, (*command).cd), false
	case "pwd":
		return k.command(name, args, (*command).pwd), false
	case "true":
		return func(Call) uint32 { return 0 }, false
	default:
		return nil, path.Base(name) == "sftp-server" && len(args) == 0
	}
}

// command is one of the small commands that runs.
type command struct {
	Stdio
	commands *Commands
	name     string
	args     []string // without options
	flags    string   // letters of the options
	ctx      context.Context
	fs       ferry.FS
	share    string
	hashes   *digest.Queue
}

// command makes a program of one of command's methods. Options are one letter
// each, behind one dash; "--" ends them.
func (k *Commands) command(name string, words []word, run func(*command) error) Program {
	return func(call Call) uint32 {
		c := &command{Stdio: call.Stdio, commands: k, name: name, ctx: call.Here, fs: call.Files, share: call.Share, hashes: call.Hashes}
		options := true
		for _, w := range words {
			switch {
			case options && w.text == "--":
				options = false
			case options && len(w.text) > 1 && w.text[0] == '-':
				c.flags += w.text[1:]
			default:
				c.args = append(c.args, w.text)
			}
		}
		if err := run(c); err != nil {
			c.Say(fmt.Sprintf("%s: %s\n", name, err))
			return 1
		}
		return 0
	}
}

// at is the clean name that an argument means.
func at(arg string) (ferry.Name, error) {
	if arg == "~" || strings.HasPrefix(arg, "~/") {
		arg = "/" + arg[1:]
	}
	return ferry.Clean("/", arg)
}

// said is err in the words that clients get, with the argument it is about.
func said(arg string, err error) error { return fmt.Errorf("%s: %s", arg, strerror(err)) }

func (k *command) echo() error {
	text := strings.Join(k.args, " ")
	if k.flags != "n" {
		text += "\n"
	}
	_, err := io.WriteString(k, text)
	return err
}

func (k *command) pwd() error {
	_, err := io.WriteString(k, "/\n")
	return err
}

// cd only says whether one could go there: the next command begins at the root
// again.
func (k *command) cd() error {
	for _, arg := range k.args {
		name, err := at(arg)
		if err != nil {
			return said(arg, err)
		}
		i, err := k.fs.Stat(k.ctx, name)
		if err == nil && !i.IsDir() {
			err = ferry.ErrNotDir
		}
		if err != nil {
			return said(arg, err)
		}
	}
	return nil
}

// df is that of POSIX with -k, the only unit there is.
func (k *command) df() error {
	if len(k.args) == 0 {
		k.args = []string{"/"}
	}
	text := fmt.Sprintf("%-14s %12s %12s %12s %4s %s\n", "Filesystem", "1K-blocks", "Used", "Available", "Use%", "Mounted on")
	for _, arg := range k.args {
		name, err := at(arg)
		if err != nil {
			return said(arg, err)
		}
		space, err := k.fs.Space(k.ctx, name)
		if err != nil {
			return said(arg, err)
		}
		used, percent := space.Total-space.Free, uint64(0)
		if space.Total > 0 {
			percent = (used>>10*100 + space.Total>>10 - 1) / max(space.Total>>10, 1)
		}
		text += fmt.Sprintf("%-14s %12d %12d %12d %3d%% %s\n", "ferry", space.Total>>10, used>>10, space.Available>>10, percent, "/")
	}
	_, err := io.WriteString(k, text)
	return err
}

// sum is md5sum and its sisters. Without a name, standard input is hashed: so
// rclone finds out which of them there are.
func (k *command) sum() error {
	if len(k.args) == 0 {
		k.args = []string{"-"}
	}
	failed := false
	for _, arg := range k.args {
		digest, err := k.digest(arg)
		if err != nil {
			failed = true
			k.Say(fmt.Sprintf("%s: %s\n", k.name, said(arg, err)))
			continue
		}
		if _, err := io.WriteString(k, sumLine(digest, arg)); err != nil {
			return err
		}
	}
	if failed {
		return errors.New("not every file could be read")
	}
	return nil
}

// sumLine is as GNU writes it, names with line ends and backslashes escaped.
func sumLine(digest []byte, name string) string {
	escaped := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(name)
	line := hex.EncodeToString(digest) + "  " + escaped + "\n"
	if escaped != name {
		return "\\" + line
	}
	return line
}

// inTurns hands what is written to sum, in turns with all others who want hashes.
type inTurns struct {
	*command
	sum hash.Hash
}

func (t inTurns) Write(p []byte) (int, error) {
	err := t.hashes.Turn(t.ctx, t.share, func() { _, _ = t.sum.Write(p) })
	return len(p), err
}

func (k *command) digest(arg string) ([]byte, error) {
	h := hashOf(k.name)
	if arg == "-" {
		_, err := io.Copy(inTurns{k, h}, k)
		return h.Sum(nil), err
	}
	name, err := at(arg)
	if err != nil {
		return nil, err
	}
	f, err := k.fs.Open(k.ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Abort(nil) }() // no download, so no event
	defer context.AfterFunc(k.ctx, func() { _ = f.Abort(nil) })()
	if err := k.commands.copyFrom(k.ctx, k, inTurns{k, h}, f, -1); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

func hashOf(command string) hash.Hash {
	switch command {
	case "md5sum":
		return md5.New()
	case "sha1sum":
		return sha1.New()
	case "sha384sum":
		return sha512.New384()
	case "sha512sum":
		return sha512.New()
	}
	return sha256.New()
}

// copyFrom writes the first n bytes of a file to w, or with n < 0 all. A file
// that is shorter is io.ErrUnexpectedEOF.
func (k *Commands) copyFrom(ctx context.Context, at Stdio, w io.Writer, f ferry.Handle, n int64) error {
	room := k.room()
	defer k.rooms.Put(room)
	for off := int64(0); n < 0 || off < n; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := room[:]
		if n >= 0 {
			part = part[:min(int64(len(part)), n-off)]
		}
		got, err := f.ReadAt(part, off)
		off += int64(got)
		at.Touch()
		if _, err := w.Write(part[:got]); err != nil {
			return err
		}
		switch {
		case err == io.EOF && n < 0:
			return nil
		case err == io.EOF && off < n:
			return io.ErrUnexpectedEOF
		case err != nil && err != io.EOF:
			return err
		}
	}
	return nil
}

// room is memory to copy with.
func (k *Commands) room() *[copySize]byte {
	if room, ok := k.rooms.Get().(*[copySize]byte); ok {
		return room
	}
	return new([copySize]byte)
}
