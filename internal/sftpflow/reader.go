// Package sftpflow moves the content of a file over a stream of SFTP, for a client, with
// several requests on the way (draft-ietf-secsh-filexfer-02 §6.4): a Reader asks ahead, a
// Writer does not wait for each answer. What was not written is known to the byte.
package sftpflow

import (
	"context"
	"io"
	"math"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// File is an open file on the server.
type File interface {
	// Begin sends a request about the file, which request makes of its handle.
	Begin(ctx context.Context, request func(handle string) sftpwire.Request) (*sftpconn.Call, error)
	// Noticed is told of each answer that is an error, and gives it back.
	Noticed(err error) error
	// Size is how many bytes the file has, as far as that is known.
	Size() int64
	// Took is told that the server has n bytes at off.
	Took(off, n int64)
	// Missed is told that the server has not what was written at off: what lies
	// behind it must not be taken for content that has arrived.
	Missed(off int64)
}

// Sizes are how much one request moves, in bytes, and how many are on the way at most.
type Sizes struct{ Chunk, Window int }

// Reader reads a range of a file in order, with several READs on the way: as
// many as the window holds as far as the file is known to go, and beyond that
// twice as many with each that was answered in full.
type Reader struct {
	file   File
	conn   *sftpconn.Conn
	chunk  int // bytes that one READ asks for
	ctx    context.Context
	next   int64 // what will be asked for next
	end    int64 // of the range
	queue  []asked
	window int
	beyond int              // how many may be on the way beyond the size that is known
	last   *sftpconn.Packet // what Next gave, until it is called again
}

// asked is one READ on the way.
type asked struct {
	call *sftpconn.Call
	off  int64
	n    int
}

// Read begins to read n bytes of a file from off on; n < 0 means all there is. It must
// be stopped.
func Read(ctx context.Context, conn *sftpconn.Conn, file File, size Sizes, off, n int64) *Reader {
	end := int64(math.MaxInt64)
	if n >= 0 && n < end-off {
		end = off + n
	}
	return &Reader{file: file, conn: conn, chunk: size.Chunk, ctx: ctx, next: off, end: end, window: size.Window, beyond: 1}
}

// Next gives the next bytes, at least one, good until it is called again.
// io.EOF: the file or the range has ended.
func (r *Reader) Next() ([]byte, error) {
	r.recycle()
	if err := r.fill(); err != nil {
		return nil, err
	}
	if len(r.queue) == 0 {
		return nil, io.EOF
	}
	q := r.queue[0]
	r.queue = r.queue[1:]
	answer, err := q.call.Wait(r.ctx)
	if err != nil {
		if status, ok := err.(*sftpconn.StatusError); ok && status.Code == sftpwire.EOF {
			err = io.EOF
		}
		return nil, r.file.Noticed(err)
	}
	r.last = answer.Packet
	data := answer.Reply.(*sftpwire.Data).Data
	if len(data) < q.n {
		return data, r.again(q.off+int64(len(data)), q.n-len(data))
	}
	r.beyond = min(2*r.beyond, r.window)
	return data, nil
}

// fill asks for as much as may be on the way.
func (r *Reader) fill() error {
	for r.next < r.end && len(r.queue) < r.window {
		n, size := min(r.end-r.next, int64(r.chunk)), r.file.Size()
		switch {
		case r.next < size:
			n = min(n, size-r.next)
		case len(r.queue) >= r.beyond:
			return nil
		}
		q, err := r.ask(r.next, int(n))
		if err != nil {
			return err
		}
		r.queue = append(r.queue, q)
		r.next += n
	}
	return nil
}

// again asks for what a READ has left out, before all that is on the way.
func (r *Reader) again(off int64, n int) error {
	q, err := r.ask(off, n)
	if err == nil {
		r.queue = append([]asked{q}, r.queue...)
	}
	return err
}

func (r *Reader) ask(off int64, n int) (asked, error) {
	k, err := r.file.Begin(r.ctx, func(id string) sftpwire.Request {
		return &sftpwire.Read{Handle: id, Offset: uint64(off), Length: uint32(n)}
	})
	return asked{k, off, n}, err
}

func (r *Reader) recycle() {
	r.conn.Recycle(r.last)
	r.last = nil
}

// Stop drops what is on the way.
func (r *Reader) Stop() {
	r.recycle()
	for _, q := range r.queue {
		q.call.Leave()
	}
}
