package sftpconn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"ferry"
	"ferry/internal/sftpwire"
)

const (
	// maxCalls is how many requests may be on the way in one session.
	maxCalls = 1024
	// maxHandle is how long a server's handle may be, in bytes (draft-02 §6.3).
	maxHandle = 256
)

// Conn is the stream, shared by all requests. One goroutine reads answers and
// hands each to the call it belongs to; another one writes.
type Conn struct {
	rw      io.ReadWriteCloser
	in      *bufio.Reader // what rw is read through
	out     *output
	slots   chan struct{} // one for each call on the way
	Packets sync.Pool     // *packet
	over    chan struct{} // closed when the session is over
	ended   sync.WaitGroup

	mu    sync.Mutex
	err   error // why it is over
	last  uint32
	calls map[uint32]*Call
}

// Packet is memory for an answer.
type Packet struct{ B []byte }

// Reply is the answer to a call. Data and ExtendedReply lie in packet, which
// the caller gives back; it is nil for all others.
type Reply struct {
	sftpwire.Reply
	Packet *Packet
}

// Call is a request on the way.
type Call struct {
	conn  *Conn
	want  sftpwire.Type // of the answer that is success
	limit int           // how many bytes DATA may bring
	Came  chan Reply    // gets the answer
	left  bool          // nobody waits for it; guarded by conn.mu
}

func New(rw io.ReadWriteCloser) *Conn {
	c := &Conn{
		rw: rw, in: bufio.NewReaderSize(rw, 64<<10), slots: make(chan struct{}, maxCalls), over: make(chan struct{}), calls: make(map[uint32]*Call),
	}
	c.Packets.New = func() any { return new(Packet) }
	c.out = newOutput(c.over)
	return c
}

// Start begins the two goroutines, after Hello.
func (c *Conn) Start() {
	c.ended.Go(func() { c.End(c.read(c.in)) })
	c.ended.Go(func() {
		if err := c.out.run(c.rw); err != nil {
			c.End(Lost(err))
		}
	})
}

// Lost says how the stream ended.
func Lost(err error) error {
	switch {
	case errors.Is(err, ErrProtocol):
		return err
	case err == io.EOF:
		return fmt.Errorf("%w: the server closed it", ErrLost)
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: it ended within a packet", ErrLost)
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// End ends the session because of err, unless it is over already.
func (c *Conn) End(err error) {
	if c.note(err) {
		close(c.over)
		_ = c.rw.Close() // which ends a Read and a Write that wait
	}
}

// note keeps the first reason for the end; false: there was one.
func (c *Conn) note(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.err = err
	return true
}

// Close ends the session and waits until nothing of it runs.
func (c *Conn) Close() {
	c.End(ferry.ErrClosed)
	c.ended.Wait()
}

// Cause is why the session is over.
func (c *Conn) Cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Begin sends a request. Its call must be waited for, or left.
func (c *Conn) Begin(ctx context.Context, r sftpwire.Request) (*Call, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case c.slots <- struct{}{}:
	case <-c.over:
		return nil, c.Cause()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	k := &Call{conn: c, want: answerTo(r), Came: make(chan Reply, 1)}
	if read, ok := r.(*sftpwire.Read); ok {
		k.limit = int(read.Length)
	}
	id := c.enter(k)
	if err := c.out.add(ctx, func(dst []byte) []byte { return sftpwire.AppendRequest(dst, id, r) }); err != nil {
		c.remove(id)
		<-c.slots
		return nil, err
	}
	return k, nil
}

// Post sends a small request whose answer nobody wants to know.
func (c *Conn) Post(r sftpwire.Request) {
	id := c.enter(&Call{conn: c, want: answerTo(r), left: true})
	c.out.force(func(dst []byte) []byte { return sftpwire.AppendRequest(dst, id, r) })
}

// enter gives a call its number.
func (c *Conn) enter(k *Call) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.last++; c.calls[c.last] != nil; c.last++ {
		continue // numbers come round, and this one still waits
	}
	c.calls[c.last] = k
	return c.last
}

// remove takes a call out; nil: there is none of that number.
func (c *Conn) remove(id uint32) *Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.calls[id]
	delete(c.calls, id)
	return k
}

// answerTo is the type of the answer that is success.
func answerTo(r sftpwire.Request) sftpwire.Type {
	switch r.(type) {
	case *sftpwire.Open, *sftpwire.Opendir:
		return sftpwire.TypeHandle
	case *sftpwire.Read:
		return sftpwire.TypeData
	case *sftpwire.Readdir, *sftpwire.Readlink, *sftpwire.Realpath:
		return sftpwire.TypeName
	case *sftpwire.Stat, *sftpwire.Lstat, *sftpwire.Fstat:
		return sftpwire.TypeAttrs
	case *sftpwire.Limits, *sftpwire.Statvfs:
		return sftpwire.TypeExtendedReply
	}
	return sftpwire.TypeStatus
}

