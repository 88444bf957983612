package ftpserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/ftpport"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
)

// What only TCP can show: resets, urgent data, segments, and which of two
// connections ended first. Nothing here waits for time to pass; the deadlines
// are there for a server that is broken.

// tcpWorld is a server on loopback.
type tcpWorld struct {
	t    *testing.T
	tree *mem.Tree
	addr string
	left chan error // why each session ended, nil for QUIT
}

func newTCPWorld(t *testing.T) *tcpWorld {
	t.Helper()
	w := &tcpWorld{t: t, tree: mem.New(mem.Config{}), left: make(chan error, 16)}
	g := gate.New(gate.Config{
		Auth:    scriptUsers{},
		Files:   gatetest.Files(w.tree.For),
		Cluster: cluster.NewAlone(),
		Limits:  gate.Limits{FailDelay: -1},
		Events: func(e ferry.Event) {
			if e.Kind == ferry.EventDisconnect {
				w.left <- e.Err
			}
		},
	})
	srv, err := New(Config{Gate: g, Ports: ftpport.Policy{First: 30000, Last: 32000}})
	if err != nil {
		t.Fatal(err)
	}
	// As internal/listen does: urgent data arrives among the rest.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		cerr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1) })
		return firstError(cerr, err)
	}}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go srv.Handle(nc)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Shutdown(ctx)
	})
	return w
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// tcpClient is one control connection. Its methods end the test where the
// server does not answer as expected.
type tcpClient struct {
	*net.TCPConn
	t *testing.T
	r *bufio.Reader
}

// login dials and logs in as alice, in TYPE I.
func (w *tcpWorld) login() *tcpClient {
	w.t.Helper()
	c := &tcpClient{t: w.t, TCPConn: w.dial(w.addr)}
	c.r = bufio.NewReader(c.TCPConn)
	c.Expect("220")
	c.do("USER alice", "331")
	c.do("PASS secret", "230")
	c.do("TYPE I", "200")
	return c
}

func (w *tcpWorld) dial(addr string) *net.TCPConn {
	w.t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	return nc.(*net.TCPConn)
}

func (c *tcpClient) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatalf("%.40q: %v", text, err)
	}
}

func (c *tcpClient) Expect(code string) string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, code) {
		c.t.Fatalf("got %q, %v; want %s", line, err, code)
	}
	return line
}

func (c *tcpClient) do(line, code string) string {
	c.t.Helper()
	c.say(line + "\r\n")
	return c.Expect(code)
}

// passive brings a data connection.
func (w *tcpWorld) passive(c *tcpClient) *net.TCPConn {
	w.t.Helper()
	port, err := ftpwire.ParseEPSV(c.do("EPSV", "229"))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.dial(fmt.Sprintf("127.0.0.1:%d", port))
}

// file is what everybody sees under a name; false: nothing.
func (w *tcpWorld) file(name ferry.Name) (string, bool) {
	w.t.Helper()
	tree := w.tree.For(ferry.User{Name: "observer"})
	defer tree.Close()
	h, err := tree.Open(w.t.Context(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return "", false
	}
	defer h.Abort(nil)
	all, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<40))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(all), true
}

// urgent sends text, its last byte as the urgent one.
func (c *tcpClient) urgent(text string) {
	c.t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		c.t.Fatal(err)
	}
	var serr error
	err = raw.Write(func(fd uintptr) bool {
		serr = unix.Sendto(int(fd), []byte(text), unix.MSG_OOB, nil)
		return serr != unix.EAGAIN
	})
	if err := firstError(err, serr); err != nil {
		c.t.Fatal(err)
	}
}

func TestTCPAbortWithUrgentData(t *testing.T) {
	for _, form := range []struct{ name, urgent, rest string }{
		{"IAC IP IAC, DM urgent", "\xff\xf4\xff\xf2", "ABOR\r\n"},
		{"IAC IP, IAC urgent, DM", "\xff\xf4\xff", "\xf2ABOR\r\n"},
		{"ABOR with its LF urgent, as Python does", "ABOR\r\n", ""},
		{"no DM at all", "\xff\xf4\xff", "ABOR\r\n"},
	} {
		t.Run(form.name, func(t *testing.T) {
			w := newTCPWorld(t)
			c := w.login()
			data := w.passive(c)
			c.do("STOR f", "150")
			if _, err := io.WriteString(data, "half"); err != nil {
				t.Fatal(err)
			}
			c.urgent(form.urgent)
			c.say(form.rest)
			c.Expect("426")
			c.Expect("226")
			c.do("NOOP", "200")
			if _, ok := w.file("/f"); ok {
				t.Error("an aborted upload is there")
			}
		})
	}
}

func TestTCPResetDuringUpload(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	data := w.passive(c)
	c.do("STOR f", "150")
	if _, err := io.WriteString(data, "half"); err != nil {
		t.Fatal(err)
	}
	_ = data.SetLinger(0)
	_ = data.Close()
	c.Expect("426")
	if _, ok := w.file("/f"); ok {
		t.Error("a broken upload is there")
	}
}

