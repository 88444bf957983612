package fstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"ferry"
)

func transfers() []promise {
	return []promise{
		{text: "SendTo sends what is asked for, over a pipe", test: func(e *env) { sendSpans(e, pipe) }},
		{text: "SendTo sends what is asked for, over TCP", test: func(e *env) { sendSpans(e, loopback) }, real: true},
		{text: "ReceiveFrom writes what comes, over a pipe", test: func(e *env) { receiveSpans(e, pipe) }},
		{text: "ReceiveFrom writes what comes, over TCP", test: func(e *env) { receiveSpans(e, loopback) }, real: true},
		{text: "ReceiveFrom takes no byte more than it was asked for, over a pipe", test: func(e *env) { receiveLeaves(e, pipe) }},
		{text: "ReceiveFrom takes no byte more than it was asked for, over TCP", test: func(e *env) { receiveLeaves(e, loopback) }, real: true},
		{text: "a deadline ends SendTo with the right count, over a pipe", test: sendDeadlinePipe},
		{text: "a deadline ends SendTo with the right count, over TCP", test: sendDeadlineTCP, real: true},
		{text: "a deadline ends ReceiveFrom with the right count, over a pipe", test: receiveDeadlinePipe},
		{text: "a deadline ends ReceiveFrom with the right count, over TCP", test: receiveDeadlineTCP, real: true},
		{text: "an interruption ends transfers with its cause, over a pipe", test: func(e *env) { interrupted(e, pipe) }},
		{text: "an interruption ends transfers with its cause, over TCP", test: func(e *env) { interrupted(e, loopback) }, real: true},
		{text: "a reset ends ReceiveFrom with the right count", test: receiveReset, real: true},
		{text: "a peer that is gone ends SendTo with its error", test: sendGone},
		{text: "a context that is done ends transfers and List", test: cancelled},
		{text: "transfers through a handle for the other way are refused", test: wrongWay},
		{text: "a large upload and download over TCP come through whole", test: largeTCP, real: true},
	}
}

// pair is a connection and its peer, both closed when the test ends.
type pair func(e *env) (conn, peer net.Conn)

func pipe(e *env) (conn, peer net.Conn) {
	conn, peer = net.Pipe()
	e.Cleanup(func() {
		_ = conn.Close()
		_ = peer.Close()
	})
	return conn, peer
}

// loopback is a pair of *net.TCPConn, what backends know how to splice.
func loopback(e *env) (conn, peer net.Conn) {
	e.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	conn, err = net.Dial("tcp", l.Addr().String())
	e.must(err)
	peer, err = l.Accept()
	e.must(err)
	e.must(l.Close())
	e.Cleanup(func() {
		_ = conn.Close()
		_ = peer.Close()
	})
	return conn, peer
}

// arriving collects what comes in at peer until its end.
func arriving(peer net.Conn) <-chan []byte {
	all := make(chan []byte, 1)
	go func() {
		p, _ := io.ReadAll(peer) // a reset is an end like any other
		all <- p
	}()
	return all
}

func sendSpans(e *env, connect pair) {
	f := e.as("alice")
	whole := pattern(3, 300_000)
	e.upload(f, "/a", string(whole))
	for _, row := range []struct{ off, n, want int64 }{
		{0, -1, 300_000},
		{0, 300_000, 300_000},
		{0, 300_001, 300_000},
		{0, 0, 0},
		{1, 10, 10},
		{70_000, 131_073, 131_073},
		{299_999, -1, 1},
		{300_000, -1, 0},
		{300_000, 5, 0},
		{1 << 40, -1, 0},
	} {
		conn, peer := connect(e)
		all := arriving(peer)
		h := e.open(f, "/a", ferry.Read)
		n, err := h.SendTo(context.Background(), ferry.NewDataConn(conn), row.off, row.n)
		e.must(conn.Close())
		e.must(h.Commit())
		begin := min(row.off, int64(len(whole)))
		if got := <-all; n != row.want || err != nil || !bytes.Equal(got, whole[begin:begin+row.want]) {
			e.Errorf("SendTo %d from %d: %d, %v, %d bytes arrived; want %d", row.n, row.off, n, err, len(got), row.want)
		}
	}
}

