package sftpserver

import (
	"errors"
	"io"
	"io/fs"
	"math"

	"ferry"
	"ferry/internal/sftpwire"
)

// planRead is READ (draft-02 §6.4).
func (c *session) planRead(r *sftpwire.Read) *op {
	f := c.files.file(r.Handle)
	if f == nil {
		return c.immediately(say(sftpwire.Failure))
	}
	n := min(r.Length, sftpwire.MaxData)
	if r.Offset > math.MaxInt64-uint64(n) {
		return c.immediately(say(sftpwire.BadMessage))
	}
	o := &op{Cost: opCost + c.buffers.Cost(sftpwire.HeaderSize+int(n)), Quickness: &f.reading, Touches: []touch{c.touchFile(f, r.Offset, r.Offset+uint64(n), false)}}
	o.Do = func() answer { return c.read(f, o.ID, int64(r.Offset), int(n)) }
	// The draft lets answers go out in any order. scp of OpenSSH 9.2 (Debian 12)
	// then cuts its file off where the first gap was, and exits with 0; OpenSSH's
	// own server answers in the order of the requests.
	o.Follow(&f.lastRead)
	return o
}

// read reads into the very packet that is sent.
func (c *session) read(f *file, id uint32, off int64, n int) answer {
	if !f.reads() {
		return c.failed("read", c.files.nameOf(f), fs.ErrPermission)
	}
	if err := c.settle(f); err != nil {
		return c.failed("read", c.files.nameOf(f), err)
	}
	f.read.Store(true)
	packet := c.buffers.Get(sftpwire.HeaderSize + n)
	got, err := f.handle.ReadAt(packet.B[sftpwire.HeaderSize:], off)
	if got == 0 && n > 0 {
		c.buffers.Put(packet)
		if err == nil || errors.Is(err, io.EOF) {
			return say(sftpwire.EOF)
		}
		return c.failed("read", c.files.nameOf(f), err)
	}
	packet.B = packet.B[:sftpwire.HeaderSize+got]
	sftpwire.PutDataHeader(packet.B, id)
	return answer{packet: packet}
}

// settle makes a file one that can be looked at and changed anywhere.
func (c *session) settle(f *file) error {
	f.decideInPlace(c.log, c.files.nameOf(f), "the first operation was no write at its beginning")
	return f.fill(c.ctx, c.buffers)
}

// planWrite is WRITE (draft-02 §6.4).
func (c *session) planWrite(r *sftpwire.Write) *op {
	f := c.files.file(r.Handle)
	if f == nil {
		return c.immediately(say(sftpwire.Failure))
	}
	n := uint64(len(r.Data))
	if r.Offset > math.MaxInt64-n {
		f.fail(fs.ErrInvalid)
		return c.immediately(say(sftpwire.BadMessage))
	}
	o := &op{
		Cost:      opCost,
		Quickness: &f.writing,
		Touches:   []touch{c.touchFile(f, r.Offset, r.Offset+n, true)},
		Do: func() answer {
			err := c.write(f, r.Data, int64(r.Offset))
			if err != nil {
				f.fail(err)
			}
			return c.done("write", c.files.nameOf(f), err)
		},
		Drop: f.fail,
	}
	// In their order as those of READs, and for the same client: where an answer
	// overtook another, scp of OpenSSH 9.2 cuts off what it has sent, and exits
	// with 0.
	o.Follow(&f.lastWrite)
	return o
}

func (c *session) write(f *file, data []byte, off int64) error {
	if !f.writes() {
		return fs.ErrPermission
	}
	if len(data) == 0 {
		return nil // which says nothing about what is to come
	}
	if err := c.decide(f, off == 0); err != nil {
		return err
	}
	if err := f.begin(off); err != nil {
		return err
	}
	if f.flags&sftpwire.OpenAppend != 0 {
		i, err := f.handle.Stat()
		if err != nil {
			return err
		}
		off = i.Size // of new content; else the handle knows better
	}
	_, err := f.handle.WriteAt(data, off)
	return err
}

// begin looks at where the first write begins, for a client may not know what it
// writes to. One that takes an old file for its broken upload would go on at the old
// file's end; one that takes a broken upload for a file would change some bytes of it,
// and publish it cut off.
func (f *file) begin(off int64) error {
	switch {
	case f.besidePart:
		i, err := f.info()
		if err != nil {
			return err
		}
		if i.Size > 0 && off >= i.Size {
			return ferry.ErrStalePart
		}
	case f.onPart:
		appends := f.flags&sftpwire.OpenAppend != 0
		switch {
		case f.seen >= 0 && appends:
			return ferry.ErrChanged
		case f.seen >= 0 && off == f.seen:
			if err := f.handle.Truncate(f.seen); err != nil {
				return err
			}
		case off == f.handle.Start() || appends:
		case off == 0 && f.flags&sftpwire.OpenRead == 0: // as scp begins a file
			if err := f.handle.Truncate(0); err != nil {
				return err
			}
		default:
			return ferry.ErrStalePart
		}
	default:
		return nil
	}
	f.begun()
	return nil
}

// begun: what the file is to be is clear now.
func (f *file) begun() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.besidePart, f.onPart = false, false
	f.keepOrder()
}

// decide makes an undecided file what its first operation wants.
func (c *session) decide(f *file, rewrite bool) error {
	if err := f.whole(); errors.Is(err, ferry.ErrStalePart) {
		return err // clients that were refused cut the file off where they thought to begin
	}
	if !f.undecided {
		return nil
	}
	if err := f.whole(); err != nil {
		return err // what comes behind a WRITE that failed is no change in place
	}
	name := c.files.nameOf(f)
	if rewrite {
		return c.decideRewrite(f, name)
	}
	f.decideInPlace(c.log, name, "the first operation was no write at its beginning")
	return nil
}

// fsync is fsync@openssh.com: a staged upload is published by it, and goes on
// in place. What lacks a WRITE that failed is not, nor a broken upload that nothing
// was written to.
func (c *session) fsync(f *file) answer {
	if !f.writes() {
		return say(sftpwire.OK)
	}
	err := f.whole()
	if err != nil || f.onPart {
		return c.done("fsync", c.files.nameOf(f), err)
	}
	if err = c.settle(f); err == nil {
		err = f.handle.Sync()
	}
	return c.done("fsync", c.files.nameOf(f), err)
}
