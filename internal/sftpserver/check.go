package sftpserver

import (
	"context"
	"errors"
	"hash"
	"io"
	"io/fs"
	"math"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// Blocks of check-file (draft-ietf-secsh-filexfer-extensions-00 §3).
const (
	smallestBlock = 256
	maxHashes     = sftpwire.MaxData // bytes of hashes in one answer
	hashedAtOnce  = 32 << 10         // bytes of a file
)

// planCheck is check-file in its three forms.
func (c *session) planCheck(r *sftpwire.CheckFile) *op {
	if r.Offset > math.MaxInt64 || r.Length > math.MaxInt64-r.Offset {
		return c.immediately(say(sftpwire.BadMessage))
	}
	if r.Block != 0 && r.Block < smallestBlock {
		return c.immediately(say(sftpwire.Failure))
	}
	if r.Form == sftpwire.CheckName {
		o := c.onName(r.Object, false, func(name ferry.Name) answer { return c.checkName(name, r) })
		c.sharing(o)
		o.Cost += c.costOfCheck(r)
		return o
	}
	f := c.files.file(r.Object)
	if f == nil {
		return c.immediately(say(sftpwire.Failure))
	}
	to := uint64(sftporder.Whole)
	if r.Length > 0 {
		to = r.Offset + r.Length
	}
	return &op{
		Cost:    opCost + c.costOfCheck(r),
		Touches: []touch{c.touchFile(f, r.Offset, to, false)},
		Do:      func() answer { return c.checkHandle(f, r) },
	}
}

// costOfCheck is what a check takes of the budget besides: one hash costs nothing,
// and of how many blocks a file has, its size decides.
func (c *session) costOfCheck(r *sftpwire.CheckFile) int {
	cost := c.buffers.Cost(hashedAtOnce)
	if r.Block != 0 {
		cost += maxHashes
	}
	return cost
}

func (c *session) checkName(name ferry.Name, r *sftpwire.CheckFile) answer {
	h, err := c.openToRead(c.ctx, name)
	if err != nil {
		return c.failed("check-file", name, err)
	}
	defer h.Abort(nil)
	defer context.AfterFunc(c.present, func() { _ = h.Abort(nil) })()
	return c.check(h, name, r)
}

func (c *session) checkHandle(f *file, r *sftpwire.CheckFile) answer {
	name := c.files.nameOf(f)
	if !f.reads() {
		return c.failed("check-file", name, fs.ErrPermission)
	}
	if err := c.settle(f); err != nil {
		return c.failed("check-file", name, err)
	}
	return c.check(f.handle, name, r)
}

func (c *session) check(h ferry.Handle, name ferry.Name, r *sftpwire.CheckFile) answer {
	for _, algorithm := range r.Algorithms {
		sum := digest.New(algorithm)
		if sum == nil {
			continue
		}
		hashes, err := c.hashes(h, sum, r)
		if err != nil {
			return c.failed("check-file", name, err)
		}
		return answer{reply: &sftpwire.CheckReply{Form: r.Form, Algorithm: algorithm, Hashes: hashes}}
	}
	return say(sftpwire.OpUnsupported)
}

var errManyHashes = errors.New("more hashes than a packet holds")

// hashes gives one hash for each block of the range, at least one.
func (c *session) hashes(h ferry.Handle, sum hash.Hash, r *sftpwire.CheckFile) ([]byte, error) {
	i, err := h.Stat()
	if err != nil {
		return nil, err
	}
	off, end := int64(r.Offset), i.Size
	if off > end {
		return nil, ferry.ErrBeyondEnd
	}
	if r.Length > 0 {
		end = min(end, off+int64(r.Length))
	}
	block := int64(r.Block)
	if block == 0 {
		block = max(end-off, 1)
	}
	if (end-off)/block*int64(sum.Size()) > maxHashes {
		return nil, errManyHashes
	}
	var all []byte
	for first := true; first || off < end; first = false {
		n := min(block, end-off)
		sum.Reset()
		if err := c.digest(h, sum, off, n); err != nil {
			return nil, err
		}
		all, off = sum.Sum(all), off+n
	}
	return all, nil
}

// digest hands n bytes of h to sum, in turns with all others who want hashes. It
// ends when the client has gone.
func (c *session) digest(h ferry.Handle, sum hash.Hash, off, n int64) error {
	room := c.buffers.Get(hashedAtOnce)
	defer c.buffers.Put(room)
	err := c.cfg.Hashes.Sum(c.present, c.cfg.Share, sum, h, off, n, room.B)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ferry.ErrBeyondEnd // it has become shorter
	}
	return err
}