func receiveSpans(e *env, connect pair) {
	f := e.as("alice")
	for n, row := range []struct {
		before         string
		off, n         int64
		sent, received int64
	}{
		{"", 0, -1, 300_000, 300_000},
		{"", 0, -1, 1, 1},
		{"", 0, -1, 0, 0},
		{"", 0, 400_000, 300_000, 300_000},
		{"", 0, 300_000, 300_000, 300_000},
		{"begin", 5, -1, 131_073, 131_073},
		{"begin", 100_000, -1, 10, 10},
		{"a longer beginning", 2, -1, 3, 3},
		{"begin", 5, 0, 0, 0},
	} {
		name := fmt.Sprintf("/%d", n)
		sent := pattern(n, row.sent)
		conn, peer := connect(e)
		h := e.open(f, ferry.Name(name), ferry.Replace)
		e.put(h, row.before, 0)
		go func() {
			_, _ = peer.Write(sent)
			_ = peer.Close()
		}()
		got, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), row.off, row.n)
		if got != row.received || err != nil {
			e.Errorf("ReceiveFrom %d at %d of %d: %d, %v; want %d", row.n, row.off, row.sent, got, err, row.received)
		}
		e.must(h.Commit())
		want := make([]byte, max(int64(len(row.before)), row.off+row.received))
		if row.received == 0 {
			want = want[:len(row.before)]
		}
		copy(want, row.before)
		copy(want[min(int64(len(want)), row.off):], sent)
		e.holds(f, ferry.Name(name), string(want))
	}
}

func receiveLeaves(e *env, connect pair) {
	f := e.as("alice")
	conn, peer := connect(e)
	h := e.open(f, "/a", ferry.Replace)
	go func() {
		_, _ = peer.Write([]byte("firstsecondrest"))
		_ = peer.Close()
	}()
	for _, row := range []struct{ off, n int64 }{{0, 5}, {5, 6}} {
		if n, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), row.off, row.n); n != row.n || err != nil {
			e.Errorf("ReceiveFrom: %d, %v; want %d", n, err, row.n)
		}
	}
	rest, err := io.ReadAll(conn)
	if string(rest) != "rest" || err != nil {
		e.Errorf("what was left is %q, %v; want %q", rest, err, "rest")
	}
	e.must(h.Commit())
	e.holds(f, "/a", "firstsecond")
}

func sendDeadlinePipe(e *env) {
	f := e.as("alice")
	whole := pattern(5, 500_000)
	e.upload(f, "/a", string(whole))
	conn, peer := pipe(e)
	data := ferry.NewDataConn(conn)
	const read = 200_001
	got := make([]byte, read)
	go func() { _, _ = io.ReadFull(peer, got) }()
	data.WaitUntil(time.Now().Add(time.Minute))
	h := e.open(f, "/a", ferry.Read)
	n, err := h.SendTo(context.Background(), data, 0, -1)
	if n != read || !errors.Is(err, os.ErrDeadlineExceeded) || !bytes.Equal(got, whole[:read]) {
		e.Errorf("SendTo: %d, %v; want %d and a deadline", n, err, read)
	}
	e.must(h.Abort(err))
}

func sendDeadlineTCP(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.must(h.Truncate(64 << 20)) // more than two socket buffers take
	e.must(h.Commit())
	conn, peer := loopback(e)
	data := ferry.NewDataConn(conn)
	h = e.open(f, "/a", ferry.Read)
	data.WaitUntil(time.Now().Add(50 * time.Millisecond))
	n, err := h.SendTo(context.Background(), data, 0, -1)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		e.Errorf("SendTo to a peer that does not read: %d, %v; want a deadline", n, err)
	}
	data.WaitUntil(time.Time{})
	e.must(conn.Close())
	if got := <-arriving(peer); int64(len(got)) != n {
		e.Errorf("SendTo counts %d bytes, %d arrived", n, len(got))
	}
	e.must(h.Abort(err))
}

