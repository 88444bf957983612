package sftpserver

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"

	"ferry"
	"ferry/internal/sftpio"
	"ferry/internal/sftpwire"
)

// planCopyData is copy-data (OpenSSH's PROTOCOL §4.10).
func (c *session) planCopyData(r *sftpwire.CopyData) *op {
	src, dst := c.files.file(r.From), c.files.file(r.To)
	switch {
	case src == nil || dst == nil || src == dst:
		return c.immediately(say(sftpwire.Failure))
	case r.FromOffset > math.MaxInt64-r.Length || r.ToOffset > math.MaxInt64-r.Length:
		return c.immediately(say(sftpwire.BadMessage))
	case r.Length > math.MaxInt64:
		return c.immediately(say(sftpwire.BadMessage))
	}
	length := r.Length
	if length == 0 {
		length = math.MaxInt64
	}
	return &op{
		Cost: opCost + c.buffers.Cost(sftpio.Gathered),
		Touches: []touch{
			c.touchFile(src, r.FromOffset, r.FromOffset+length, false),
			c.touchFile(dst, r.ToOffset, r.ToOffset+length, true),
		},
		Do: func() answer {
			err := c.copyData(src, dst, r)
			if err != nil && err != io.EOF {
				dst.fail(err)
			}
			return c.done("copy-data", c.files.nameOf(dst), err)
		},
		Drop: dst.fail,
	}
}

func (c *session) copyData(src, dst *file, r *sftpwire.CopyData) error {
	if !src.reads() || !dst.writes() {
		return fs.ErrPermission
	}
	if err := c.settle(src); err != nil {
		return err
	}
	if err := c.decide(dst, r.ToOffset == 0); err != nil {
		return err
	}
	if err := dst.begin(int64(r.ToOffset)); err != nil {
		return err
	}
	if err := dst.fill(c.ctx, c.buffers); err != nil {
		return err
	}
	if err := mustDiffer(src.handle, dst.handle); err != nil {
		return err
	}
	length := int64(r.Length)
	if length == 0 {
		length = -1
	}
	n, err := c.buffers.Copy(c.present, dst.handle, int64(r.ToOffset), src.handle, int64(r.FromOffset), length)
	if err == nil && n < length {
		err = io.EOF // OpenSSH's answer where the source is too short
	}
	return err
}

// errSameFile: what is copied would run after itself, or be gone.
var errSameFile = errors.New("source and target are the same file")

// mustDiffer tells whether what is written to dst changes src.
func mustDiffer(src, dst ferry.Handle) error {
	a, err := src.Stat()
	if err != nil {
		return err
	}
	b, err := dst.Stat()
	if err == nil && isSame(a, b) {
		err = errSameFile
	}
	return err
}

func isSame(a, b ferry.Info) bool { return a.ID == b.ID && a.ID != [2]uint64{} }

// copyFile is copy-file (draft-ietf-secsh-filexfer-extensions-00 §6). The copy
// is staged, and is published whole or not at all.
func (c *session) copyFile(from, to ferry.Name, overwrite bool) answer {
	return c.done("copy-file", from+" to "+to, c.copyWhole(from, to, overwrite))
}

func (c *session) copyWhole(from, to ferry.Name, overwrite bool) error {
	src, err := c.openToRead(c.present, from)
	if err != nil {
		return err
	}
	defer src.Abort(nil)
	defer context.AfterFunc(c.present, func() { _ = src.Abort(nil) })()
	i, err := src.Stat()
	if err != nil {
		return err
	}
	mode := ferry.Exclusive
	if overwrite {
		if old, err := c.cfg.FS.Stat(c.ctx, to); err == nil && isSame(i, old) {
			return errSameFile // which could be truncated before it is read
		}
		mode = ferry.Replace
	}
	if c.present.Err() != nil {
		return context.Cause(c.present) // before anything is made of it
	}
	dst, err := c.cfg.FS.Open(c.present, to, ferry.OpenOptions{Mode: mode, Perm: new(i.Mode.Perm())})
	if err != nil {
		return err
	}
	defer context.AfterFunc(c.present, func() { _ = dst.Abort(context.Cause(c.present)) })()
	if _, err := c.buffers.Copy(c.present, dst, 0, src, 0, -1); err != nil {
		_ = dst.Abort(err)
		return err
	}
	return dst.Commit()
}