// Wait gives the answer, once it is there. A refusal is a *StatusError. When
// ctx ends first, or the session, the answer is dropped.
func (k *Call) Wait(ctx context.Context) (Reply, error) {
	select {
	case r := <-k.Came:
		return r.checked()
	case <-ctx.Done():
		k.Leave()
		return Reply{}, context.Cause(ctx)
	case <-k.conn.over:
	}
	select {
	case r := <-k.Came: // in time
		return r.checked()
	default:
		return Reply{}, k.conn.Cause()
	}
}

// checked makes a refusal an error.
func (r Reply) checked() (Reply, error) {
	if s, ok := r.Reply.(*sftpwire.Status); ok && s.Code != sftpwire.OK {
		return Reply{}, statusError(s)
	}
	return r, nil
}

// Leave is for a call whose answer is not wanted any more.
func (k *Call) Leave() {
	k.conn.mu.Lock()
	k.left = true
	var came []Reply
	select {
	case r := <-k.Came:
		came = append(came, r)
	default:
	}
	k.conn.mu.Unlock()
	for _, r := range came {
		k.conn.drop(r)
	}
}

// drop undoes what an answer has brought that nobody wants.
func (c *Conn) drop(r Reply) {
	c.Recycle(r.Packet)
	if h, ok := r.Reply.(*sftpwire.Handle); ok {
		c.Post(&sftpwire.Close{Handle: h.Handle})
	}
}

// Recycle gives memory back; nil is fine.
func (c *Conn) Recycle(p *Packet) {
	if p != nil {
		c.Packets.Put(p)
	}
}

// read takes answers off the stream until it ends.
func (c *Conn) read(in *bufio.Reader) error {
	for {
		p, err := c.next(in)
		if err != nil {
			return Lost(err)
		}
		if err := c.accept(p); err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
	}
}

// next reads a packet.
func (c *Conn) next(in *bufio.Reader) (*Packet, error) {
	n, err := ReadLength(in)
	if err != nil {
		return nil, err
	}
	p := c.Packets.Get().(*Packet)
	if cap(p.B) < n {
		p.B = make([]byte, n)
	}
	p.B = p.B[:n]
	if _, err := io.ReadFull(in, p.B); err != nil {
		return nil, Within(err)
	}
	return p, nil
}

// ReadLength reads what a packet begins with. io.EOF: the stream ended before
// it.
func ReadLength(in io.Reader) (int, error) {
	var header [4]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return 0, err
	}
	n, err := sftpwire.Length(header)
	if err != nil {
		return 0, fmt.Errorf("%w: %w (%q)", ErrProtocol, err, header)
	}
	return n, nil
}

// Within is for an error that comes where a packet has begun.
func Within(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// accept hands an answer to its call. An error says what is wrong with it.
func (c *Conn) accept(p *Packet) error {
	id, answer, err := sftpwire.ParseReply(p.B)
	if err != nil {
		return fmt.Errorf("an answer of type %d: %w", p.B[0], err)
	}
	r := Reply{Reply: answer}
	switch answer.(type) {
	case *sftpwire.Data, *sftpwire.ExtendedReply:
		r.Packet = p
	default:
		c.Recycle(p)
	}
	k := c.remove(id)
	if k == nil {
		return fmt.Errorf("an answer to request %d, which was not made", id)
	}
	if k.Came != nil { // a posted one took no slot
		<-c.slots
	}
	if err := k.allows(answer); err != nil {
		return err
	}
	if !k.hand(r) {
		c.drop(r)
	}
	return nil
}

// hand gives the answer to whoever waits; false: nobody does.
func (k *Call) hand(r Reply) bool {
	k.conn.mu.Lock()
	defer k.conn.mu.Unlock()
	if k.left {
		return false
	}
	k.Came <- r
	return true
}

// allows tells whether the protocol allows the answer.
func (k *Call) allows(r sftpwire.Reply) error {
	switch r := r.(type) {
	case *sftpwire.Status:
		if r.Code == sftpwire.OK && k.want != sftpwire.TypeStatus {
			return fmt.Errorf("success without what was asked for (an answer of type %d)", k.want)
		}
		if r.Code == sftpwire.EOF && k.want != sftpwire.TypeData && k.want != sftpwire.TypeName {
			return errors.New("the end of a file where nothing was read")
		}
		return nil
	case *sftpwire.Data:
		if k.want == sftpwire.TypeData && (len(r.Data) == 0 || len(r.Data) > k.limit) {
			return fmt.Errorf("%d bytes of data, where 1 to %d were asked for", len(r.Data), k.limit)
		}
	case *sftpwire.Handle:
		if len(r.Handle) > maxHandle {
			return fmt.Errorf("a handle of %d bytes", len(r.Handle))
		}
	}
	if r.Type() != k.want {
		return fmt.Errorf("an answer of type %d where type %d was due", r.Type(), k.want)
	}
	return nil
}