func receiveDeadlinePipe(e *env) {
	f := e.as("alice")
	sent := pattern(9, 150_000)
	conn, peer := pipe(e)
	data := ferry.NewDataConn(conn)
	go func() { _, _ = peer.Write(sent) }()
	data.WaitUntil(time.Now().Add(time.Minute))
	h := e.open(f, "/a", ferry.Replace)
	n, err := h.ReceiveFrom(context.Background(), data, 0, -1)
	if n != int64(len(sent)) || !errors.Is(err, os.ErrDeadlineExceeded) {
		e.Errorf("ReceiveFrom: %d, %v; want %d and a deadline", n, err, len(sent))
	}
	if got := e.seen(h); got != string(sent) {
		e.Errorf("%d bytes were written, want the %d that came", len(got), len(sent))
	}
	e.must(h.Abort(err))
	e.part(f, "/a", n)
}

func receiveDeadlineTCP(e *env) {
	f := e.as("alice")
	sent := pattern(9, 3_000_000)
	conn, peer := loopback(e)
	data := ferry.NewDataConn(conn)
	hold := make(chan struct{})
	wrote := make(chan error, 1)
	go func() {
		_, err := peer.Write(sent)
		<-hold
		wrote <- errors.Join(err, peer.Close())
	}()
	h := e.open(f, "/a", ferry.Replace)
	data.WaitUntil(time.Now().Add(50 * time.Millisecond))
	first, err := h.ReceiveFrom(context.Background(), data, 0, -1)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		e.Errorf("ReceiveFrom of a peer that says no more: %d, %v; want a deadline", first, err)
	}
	if i, err := h.Stat(); err != nil || i.Size != first {
		e.Errorf("ReceiveFrom counts %d bytes, the file has %d, %v", first, i.Size, err)
	}
	close(hold)
	data.WaitUntil(time.Time{})
	second, err := h.ReceiveFrom(context.Background(), data, first, -1)
	e.must(err)
	e.must(<-wrote)
	if first+second != int64(len(sent)) {
		e.Errorf("%d bytes and %d after the deadline, want %d together", first, second, len(sent))
	}
	e.must(h.Commit())
	e.holds(f, "/a", string(sent))
}

func interrupted(e *env, connect pair) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.must(h.Truncate(64 << 20)) // more than two socket buffers take
	conn, peer := connect(e)
	data := ferry.NewDataConn(conn)
	sent := pattern(9, 1000)
	go func() {
		_, _ = peer.Write(sent)
		data.Interrupt(ferry.ErrKicked)
	}()
	if n, err := h.ReceiveFrom(context.Background(), data, 0, -1); n > 1000 || !errors.Is(err, ferry.ErrKicked) {
		e.Errorf("ReceiveFrom: %d, %v; want up to 1000 and %v", n, err, ferry.ErrKicked)
	}
	conn, peer = connect(e)
	data = ferry.NewDataConn(conn)
	go func() {
		_, _ = io.ReadFull(peer, make([]byte, 1000))
		data.Interrupt(ferry.ErrKicked)
	}()
	if n, err := h.SendTo(context.Background(), data, 0, -1); n < 1000 || !errors.Is(err, ferry.ErrKicked) {
		e.Errorf("SendTo: %d, %v; want at least 1000 and %v", n, err, ferry.ErrKicked)
	}
	e.must(h.Abort(nil))
}

