package sftpserver

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
	"path"
	"strings"

	"ferry"
	"ferry/internal/gate"
	"ferry/internal/sftpwire"
)

// commandFor is what an exec request runs; nil: it is refused. There is no
// shell and no process: what clients probe a server with is answered from the
// session's files.
func (c *client) commandFor(line string) program {
	words, err := splitWords(line)
	if err != nil || len(words) == 0 {
		c.log.Info("command refused", "command", clip(line))
		return nil
	}
	args := words[1:]
	switch name := words[0].text; name {
	case "scp":
		return c.scp(args)
	case "md5sum", "sha1sum", "sha256sum", "sha384sum", "sha512sum":
		return c.command(name, args, (*command).sum)
	case "df":
		return c.command(name, args, (*command).df)
	case "echo":
		return c.command(name, args, (*command).echo)
	case "cd":
		return c.command(name, args, (*command).cd)
	case "pwd":
		return c.command(name, args, (*command).pwd)
	case "true":
		return func(context.Context, *gate.Session, *stream) uint32 { return 0 }
	default:
		if path.Base(name) == "sftp-server" && len(args) == 0 {
			return c.sftp // how clients ask that do not know subsystems
		}
	}
	c.log.Info("command refused", "command", clip(line))
	return nil
}

// clip is as much of a command as is worth a line in the log.
func clip(line string) string { return line[:min(len(line), 200)] }

// command is one of the small commands that runs.
type command struct {
	name   string
	args   []string // without options
	flags  string   // letters of the options
	ctx    context.Context
	client *client
	fs     ferry.FS
	*stream
}

// command makes a program of one of command's methods. Options are one letter
// each, behind one dash; "--" ends them.
func (c *client) command(name string, words []word, run func(*command) error) program {
	return func(_ context.Context, sess *gate.Session, s *stream) uint32 {
		k := &command{name: name, ctx: c.here, client: c, fs: sess.FS(), stream: s}
		options := true
		for _, w := range words {
			switch {
			case options && w.text == "--":
				options = false
			case options && len(w.text) > 1 && w.text[0] == '-':
				k.flags += w.text[1:]
			default:
				k.args = append(k.args, w.text)
			}
		}
		if err := run(k); err != nil {
			s.say(fmt.Sprintf("%s: %s\n", name, err))
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
func said(arg string, err error) error { return fmt.Errorf("%s: %s", arg, spoken(err)) }

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
			k.say(fmt.Sprintf("%s: %s\n", k.name, said(arg, err)))
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

func (k *command) digest(arg string) ([]byte, error) {
	h := hashOf(k.name)
	if arg == "-" {
		_, err := io.Copy(h, k)
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
	if err := k.client.copyFrom(k.ctx, h, f, -1); err != nil {
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
func (c *client) copyFrom(ctx context.Context, w io.Writer, f ferry.Handle, n int64) error {
	room := c.srv.buffers.get(sftpwire.MaxPacket)
	defer c.srv.buffers.put(room)
	for off := int64(0); n < 0 || off < n; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := room.b
		if n >= 0 {
			part = part[:min(int64(len(part)), n-off)]
		}
		got, err := f.ReadAt(part, off)
		off += int64(got)
		c.touch()
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
