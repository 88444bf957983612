package nettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing/synctest"
	"time"
)

// wireRoom is how many bytes one direction of a wire holds before a write has
// to wait, as the buffers of two sockets do.
const WireRoom = 64 << 10

// Wire is one end of a connection in memory that behaves as TCP does where FTP
// can tell: writes do not wait for the reader, either side can end its
// direction alone, and an end can be a reset.
type Wire struct {
	in, Out       *lane
	local, remote netip.AddrPort
	abrupt        atomic.Bool // the close will be a reset
}

// lane is one direction of a wire.
type lane struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	fin     bool // nothing more will be written
	gone    bool // nobody will read
	rst     bool
	ReadBy  time.Time
	writeBy time.Time
}

func NewWire(a, b netip.AddrPort) (atA, atB *Wire) {
	there, back := &lane{}, &lane{}
	there.changed, back.changed = sync.NewCond(&there.mu), sync.NewCond(&back.mu)
	return &Wire{in: back, Out: there, local: a, remote: b}, &Wire{in: there, Out: back, local: b, remote: a}
}

// Change does something to the lane and wakes who waits for it.
func (l *lane) Change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	l.changed.Broadcast()
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (w *Wire) Read(p []byte) (int, error) {
	l := w.in
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.gone:
			return 0, w.fail("read", net.ErrClosed)
		case passed(l.ReadBy):
			return 0, w.fail("read", os.ErrDeadlineExceeded)
		case len(l.buf) > 0:
			n := copy(p, l.buf)
			l.buf = l.buf[n:]
			l.changed.Broadcast()
			return n, nil
		case l.rst:
			return 0, w.fail("read", syscall.ECONNRESET)
		case l.fin:
			return 0, io.EOF
		}
		l.changed.Wait()
	}
}

func (w *Wire) Write(p []byte) (int, error) {
	l := w.Out
	l.mu.Lock()
	defer l.mu.Unlock()
	for done := 0; ; {
		switch {
		case l.fin:
			return done, w.fail("write", net.ErrClosed)
		case passed(l.writeBy):
			return done, w.fail("write", os.ErrDeadlineExceeded)
		case l.rst, l.gone:
			return done, w.fail("write", syscall.EPIPE)
		}
		n := min(len(p)-done, WireRoom-len(l.buf))
		l.buf = append(l.buf, p[done:done+n]...)
		l.changed.Broadcast()
		if done += n; done == len(p) {
			return done, nil
		}
		l.changed.Wait()
	}
}

func (w *Wire) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: w.LocalAddr(), Addr: w.RemoteAddr(), Err: err}
}

// CloseWrite ends this end's direction only.
func (w *Wire) CloseWrite() { w.Out.Change(func() { w.Out.fin = true }) }

// SetLinger is TCP's: with 0 the close becomes a reset.
func (w *Wire) SetLinger(seconds int) error {
	w.abrupt.Store(seconds == 0)
	return nil
}

// Close ends both; what nobody had read becomes a reset, as in TCP.
func (w *Wire) Close() error {
	if w.abrupt.Load() {
		w.in.Change(func() { w.in.gone = true })
		w.Reset()
		return nil
	}
	unread := false
	w.in.Change(func() { unread, w.in.gone = len(w.in.buf) > 0 && !w.in.gone, true })
	w.Out.Change(func() { w.Out.fin, w.Out.rst = true, w.Out.rst || unread })
	return nil
}

// Reset ends the connection as a crash does.
func (w *Wire) Reset() {
	for _, l := range []*lane{w.in, w.Out} {
		l.Change(func() { l.buf, l.rst = nil, true })
	}
}

func (w *Wire) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(w.local) }
func (w *Wire) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(w.remote) }

func (w *Wire) SetDeadline(t time.Time) error {
	_ = w.SetReadDeadline(t)
	return w.SetWriteDeadline(t)
}

func (w *Wire) SetReadDeadline(t time.Time) error {
	w.in.Change(func() { w.in.ReadBy = t })
	w.in.wakeAt(t)
	return nil
}

func (w *Wire) SetWriteDeadline(t time.Time) error {
	w.Out.Change(func() { w.Out.writeBy = t })
	w.Out.wakeAt(t)
	return nil
}

func (l *lane) wakeAt(t time.Time) {
	if !t.IsZero() && !passed(t) {
		time.AfterFunc(time.Until(t), func() { l.Change(func() {}) })
	}
}

// Drain takes everything that comes without time passing, and says whether
// more can come, and whether the end was a reset.
func (w *Wire) Drain() (got []byte, ended, reset bool) {
	for {
		synctest.Wait() // until nothing in the bubble can go on
		n := 0
		w.in.Change(func() {
			n, got = len(w.in.buf), append(got, w.in.buf...)
			w.in.buf = nil
			ended, reset = w.in.fin || w.in.rst, w.in.rst
		})
		if n == 0 {
			return got, ended, reset
		}
	}
}

// Network is a network of wires.
type Network struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*wireListener
	awaited   map[netip.AddrPort]chan *Wire // where clients await the server
	Taken     map[uint16]bool               // ports that other programs listen at
	Opened    int                           // listeners, ever
}

func NewNetwork() *Network {
	return &Network{listeners: map[netip.AddrPort]*wireListener{},
		awaited: map[netip.AddrPort]chan *Wire{}, Taken: map[uint16]bool{}}
}

type wireListener struct {
	n      *Network
	at     netip.AddrPort
	queue  chan *Wire
	closed chan struct{}
	once   sync.Once
}

func (n *Network) Listen(at netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Taken[at.Port()] || n.listeners[at] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
	}
	l := &wireListener{n: n, at: at, queue: make(chan *Wire, 64), closed: make(chan struct{})}
	n.listeners[at] = l
	n.Opened++
	return l, nil
}

// Open is how many listeners there are now.
func (n *Network) Open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.listeners)
}

func (l *wireListener) Accept() (net.Conn, error) {
	select {
	case w := <-l.queue:
		return w, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *wireListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.n.mu.Lock()
		defer l.n.mu.Unlock()
		delete(l.n.listeners, l.at)
	})
	return nil
}

func (l *wireListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// Connect is what a client's connect does.
func (n *Network) Connect(from, to netip.AddrPort) (*Wire, error) {
	n.mu.Lock()
	l := n.listeners[to]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("connection to %s refused", to)
	}
	here, there := NewWire(from, to)
	l.queue <- there
	return here, nil
}

// Await prepares for the server's connection to an address.
func (n *Network) Await(at netip.AddrPort) <-chan *Wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	ch := make(chan *Wire, 1)
	n.awaited[at] = ch
	return ch
}

func (n *Network) Dial(ctx context.Context, local, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	ch := n.awaited[to]
	delete(n.awaited, to)
	n.mu.Unlock()
	if ch == nil {
		<-ctx.Done() // a firewall that swallows the packets
		return nil, errors.Join(context.Cause(ctx), os.ErrDeadlineExceeded)
	}
	here, there := NewWire(local, to)
	ch <- there
	return here, nil
}
