package ftpserver

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/ftpreply"
)

// job is a Job that runs, in a goroutine of its own.
type job struct {
	ftpreply.Job
	cancel context.CancelCauseFunc
	done   chan result // buffered: the job never waits for the loop
	ctl    net.Conn
	// settled is closed when the fate of the control connection no longer
	// matters for the job: see Holds.
	settled chan struct{}
	settle  sync.Once
	spoke   bool // a line of progress went out, so the reply has begun
}

// result is how a job ended: with a reply, or with a panic.
type result struct {
	reply ftpreply.Reply
	panic any
}

// begin starts what goes on behind a reply.
func (c *conn) begin(what ftpreply.Job) {
	ctx, cancel := context.WithCancelCause(c.ctx())
	j := &job{Job: what, cancel: cancel, done: make(chan result, 1), ctl: c.raw, settled: make(chan struct{})}
	c.job = j
	if slices.ContainsFunc(c.queue, func(r request) bool { return r.row.cancels }) {
		cancel(ferry.ErrAborted) // it came while this command waited
	}
	wake, log := c.wake, c.report.Log
	go func() {
		defer wake()
		defer func() {
			if p := recover(); p != nil {
				logPanic(log(), p)
				j.done <- result{panic: p}
			}
		}()
		j.done <- result{reply: j.Run(ctx, j)}
	}()
}

// finish takes a job's result into the session. One that panicked ends it.
func (c *conn) finish(r result) {
	c.job.cancel(nil)
	if r.panic != nil {
		c.close(internalError(), errPanic)
	} else {
		c.send(r.reply)
	}
	c.job = nil
}

// stillWorking tells a client that waits on the control connection alone that
// its job goes on.
func (c *conn) stillWorking() {
	c.job.spoke = true
	c.out = append(c.out, []byte(ftpreply.StillWorking(c.job.Progress))...)
}

// letGo tells the job that it may end well without the control connection.
func (j *job) letGo() { j.settle.Do(func() { close(j.settled) }) }

// Holds tells an upload that has all its data whether it may be published: was the
// control connection still there? A client that dies closes both, and to the data
// connection that looks like the end of the file (RFC 959 §3.4: in stream mode the
// end of the file is the close).
//
// The kernel says whether the client's end has been closed. If so, the loop
// will read that end too, in a moment, and decides: after a QUIT the upload
// counts, otherwise it cancels the job. Before it is taken to hold, the loop
// has the time of wait to hear of it.
func (j *job) Holds(ctx context.Context, wait time.Duration) error {
	var heard <-chan time.Time // nil: for as long as it takes
	if unread(j.ctl) {
		wait = max(wait, time.Millisecond) // the end may lie behind what the loop is about to read
	}
	if !peerClosed(j.ctl) {
		if wait < time.Millisecond {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		heard = timer.C
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-j.settled:
		return nil
	case <-heard:
		return j.Holds(ctx, 0) // once more, as it stands now
	}
}

// afterDeath is how long to wait, after the data's end, for the end of a
// control connection that is about to come. Where a client is killed, Linux
// closes what it opened last first: the data connection, and the control
// connection some microseconds later, too late for one look. A fiftieth of the
// time that the upload took costs nobody anything, and spares small files, which
// a death is not likely to meet. Where ALLO has said how much there is, the
// file is whole.
func afterDeath(lasted time.Duration, announced int64) time.Duration {
	if announced > 0 {
		return 0
	}
	return min(lasted/50, 25*time.Millisecond)
}

// unread tells whether bytes of a TCP connection wait to be read.
func unread(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	err = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return err == nil && n > 0
}

// peerClosed tells whether the other end of a TCP connection has been closed
// or reset, though data may still wait to be read.
func peerClosed(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	var info *unix.TCPInfo
	err = raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	const established = 1 // TCP_ESTABLISHED of linux/tcp.h
	return err != nil || info == nil || info.State != established
}
