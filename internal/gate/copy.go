package gate

import (
	"context"
	"errors"
	"os"
	"time"

	"ferry"
)

// A copy goes in chunks, between which it is counted, limited and looked at.
// They grow while they are quick and shrink when they are slow, so that
// progress is seen several times a second on a slow line and a fast one is not
// held up. The first one holds most files whole.
const (
	smallestChunk = 64 << 10
	firstChunk    = 256 << 10
	largestChunk  = 16 << 20
	// pollInterval is how often an upload that waits for its client is counted. Only
	// reading can be broken off to look: a TLS connection whose write ran into
	// a deadline is lost, and a chunk on its way out is small when it is slow.
	pollInterval = time.Second
	quick        = 50 * time.Millisecond
	slow         = 250 * time.Millisecond
)

// SendTo sends in chunks, each by the handle's own SendTo on the very same
// connection, so that the kernel can move the bytes. It ends with the cause
// when ctx, the session or the connection ends, and with ferry.ErrStalled when
// nothing moved for Limits.Stall.
func (t *transfer) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	return t.copy(ctx, dst, off, n, false)
}

// ReceiveFrom is SendTo in the other direction.
func (t *transfer) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	return t.copy(ctx, src, off, n, true)
}

func (t *transfer) copy(ctx context.Context, conn *ferry.DataConn, off, n int64, up bool) (moved int64, err error) {
	t.setConn(conn)
	defer t.setConn(nil)
	defer conn.WaitUntil(time.Time{})
	defer conn.InterruptAfter(ctx)()
	limiters := t.session.limiters(up)
	var idle time.Duration // not counting what it waits for its share
	for size := int64(firstChunk); ; {
		want := min(size, limiters.chunk())
		if n >= 0 {
			want = min(want, n)
		}
		if err := limiters.wait(ctx, t.ended, want); err != nil {
			return moved, err
		}
		begin := time.Now()
		m, err := t.chunk(ctx, conn, off, want, up)
		limiters.giveBack(want - m)
		t.count(up, m)
		moved, off = moved+m, off+m
		if n >= 0 {
			n -= m
		}
		idle += time.Since(begin)
		if m > 0 {
			idle = 0
		}
		more, err := t.judge(ctx, chunkEnd{moved: m, want: want, idle: idle, up: up, err: err})
		if !more || n == 0 {
			return moved, err
		}
		size = resize(size, time.Since(begin))
	}
}

// chunk moves up to n bytes, bounded by the stall deadline.
func (t *transfer) chunk(ctx context.Context, conn *ferry.DataConn, off, n int64, up bool) (int64, error) {
	wait := t.session.conn.gate.limits.Load().Stall
	if up && (wait <= 0 || wait > pollInterval) {
		wait = pollInterval
	}
	if wait > 0 {
		conn.WaitUntil(time.Now().Add(wait))
	}
	// The session may have ended before the connection was known to it.
	if err := t.interrupted(ctx); err != nil {
		return 0, err
	}
	if up {
		return t.Handle.ReceiveFrom(ctx, conn, off, n)
	}
	return t.Handle.SendTo(ctx, conn, off, n)
}

// chunkEnd is how a chunk of want bytes ended.
type chunkEnd struct {
	moved, want int64
	idle        time.Duration // since the last byte that moved
	up          bool
	err         error
}

// judge says whether a copy goes on after a chunk, and if not, with which
// error it ends.
func (t *transfer) judge(ctx context.Context, c chunkEnd) (more bool, end error) {
	stall := t.session.conn.gate.limits.Load().Stall
	switch {
	case c.err == nil:
		return c.moved == c.want, nil // fewer: there is no more
	case t.interrupted(ctx) != nil:
		return false, t.interrupted(ctx)
	case !errors.Is(c.err, os.ErrDeadlineExceeded):
		return false, c.err
	case c.moved > 0:
		return true, nil // slow, but it moves
	case c.up && (stall <= 0 || c.idle < stall):
		return true, nil // only time to look
	case stall <= 0:
		return false, c.err // the deadline was not ours
	}
	return false, ferry.ErrStalled
}

// interrupted is why the copy should not go on, nil if it should.
func (t *transfer) interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return context.Cause(t.session.ctx)
}

// setConn notes the connection that is to be interrupted when the session ends.
func (t *transfer) setConn(conn *ferry.DataConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
}

// interrupt ends the waiting of a copy that runs.
func (t *transfer) interrupt(cause error) {
	t.mu.Lock()
	conn := t.conn
	t.mu.Unlock()
	if conn != nil {
		conn.Interrupt(cause)
	}
}

// resize is the size of the chunk after one that took so long.
func resize(size int64, took time.Duration) int64 {
	switch {
	case took < quick:
		return min(size*4, largestChunk)
	case took > slow:
		return max(size/2, smallestChunk)
	}
	return size
}