// TestTCPControlEndsBeforeData: a client that died closes both connections;
// where the control connection's end came first, the upload is none (ftpcontrol.Fate).
func TestTCPControlEndsBeforeData(t *testing.T) {
	for _, how := range []string{"close", "half close", "reset", "close behind 3,000 commands", "close behind megabytes"} {
		t.Run(how, func(t *testing.T) {
			w := newTCPWorld(t)
			c := w.login()
			data := w.passive(c)
			c.do("STOR f", "150")
			if _, err := io.WriteString(data, "half"); err != nil {
				t.Fatal(err)
			}
			switch how {
			case "half close":
				_ = c.CloseWrite()
			case "close behind 3,000 commands":
				c.say(strings.Repeat("HASH f\r\n", 3000))
				_ = c.Close()
			case "close behind megabytes": // the server need not read them all
				_, _ = io.WriteString(c, strings.Repeat("HASH f\r\n", 1<<20))
				_ = c.Close()
			case "reset":
				_ = c.SetLinger(0)
				fallthrough
			default:
				_ = c.Close()
			}
			_ = data.Close()
			if err := <-w.left; err == nil {
				t.Error("the session ended as if by QUIT")
			}
			if _, ok := w.file("/f"); ok {
				t.Error("the upload of a client that died is there")
			}
		})
	}
}

// TestTCPQuitBehindUpload: who said QUIT may leave before the end of the data.
func TestTCPQuitBehindUpload(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	data := w.passive(c)
	c.do("STOR f", "150")
	c.say("QUIT\r\n")
	_ = c.CloseWrite()
	if _, err := io.WriteString(data, "whole"); err != nil {
		t.Fatal(err)
	}
	_ = data.CloseWrite()
	c.Expect("226")
	c.Expect("221")
	if err := <-w.left; err != nil {
		t.Errorf("the session ended with %v", err)
	}
	if got, _ := w.file("/f"); got != "whole" {
		t.Errorf("the file has %q", got)
	}
}

// TestTCPUploadThenGone: the data has ended and 226 is said; a camera does not
// read it.
func TestTCPUploadThenGone(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	data := w.passive(c)
	c.do("STOR f", "150")
	if _, err := io.WriteString(data, "whole"); err != nil {
		t.Fatal(err)
	}
	_ = data.Close()
	if _, err := c.r.Peek(1); err != nil { // the 226 is on its way
		t.Fatal(err)
	}
	_ = c.SetLinger(0)
	_ = c.Close()
	<-w.left
	if got, _ := w.file("/f"); got != "whole" {
		t.Errorf("the file has %q", got)
	}
}

func TestTCPLongLineAndSegments(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	c.say(strings.Repeat("A", 64<<10) + "\r\n")
	c.Expect("500")
	if err := c.SetNoDelay(true); err != nil {
		t.Fatal(err)
	}
	for _, b := range "MKD made in twenty.\r\n" {
		c.say(string(b))
	}
	if line := c.Expect("257"); !strings.Contains(line, `"/made in twenty."`) {
		t.Errorf("got %q", line)
	}
	c.say(strings.Repeat("NOOP\r\n", 100))
	for range 100 {
		c.Expect("200")
	}
}

// TestTCPCutDownload: a download that does not end well ends in a reset, so that
// nobody takes it for whole.
func TestTCPCutDownload(t *testing.T) {
	w := newTCPWorld(t)
	tree := w.tree.For(ferry.User{Name: "alice"})
	if err := makeFile(t.Context(), tree, "/big", strings.Repeat("x", 64<<20), false); err != nil {
		t.Fatal(err)
	}
	c := w.login()
	data := w.passive(c)
	c.do("RETR big", "150")
	if _, err := io.ReadFull(data, make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	_ = c.CloseWrite()
	n, err := io.Copy(io.Discard, data)
	if err == nil {
		t.Errorf("%d bytes and a clean end, of a download that was cut off", n)
	}
}

func TestTCPStrangerIsReset(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	port, err := ftpwire.ParseEPSV(c.do("EPSV", "229"))
	if err != nil {
		t.Fatal(err)
	}
	stranger := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	if nc, err := stranger.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil { // the reset may be that quick
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(time.Minute))
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a stranger got %d bytes, %v", n, err)
		}
	}
	data := w.dial(fmt.Sprintf("127.0.0.1:%d", port))
	c.do("NLST", "150")
	if _, err := io.ReadAll(data); err != nil {
		t.Error(err)
	}
	c.Expect("226")
}

func TestTCPActive(t *testing.T) {
	w := newTCPWorld(t)
	c := w.login()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr).AddrPort()
	c.do("PORT "+string(ftpwire.AppendPORT(nil, at)), "200")
	c.do("STOR f", "150")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(nc, "active"); err != nil {
		t.Fatal(err)
	}
	_ = nc.Close()
	c.Expect("226")
	if got, _ := w.file("/f"); got != "active" {
		t.Errorf("the file has %q", got)
	}
	// nobody listens any more: refused at once
	_ = l.Close()
	c.do("PORT "+string(ftpwire.AppendPORT(nil, at)), "200")
	c.do("RETR f", "150")
	c.Expect("425")
}
