package sftpclient

import (
	"context"
	"io"
	"io/fs"
	"math"

	"ferry"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// ahead reads a range of a file in order, with several READs on the way: as
// many as the window holds as far as the file is known to go, and beyond that
// twice as many with each that was answered in full.
type ahead struct {
	h      *handle
	ctx    context.Context
	next   int64 // what will be asked for next
	end    int64 // of the range
	queue  []asked
	window int
	beyond int              // how many may be on the way beyond the size that is known
	last   *sftpconn.Packet // what chunk gave, until it is called again
}

// asked is one READ on the way.
type asked struct {
	call *sftpconn.Call
	off  int64
	n    int
}

// readAhead begins to read n bytes from off on; n < 0 means all there is. It
// must be stopped.
func (h *handle) readAhead(ctx context.Context, off, n int64) *ahead {
	end := int64(math.MaxInt64)
	if n >= 0 && n < end-off {
		end = off + n
	}
	return &ahead{h: h, ctx: ctx, next: off, end: end, window: h.fs.window(h.fs.readSize), beyond: 1}
}

// chunk gives the next bytes, at least one, good until it is called again.
// io.EOF: the file or the range has ended.
func (a *ahead) chunk() ([]byte, error) {
	a.Recycle()
	if err := a.fill(); err != nil {
		return nil, err
	}
	if len(a.queue) == 0 {
		return nil, io.EOF
	}
	q := a.queue[0]
	a.queue = a.queue[1:]
	answer, err := q.call.Wait(a.ctx)
	if err != nil {
		if status, ok := err.(*sftpconn.StatusError); ok && status.Code == sftpwire.EOF {
			err = io.EOF
		}
		return nil, a.h.noticed(err)
	}
	a.last = answer.Packet
	data := answer.Reply.(*sftpwire.Data).Data
	if len(data) < q.n {
		return data, a.again(q.off+int64(len(data)), q.n-len(data))
	}
	a.beyond = min(2*a.beyond, a.window)
	return data, nil
}

// fill asks for as much as may be on the way.
func (a *ahead) fill() error {
	for a.next < a.end && len(a.queue) < a.window {
		n, size := min(a.end-a.next, int64(a.h.fs.readSize)), a.h.size.Load()
		switch {
		case a.next < size:
			n = min(n, size-a.next)
		case len(a.queue) >= a.beyond:
			return nil
		}
		q, err := a.Ask(a.next, int(n))
		if err != nil {
			return err
		}
		a.queue = append(a.queue, q)
		a.next += n
	}
	return nil
}

// again asks for what a READ has left out, before all that is on the way.
func (a *ahead) again(off int64, n int) error {
	q, err := a.Ask(off, n)
	if err == nil {
		a.queue = append([]asked{q}, a.queue...)
	}
	return err
}

func (a *ahead) Ask(off int64, n int) (asked, error) {
	k, err := a.h.begin(a.ctx, func(id string) sftpwire.Request {
		return &sftpwire.Read{Handle: id, Offset: uint64(off), Length: uint32(n)}
	})
	return asked{k, off, n}, err
}

func (a *ahead) Recycle() {
	a.h.fs.conn.Recycle(a.last)
	a.last = nil
}

// stop drops what is on the way.
func (a *ahead) stop() {
	a.Recycle()
	for _, q := range a.queue {
		q.call.Leave()
	}
}

// SendTo is ferry.Handle's.
func (h *handle) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	err := h.state()
	if err == nil && off < 0 {
		err = fs.ErrInvalid
	}
	if err != nil {
		return 0, fail("read", h.name, err)
	}
	a := h.readAhead(ctx, off, n)
	defer a.stop()
	var sent int64
	for {
		if ctx.Err() != nil {
			return sent, context.Cause(ctx)
		}
		data, err := a.chunk()
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, fail("read", h.name, err)
		}
		k, err := dst.Write(data)
		sent += int64(k)
		h.move()
		if err != nil {
			return sent, err
		}
	}
}
