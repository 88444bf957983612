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
	"ferry/internal/ftpwire"
)

// job is what takes long and runs beside the loop: a transfer, a listing, a
// hash, a copy. It touches nothing of conn; its reply comes by done.
type job struct {
	verb   string
	cancel context.CancelCauseFunc
	done   chan reply // buffered: the job never waits for the loop
	// settled is closed when the fate of the control connection no longer
	// matters for the job: see controlHolds.
	settled chan struct{}
	settle  sync.Once
	// progress is the code of the "NNN-" lines that show the client a long
	// job without a data connection is alive; 0: none are wanted.
	progress int
	// alone: it has no data connection, so who has left the control connection
	// wants nothing of it.
	alone bool
	spoke bool // such a line went out, so the reply has begun
}

// begin starts run as the session's job. progress is explained at job.
func (c *conn) begin(verb string, progress int, run func(ctx context.Context, j *job) reply) {
	ctx, cancel := context.WithCancelCause(c.ctx())
	j := &job{verb: verb, cancel: cancel, done: make(chan reply, 1), settled: make(chan struct{}), progress: progress}
	c.job = j
	if slices.ContainsFunc(c.queue, func(cmd ftpwire.Command) bool { return cmd.Verb == "ABOR" }) {
		cancel(ferry.ErrAborted) // it came while this command waited
	}
	go func() {
		defer c.wake()
		defer func() {
			if p := recover(); p != nil {
				c.logPanic(p)
				j.done <- say(421, "Internal error; closing the connection.")
			}
		}()
		j.done <- run(ctx, j)
	}()
}

// beginAlone is begin for a job without a data connection.
func (c *conn) beginAlone(verb string, progress int, run func(ctx context.Context) reply) {
	c.begin(verb, progress, func(ctx context.Context, _ *job) reply { return run(ctx) })
	c.job.alone = true
}

// finish takes a job's reply into the session. One that panicked ends it.
func (c *conn) finish(r reply) {
	c.job.cancel(nil)
	c.send(r)
	c.job = nil
	if r.code == 421 {
		c.closing, c.cause = true, errPanic
	}
}

// stillWorking tells a client that waits on the control connection alone that
// its job goes on.
func (c *conn) stillWorking() {
	c.job.spoke = true
	c.out = append(c.out, []byte(statusLine(c.job.progress))...)
}

// letGo tells the job that it may end well without the control connection.
func (j *job) letGo() { j.settle.Do(func() { close(j.settled) }) }

// controlHolds is asked when the data of an upload has ended and before it is
// published: was the control connection still there? A client that dies closes
// both, and to the data connection that looks like the end of the file
// (RFC 959 §3.4: in stream mode the end of the file is the close).
//
// The kernel says whether the client's end has been closed. If so, the loop
// will read that end too, in a moment, and decides: after a QUIT the upload
// counts, otherwise it cancels the job. Before it is taken to hold, the loop
// has the time of wait to hear of it.
func controlHolds(ctx context.Context, ctl net.Conn, j *job, wait time.Duration) error {
	var heard <-chan time.Time // nil: for as long as it takes
	if unread(ctl) {
		wait = max(wait, time.Millisecond) // the end may lie behind what the loop is about to read
	}
	if !peerClosed(ctl) {
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
		return controlHolds(ctx, ctl, j, 0) // once more, as it stands now
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
