package ftpserver

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
const wireRoom = 64 << 10

// wire is one end of a connection in memory that behaves as TCP does where FTP
// can tell: writes do not wait for the reader, either side can end its
// direction alone, and an end can be a reset.
type wire struct {
	in, out       *lane
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
	readBy  time.Time
	writeBy time.Time
}

func newWire(a, b netip.AddrPort) (atA, atB *wire) {
	there, back := &lane{}, &lane{}
	there.changed, back.changed = sync.NewCond(&there.mu), sync.NewCond(&back.mu)
	return &wire{in: back, out: there, local: a, remote: b}, &wire{in: there, out: back, local: b, remote: a}
}

// change does something to the lane and wakes who waits for it.
func (l *lane) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	l.changed.Broadcast()
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (w *wire) Read(p []byte) (int, error) {
	l := w.in
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.gone:
			return 0, w.fail("read", net.ErrClosed)
		case passed(l.readBy):
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

func (w *wire) Write(p []byte) (int, error) {
	l := w.out
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
		n := min(len(p)-done, wireRoom-len(l.buf))
		l.buf = append(l.buf, p[done:done+n]...)
		l.changed.Broadcast()
		if done += n; done == len(p) {
			return done, nil
		}
		l.changed.Wait()
	}
}

func (w *wire) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: w.LocalAddr(), Addr: w.RemoteAddr(), Err: err}
}

// CloseWrite ends this end's direction only.
func (w *wire) CloseWrite() { w.out.change(func() { w.out.fin = true }) }

// SetLinger is TCP's: with 0 the close becomes a reset.
func (w *wire) SetLinger(seconds int) error {
	w.abrupt.Store(seconds == 0)
	return nil
}

// Close ends both; what nobody had read becomes a reset, as in TCP.
func (w *wire) Close() error {
	if w.abrupt.Load() {
		w.in.change(func() { w.in.gone = true })
		w.Reset()
		return nil
	}
	unread := false
	w.in.change(func() { unread, w.in.gone = len(w.in.buf) > 0 && !w.in.gone, true })
	w.out.change(func() { w.out.fin, w.out.rst = true, w.out.rst || unread })
	return nil
}

// Reset ends the connection as a crash does.
func (w *wire) Reset() {
	for _, l := range []*lane{w.in, w.out} {
		l.change(func() { l.buf, l.rst = nil, true })
	}
}

func (w *wire) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(w.local) }
func (w *wire) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(w.remote) }

func (w *wire) SetDeadline(t time.Time) error {
	_ = w.SetReadDeadline(t)
	return w.SetWriteDeadline(t)
}

func (w *wire) SetReadDeadline(t time.Time) error {
	w.in.change(func() { w.in.readBy = t })
	w.in.wakeAt(t)
	return nil
}

func (w *wire) SetWriteDeadline(t time.Time) error {
	w.out.change(func() { w.out.writeBy = t })
	w.out.wakeAt(t)
	return nil
}

func (l *lane) wakeAt(t time.Time) {
	if !t.IsZero() && !passed(t) {
		time.AfterFunc(time.Until(t), func() { l.change(func() {}) })
	}
}

// drain takes everything that comes without time passing, and says whether
// more can come, and whether the end was a reset.
func (w *wire) drain() (got []byte, ended, reset bool) {
	for {
		synctest.Wait() // until nothing in the bubble can go on
		n := 0
		w.in.change(func() {
			n, got = len(w.in.buf), append(got, w.in.buf...)
			w.in.buf = nil
			ended, reset = w.in.fin || w.in.rst, w.in.rst
		})
		if n == 0 {
			return got, ended, reset
		}
	}
}

// wireNetwork is a network of wires.
type wireNetwork struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*wireListener
	awaited   map[netip.AddrPort]chan *wire // where clients await the server
	taken     map[uint16]bool               // ports that other programs listen at
	opened    int                           // listeners, ever
}

func newWireNetwork() *wireNetwork {
	return &wireNetwork{listeners: map[netip.AddrPort]*wireListener{},
		awaited: map[netip.AddrPort]chan *wire{}, taken: map[uint16]bool{}}
}

type wireListener struct {
	n      *wireNetwork
	at     netip.AddrPort
	queue  chan *wire
	closed chan struct{}
	once   sync.Once
}

func (n *wireNetwork) listen(at netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken[at.Port()] || n.listeners[at] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
	}
	l := &wireListener{n: n, at: at, queue: make(chan *wire, 64), closed: make(chan struct{})}
	n.listeners[at] = l
	n.opened++
	return l, nil
}

// open is how many listeners there are now.
func (n *wireNetwork) open() int {
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

// connect is what a client's connect does.
func (n *wireNetwork) connect(from, to netip.AddrPort) (*wire, error) {
	n.mu.Lock()
	l := n.listeners[to]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("connection to %s refused", to)
	}
	here, there := newWire(from, to)
	l.queue <- there
	return here, nil
}

// await prepares for the server's connection to an address.
func (n *wireNetwork) await(at netip.AddrPort) <-chan *wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	ch := make(chan *wire, 1)
	n.awaited[at] = ch
	return ch
}

func (n *wireNetwork) dial(ctx context.Context, local netip.Addr, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	ch := n.awaited[to]
	delete(n.awaited, to)
	n.mu.Unlock()
	if ch == nil {
		<-ctx.Done() // a firewall that swallows the packets
		return nil, errors.Join(context.Cause(ctx), os.ErrDeadlineExceeded)
	}
	here, there := newWire(netip.AddrPortFrom(local, 20), to)
	ch <- there
	return here, nil
}
