package sftpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
	"ferry/internal/sftpio"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// Why a session ended that the client did not end between two packets.
var (
	errHalfPacket = errors.New("the client's stream ended within a packet")
	errNotClosed  = errors.New("the session ended before the file was closed")
	errNoHello    = errors.New("the client did not begin with INIT")
)

// lastRequests is how long the requests that came before the end of a session may
// still take. What changes something the client meant, though it waits for no
// answer; what only looks, or takes long, is of no use to anybody from then on.
const lastRequests = 5 * time.Second

// lookAfter is how long a request waits for room before the session looks whether the
// client is still there. Uploads wait for room all the time, and a goroutine that reads
// beside the session costs them half their speed.
const lookAfter = 50 * time.Millisecond

// Serve speaks SFTP over rw until the client ends it, ctx ends, or the client
// misbehaves, and closes rw. What was opened and not closed is aborted: the
// parts of uploads stay for the client to go on with.
//
// The end is noticed however much waits to be done. It stops hashes, copies and
// listings at once, and READs where nobody can hear the answer.
//
// The error is nil when the client ended the session between two packets, the
// cause of ctx where that ended, and otherwise says what went wrong.
func Serve(ctx context.Context, rw io.ReadWriteCloser, cfg Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := newSession(ctx, cancel, rw, cfg)
	c.out = sftpio.NewOutput(rw, c.buffers, c.answered, c.lost)
	defer context.AfterFunc(ctx, func() {
		c.files.interrupt(context.Cause(ctx), allFiles)
		_ = rw.Close() // ends a read and a write that wait for the client
	})()
	defer context.AfterFunc(c.client, func() {
		c.over()
		c.files.interrupt(errNotClosed, onlyRead)
	})()
	if cfg.Drain != nil {
		defer context.AfterFunc(cfg.Drain, c.endIfQuiet)()
	}

	err := c.serve()
	if errors.Is(err, errNotClosed) {
		err = nil // the client's end was noticed before it was read
	}
	c.finish(err)
	c.in.Empty()
	_ = rw.Close()
	return err
}

// finish does what is left to be done when the session is over, because of err; nil:
// the client has ended it.
func (c *session) finish(err error) {
	c.over()
	c.order.Wait()
	if c.late.Stop(); err != nil {
		c.cancel(err)
	}
	c.out.Wait()
	c.files.abort(err)
	c.budget.Close()
}

// over notes that the client has ended the session. What it still waits for gets a
// little time.
func (c *session) over() {
	c.once.Do(func() {
		c.gone()
		c.late = time.AfterFunc(lastRequests, func() { c.cancel(errNotClosed) })
	})
}

// lost ends the reading from a client that cannot be written to. What it has
// asked for before is still done: it meant it, and waits for no answer.
func (c *session) lost(err error) {
	c.unsent.Store(&err)
	_ = c.rw.Close()
}

// answered is called after each answer, which has taken cost of the budget.
func (c *session) answered(cost int) {
	c.budget.Give(cost)
	c.endIfQuiet()
}

// endIfQuiet ends a session that was asked to end, and may. The files are
// looked at first: a CLOSE that takes the last away keeps the budget from being
// quiet until it is answered.
func (c *session) endIfQuiet() {
	if c.cfg.Drain != nil && c.cfg.Drain.Err() != nil && c.files.none() && c.budget.Quiet() {
		c.cancel(ferry.ErrShutdown)
	}
}

// session is one session of SFTP. The goroutine in serve reads and plans; ops run in
// others, or where that is quicker in the same.
type session struct {
	cfg    Options
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelCauseFunc
	// present ends, before ctx, when the client has ended the session: what
	// takes long is of no use then.
	present context.Context
	gone    context.CancelFunc
	once    sync.Once
	late    *time.Timer // ends ctx some time after present
	// client is that of Options: when it has ended nobody hears an answer.
	client    context.Context
	in        *sftpio.Input
	rw        io.Closer
	out       *sftpio.Output
	unsent    atomic.Pointer[error] // why the client cannot be written to
	order     *sftporder.Order[answer]
	budget    *sftpio.Budget
	buffers   *sftpio.Buffers
	files     *table
	told      atomic.Pointer[toldSize]                      // last
	quickness [sftpwire.TypeSymlink + 1]sftporder.Quickness // by the type of the request, where no file has its own
}

