package opensshlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// FS is an FS that writes down what is done, in the words of OpenSSH's
// sftp-server: people search their logs for them, and so do programs.
type FS struct {
	ferry.FS
	*diary
}

// diary is what the views of one FS share.
type diary struct {
	log *slog.Logger

	mu      sync.Mutex
	touched map[ferry.Name]bool // directories where uploads began
}

func Watch(files ferry.FS, log *slog.Logger) *FS {
	return &FS{files, &diary{log: log, touched: map[ferry.Name]bool{}}}
}

// Straight writes into the same log.
func (d *FS) Straight() ferry.FS { return &FS{d.FS.Straight(), d.diary} }

// mostTouched bounds how many of them are remembered.
const mostTouched = 1000

// write writes a line, and gives err back, which it tells of.
func (d *FS) write(err error, format string, args ...any) error {
	if err != nil {
		format, args = format+": %v", append(args, ferry.WithoutPath(err))
	}
	d.log.Info(fmt.Sprintf(format, args...))
	return err
}

// List is noted when the directory is opened, which is with the first entry.
func (d *FS) List(ctx context.Context, dir ferry.Name, detail ferry.Detail) iter.Seq2[ferry.Info, error] {
	if detail == ferry.Names {
		return d.FS.List(ctx, dir, detail) // only asks whether it can be read
	}
	return func(yield func(ferry.Info, error) bool) {
		_ = d.write(nil, "opendir %q", dir)
		d.FS.List(ctx, dir, detail)(yield)
		_ = d.write(nil, "closedir %q", dir)
	}
}

func (d *FS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := d.FS.Open(ctx, name, o)
	if err != nil && errors.Is(err, fs.ErrNotExist) && o.Mode == ferry.Update {
		return nil, err // only asked whether it is there
	}
	_ = d.write(err, "open %q flags %s mode 0%o", name, flagsOf(o.Mode), permOr(o.Perm, 0o666))
	if err != nil {
		return nil, err
	}
	if o.Mode != ferry.Read && o.Mode != ferry.Update {
		d.touch(name.Dir())
	}
	return &handle{Handle: h, diary: d, name: name}, nil
}

// permOr is what was asked for, or what OpenSSH's server takes without.
func permOr(asked *fs.FileMode, otherwise fs.FileMode) fs.FileMode {
	if asked == nil {
		return otherwise
	}
	return asked.Perm()
}

// flagsOf are the words of OpenSSH for what a file is opened for.
func flagsOf(m ferry.Mode) string {
	switch m {
	case ferry.Read:
		return "READ"
	case ferry.Update, ferry.Revise:
		return "READ,WRITE"
	case ferry.Replace:
		return "WRITE,CREATE,TRUNCATE"
	case ferry.Exclusive:
		return "WRITE,CREATE,EXCL"
	}
	return "WRITE,CREATE"
}

func (d *FS) touch(dir ferry.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.touched) < mostTouched {
		d.touched[dir] = true
	}
}

func (d *FS) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	return d.write(d.FS.Mkdir(ctx, name, perm), "mkdir name %q mode 0%o", name, permOr(perm, 0o777))
}

func (d *FS) Remove(ctx context.Context, name ferry.Name) error {
	return d.write(d.FS.Remove(ctx, name), "remove name %q", name)
}

func (d *FS) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	return d.write(d.FS.RemoveUnchanged(ctx, name, was), "remove name %q", name)
}

func (d *FS) Rmdir(ctx context.Context, name ferry.Name) error {
	return d.write(d.FS.Rmdir(ctx, name), "rmdir name %q", name)
}

func (d *FS) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	word := "rename"
	if replace {
		word = "posix-rename"
	}
	return d.write(d.FS.Rename(ctx, from, to, replace), "%s old %q new %q", word, from, to)
}

func (d *FS) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return d.write(d.FS.Symlink(ctx, target, name), "symlink old %q new %q", target, name)
}

func (d *FS) Link(ctx context.Context, from, name ferry.Name) error {
	return d.write(d.FS.Link(ctx, from, name), "hardlink old %q new %q", from, name)
}

func (d *FS) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	return d.write(d.FS.SetAttr(ctx, name, a), "set %q%s", name, changes(a))
}

// changes says what is set.
func changes(a ferry.Attr) string {
	var b strings.Builder
	if a.Size != nil {
		fmt.Fprintf(&b, " size %d", *a.Size)
	}
	if a.Mode != nil {
		fmt.Fprintf(&b, " mode 0%o", a.Mode.Perm())
	}
	if a.ModTime != nil {
		fmt.Fprintf(&b, " modtime %s", a.ModTime.Format("20060102-15:04:05"))
	}
	if a.UID != nil && a.GID != nil {
		fmt.Fprintf(&b, " owner %d group %d", *a.UID, *a.GID)
	}
	return b.String()
}

// handle is an open file of a diary.
type handle struct {
	ferry.Handle
	diary         *FS
	name          ferry.Name
	read, written atomic.Int64 // bytes
	once          sync.Once
}

func (p *handle) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.Handle.ReadAt(b, off)
	p.read.Add(int64(n))
	return n, err
}

func (p *handle) WriteAt(b []byte, off int64) (int, error) {
	n, err := p.Handle.WriteAt(b, off)
	p.written.Add(int64(n))
	return n, err
}

func (p *handle) SetAttr(a ferry.Attr) error {
	return p.diary.write(p.Handle.SetAttr(a), "set %q%s", p.name, changes(a))
}

func (p *handle) Commit() error {
	err := p.Handle.Commit()
	p.closed("close", err)
	return err
}

func (p *handle) Abort(cause error) error {
	err := p.Handle.Abort(cause)
	word := "close"
	if cause != nil {
		word = "forced close"
	}
	p.closed(word, err)
	return err
}

// closed is written once: an Abort after the end does nothing.
func (p *handle) closed(word string, err error) {
	p.once.Do(func() {
		_ = p.diary.write(err, "%s %q bytes read %d written %d", word, p.name, p.read.Load(), p.written.Load())
	})
}

// Sweep removes what uploads left in the directories where this session began
// some, if it is older than it is kept: nobody else sweeps for a server that
// only runs while somebody is logged in. It does not take long for it.
func (d *FS) Sweep(dir func(ctx context.Context, name ferry.Name) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.touched {
		if err := dir(ctx, name); err != nil {
			d.log.Debug("not swept", "name", name, "error", err)
		}
	}
}