func receiveReset(e *env) {
	f := e.as("alice")
	sent := pattern(9, 300_000)
	conn, peer := loopback(e)
	e.must(peer.(*net.TCPConn).SetLinger(0))
	go func() {
		_, _ = peer.Write(sent)
		_ = peer.Close()
	}()
	h := e.open(f, "/a", ferry.Replace)
	n, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), 0, -1)
	if err == nil {
		e.Errorf("ReceiveFrom took a reset for an end after %d bytes", n)
	}
	if got := e.seen(h); n > int64(len(sent)) || got != string(sent[:n]) {
		e.Errorf("ReceiveFrom counts %d bytes and wrote %d", n, len(got))
	}
	e.must(h.Abort(err))
	e.part(f, "/a", n)
	e.missing(f, "/a")
}

func sendGone(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", string(pattern(1, 300_000)))
	conn, peer := pipe(e)
	go func() {
		_, _ = io.CopyN(io.Discard, peer, 1000)
		_ = peer.Close()
	}()
	h := e.open(f, "/a", ferry.Read)
	n, err := h.SendTo(context.Background(), ferry.NewDataConn(conn), 0, -1)
	if n != 1000 || !errors.Is(err, io.ErrClosedPipe) {
		e.Errorf("SendTo: %d, %v; want 1000 and %v", n, err, io.ErrClosedPipe)
	}
	e.must(h.Abort(err))
}

func cancelled(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ferry.ErrKicked)
	conn, _ := pipe(e)
	h := e.open(f, "/a", ferry.Update)
	if n, err := h.SendTo(ctx, ferry.NewDataConn(conn), 0, -1); n != 0 || !errors.Is(err, ferry.ErrKicked) {
		e.Errorf("SendTo: %d, %v; want %v", n, err, ferry.ErrKicked)
	}
	if n, err := h.ReceiveFrom(ctx, ferry.NewDataConn(conn), 0, -1); n != 0 || !errors.Is(err, ferry.ErrKicked) {
		e.Errorf("ReceiveFrom: %d, %v; want %v", n, err, ferry.ErrKicked)
	}
	e.must(h.Commit())
	for _, err := range f.List(ctx, "/", ferry.Full) {
		e.want(err, ferry.ErrKicked, "/")
	}
}

func wrongWay(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	conn, _ := pipe(e)
	h := e.open(f, "/a", ferry.Read)
	_, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), 0, -1)
	e.want(err, fs.ErrPermission, "/a")
	_, err = h.SendTo(context.Background(), ferry.NewDataConn(conn), -1, -1)
	e.want(err, fs.ErrInvalid, "/a")
	e.must(h.Abort(nil))
	_, err = h.SendTo(context.Background(), ferry.NewDataConn(conn), 0, -1)
	e.want(err, ferry.ErrClosed, "/a")
	h = e.open(f, "/a", ferry.Update)
	_, err = h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), -1, -1)
	e.want(err, fs.ErrInvalid, "/a")
	e.must(h.Commit())
	_, err = h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), 0, -1)
	e.want(err, ferry.ErrClosed, "/a")
	e.holds(f, "/a", "text")
}

func largeTCP(e *env) {
	f := e.as("alice")
	whole := pattern(11, 9<<20+3)
	conn, peer := loopback(e)
	go func() {
		_, _ = peer.Write(whole)
		_ = peer.Close()
	}()
	h := e.open(f, "/a", ferry.Replace)
	var got int64
	for { // in pieces, as a server under limits does it
		n, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(conn), got, 4<<20)
		e.must(err)
		got += n
		if n < 4<<20 {
			break
		}
	}
	e.must(h.Commit())
	e.holds(f, "/a", string(whole))

	dst, reader := loopback(e)
	all := arriving(reader)
	h = e.open(f, "/a", ferry.Read)
	n, err := h.SendTo(context.Background(), ferry.NewDataConn(dst), 0, -1)
	e.must(err)
	e.must(dst.Close())
	if !bytes.Equal(<-all, whole) || n != int64(len(whole)) {
		e.Errorf("SendTo sent %d bytes, or other ones than the %d of the file", n, len(whole))
	}
	e.must(h.Commit())
}