func newSession(ctx context.Context, cancel context.CancelCauseFunc, rw io.ReadWriteCloser, cfg Options) *session {
	cfg = cfg.withDefaults()
	c := &session{
		cfg: cfg, log: cfg.Log, ctx: ctx, cancel: cancel, rw: rw,
		in: sftpio.NewInput(rw, cfg.Buffers, cfg.Room), budget: sftpio.NewBudget(cfg.Room), buffers: cfg.Buffers, files: newTable(cfg.Dirs),
	}
	c.present, c.gone = context.WithCancel(ctx)
	if c.client = cfg.Client; c.client == nil {
		c.client = context.Background()
	}
	c.order = sftporder.New(c.run)
	return c
}

// serve reads packets until there are no more.
func (c *session) serve() error {
	if err := c.hello(); err != nil {
		return c.refuse(err)
	}
	for {
		packet, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.accept(packet)
		}
		if err != nil {
			return c.refuse(err)
		}
	}
}

// refuse logs why the session is closed, unless it was not the client's doing.
func (c *session) refuse(err error) error {
	if c.ctx.Err() == nil && err != io.EOF {
		c.log.Warn("session closed", "user", c.cfg.User.Name, "error", err)
	}
	return err
}

// hello answers INIT with VERSION (draft-02 §4): 3, whatever the client knows.
func (c *session) hello() error {
	packet, err := c.next()
	if err != nil {
		return err
	}
	defer c.buffers.Put(packet)
	if _, err := sftpwire.ParseInit(packet.B); err != nil {
		return fmt.Errorf("%w (%w)", errNoHello, err)
	}
	vendor := sftpwire.VendorID{Vendor: "Ferry", Product: "Ferry", Version: c.cfg.Version}
	hello := sftpwire.Hello{Version: sftpwire.Version, Extensions: []sftpwire.Extension{vendor.Extension()}}
	for _, e := range sftpwire.Extensions() {
		if c.permitted(shortName(e.Name)) {
			hello.Extensions = append(hello.Extensions, e)
		}
	}
	c.budget.Expect()
	c.budget.Take(0)
	reply := c.buffers.Get(0)
	reply.B = sftpwire.AppendVersion(reply.B, hello)
	c.out.Send(sftpio.OutPacket{Buffer: reply})
	return nil
}

// next reads a packet. io.EOF: the client has ended the session.
func (c *session) next() (*sftpio.Buffer, error) {
	var header [4]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return nil, c.ended(err)
	}
	n, err := sftpwire.Length(header)
	if err != nil {
		return nil, fmt.Errorf("%w: %x", err, header)
	}
	packet := c.buffers.Get(n)
	if _, err := io.ReadFull(c.in, packet.B); err != nil {
		c.buffers.Put(packet)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, c.ended(err)
	}
	return packet, nil
}

func (c *session) ended(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case err != io.EOF && c.unsent.Load() != nil:
		return fmt.Errorf("the client could not be written to: %w", *c.unsent.Load())
	case err == io.ErrUnexpectedEOF:
		return errHalfPacket
	}
	return err
}

// accept makes an op of a packet and hands it to the order.
func (c *session) accept(packet *sftpio.Buffer) error {
	c.budget.Expect()
	id, r, err := sftpwire.ParseRequest(packet.B)
	if errors.Is(err, sftpwire.ErrNoID) {
		c.buffers.Put(packet)
		return err
	}
	o := c.planPacket(packet, r, err)
	o.ID = id
	if !c.takeRoom(o) {
		c.budget.Skip()
		o.Pass()
		return nil
	}
	// A client that waits for the answer gets it soonest from here. Behind one
	// that has asked for more already, requests are done side by side.
	here := o.Quickness != nil && o.Quickness.Trusted() && c.in.Drained()
	if c.order.Admit(o, here) {
		c.run(o)
	}
	return nil
}

