package ftpserver

import (
	"context"
	"slices"

	"ferry"
	"ferry/internal/ftpreply"
)

// job is a Job that runs, in a goroutine of its own.
type job struct {
	ftpreply.Job
	cancel context.CancelCauseFunc
	done   chan result // buffered: the job never waits for the loop
	spoke  bool        // a line of progress went out, so the reply has begun
}

// result is how a job ended: with a reply, or with a panic.
type result struct {
	reply ftpreply.Reply
	panic error
}

// begin starts what goes on behind a reply.
func (c *conn) begin(what ftpreply.Job) {
	ctx, cancel := context.WithCancelCause(c.ctx())
	j := &job{Job: what, cancel: cancel, done: make(chan result, 1)}
	c.job = j
	if slices.ContainsFunc(c.queue, func(r request) bool { return r.row.cancels }) {
		cancel(ferry.ErrAborted) // it came while this command waited
	}
	wake, fate, gateConn := c.ctl.Wake, c.ctl.Fate(), c.gateConn
	go func() {
		defer wake()
		defer func() {
			if p := recover(); p != nil {
				j.done <- result{panic: tellPanic(gateConn, p)}
			}
		}()
		j.done <- result{reply: j.Run(ctx, fate)}
	}()
}

// finish takes a job's result into the session, and begins what goes on behind its
// reply. A job that panicked ends the session.
func (c *conn) finish(r result) {
	c.job.cancel(nil)
	if r.panic != nil {
		c.close(internalError(), r.panic)
	} else {
		c.send(r.reply)
	}
	c.job = nil
	if r.reply.Then != nil {
		c.begin(*r.reply.Then)
	}
}

// stillWorking tells a client that waits on the control connection alone that
// its job goes on.
func (c *conn) stillWorking() {
	c.job.spoke = true
	c.ctl.SendPart(ftpreply.StillWorking(c.job.Progress))
}
