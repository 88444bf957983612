package ftpserver

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"ferry"
)

// aloneAfterQuit is how long a job without a data connection goes on after
// its client has said QUIT and closed the connection in its direction.
const aloneAfterQuit = 10 * time.Second

// lost is called when the control connection ended without our doing.
func (c *conn) lost(err error) {
	if ctx := c.ctx(); ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(ctx) // the client was told to go, and does not listen
	}
	c.cause = err
	c.closing = true
	if c.job == nil {
		return
	}
	if c.quitSoon {
		c.afterGoodbye(errors.Is(err, io.EOF))
		return
	}
	c.abandon() // RFC 959 §2.3: an unexpected close is ABOR and QUIT
}

// abandon stops what runs, and forgets what it has to say.
func (c *conn) abandon() {
	for c.job != nil {
		c.job.cancel(ferry.ErrControlLost)
		r := <-c.job.done
		if c.job = nil; r.reply.Then != nil {
			c.begin(*r.reply.Then) // which gives back what it was handed
		}
	}
}

// afterGoodbye ends a session whose client said QUIT and then left: what runs
// may end. Where it has only closed its own direction it still hears the
// replies, and what it said before the QUIT is done.
func (c *conn) afterGoodbye(hears bool) {
	c.closing, c.cause = false, nil
	for !c.closing {
		switch {
		case c.job != nil:
			c.flush()
			c.ctl.Settle()
			c.finish(c.lastReply(hears))
		case !hears || len(c.queue) == 0:
			c.closing = true
		default:
			c.execute(c.dequeue())
		}
	}
}

// lastReply waits for the end of a job whose client has said QUIT and closed its
// direction. A transfer ends with its data connection. What has none is wanted by
// nobody once the client has gone, which only a write can tell from a client that
// still hears; where there is nothing to write, it has a while to end.
func (c *conn) lastReply(hears bool) result {
	if !c.job.Alone {
		return <-c.job.done
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for left := aloneAfterQuit; ; left -= time.Second {
		gone := !hears || left <= 0
		if c.job.Progress != 0 {
			c.stillWorking()
			gone = c.ctl.Flush() != nil
		}
		if gone {
			c.job.cancel(ferry.ErrControlLost)
		}
		select {
		case r := <-c.job.done:
			return r
		case <-tick.C:
		}
	}
}