// takeRoom waits until there is room for o in the budget; false: o is not to be done
// any more. Where that lasts, it looks whether the client is there: what takes the room
// may be of no use to anybody.
func (c *session) takeRoom(o *op) bool {
	var lasts <-chan time.Time
	client, ended := c.client.Done(), (<-chan struct{})(nil)
	for {
		freed := c.budget.Freed()
		switch {
		case c.useless(o):
			return false
		case c.budget.Take(o.Cost):
			return true
		case lasts == nil:
			lasts = time.After(lookAfter)
		}
		select {
		case <-freed:
		case <-client:
			client = nil
		case <-lasts:
			if c.present.Err() == nil {
				ended = c.in.Ahead()
			}
		case <-ended:
			ended = nil
			c.over()
		case <-c.ctx.Done():
		}
	}
}

// useless tells whether o need not be done any more, and has it know.
func (c *session) useless(o *op) bool {
	switch {
	case c.ctx.Err() != nil:
		o.Lose(context.Cause(c.ctx))
	case c.client.Err() != nil && !o.Changes():
		o.Lose(errNotClosed)
	default:
		return false
	}
	return true
}

// planPacket is plan for what may not have been understood. It sees to it that
// the packet is given back.
func (c *session) planPacket(packet *sftpio.Buffer, r sftpwire.Request, err error) *op {
	if err != nil {
		kind := sftpwire.Type(packet.B[0])
		c.missing(r, err)
		c.buffers.Put(packet)
		return c.refuseRequest(kind.String(), err)
	}
	o := c.plan(r)
	o.Request = sftpwire.NameOf(r)
	o.Cost += c.buffers.Cost(len(packet.B))
	if kind := packet.B[0]; o.Quickness == nil && int(kind) < len(c.quickness) {
		o.Quickness = &c.quickness[kind]
	}
	if _, ok := r.(*sftpwire.Write); !ok {
		c.buffers.Put(packet)
		return o
	}
	do := o.Do
	o.Do = func() answer {
		defer c.buffers.Put(packet) // where the data lie
		return do()
	}
	return o
}

// refuseRequest answers a packet that could not be understood.
func (c *session) refuseRequest(request string, err error) *op {
	c.log.Debug("request not understood", "user", c.cfg.User.Name, "request", request, "error", err)
	o := c.immediately(say(sftpwire.StatusOf(err)))
	o.Request = request
	return o
}

// missing notes that what r should have written will not be, because of err.
func (c *session) missing(r sftpwire.Request, err error) {
	if w, ok := r.(*sftpwire.Write); ok {
		if f := c.files.file(w.Handle); f != nil {
			f.fail(err)
		}
	}
}

// run does what an op wants and sends the answer.
func (c *session) run(o *op) {
	if c.perform(o) {
		c.out.Write()
	}
}

// perform does what an op wants and hands in the answer. The caller must write
// it if that says so: by then others may go on.
func (c *session) perform(o *op) (write bool) {
	defer c.order.Done(o)
	defer o.Pass()
	defer c.recoverPanic(o)
	c.cfg.Busy.Add(1)
	defer c.cfg.Busy.Add(-1)
	if c.useless(o) {
		return false
	}
	begin := time.Now()
	a := o.Do()
	if o.Quickness != nil {
		o.Quickness.Took(time.Since(begin))
	}
	if a.packet == nil {
		a.packet = c.buffers.Get(0)
		a.packet.B = sftpwire.AppendReply(a.packet.B, o.ID, a.reply)
	}
	o.Wait(c.ctx)
	return c.out.Enqueue(sftpio.OutPacket{Buffer: a.packet, Cost: o.Cost})
}

// recoverPanic ends the session, and nothing else, when a request panics.
func (c *session) recoverPanic(o *op) {
	if p := recover(); p != nil {
		c.cancel(fmt.Errorf("the request %s: %w", o.Request, &ferry.PanicError{Value: p, Stack: debug.Stack()}))
	}
}
