package sshserver

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// deaf is a connection whose client stops to read.
type deaf struct {
	net.Conn
	stop atomic.Bool
	end  chan struct{}
	sent atomic.Int64
}

func (d *deaf) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	if d.stop.Load() {
		<-d.end
		return 0, io.EOF
	}
	return n, err
}

func (d *deaf) Write(p []byte) (int, error) {
	n, err := d.Conn.Write(p)
	d.sent.Add(int64(n))
	return n, err
}

// TestThreat17DeafClientsCostLittle: clients that send requests and read no answer, on
// every channel that they may have, cost the server a bounded piece of memory each, be it
// that the requests are large or that each byte comes in a packet of its own. What is
// measured has the clients in it; of writes, each channel holds half a packet.
func TestThreat17DeafClientsCostLittle(t *testing.T) {
	for name, c := range map[string]struct {
		channels int
		request  []byte
		at       int // bytes of it in each packet
		most     int64
	}{
		"reads":           {1, sftpwire.AppendRequest(nil, 9, &sftpwire.Read{Handle: "\x00\x00\x00\x00\x00\x00\x00\x01", Length: 255 << 10}), 1 << 20, 2 << 20},
		"writes":          {1, sftpwire.AppendRequest(nil, 9, &sftpwire.Write{Handle: "\x00\x00\x00\x00\x00\x00\x00\x01", Data: make([]byte, 255<<10)}), 1 << 20, 2 << 20},
		"bytes":           {1, sftpwire.AppendRequest(nil, 9, &sftpwire.Read{Handle: "\x00\x00\x00\x00\x00\x00\x00\x01", Length: 255 << 10}), 1, 2 << 20},
		"on ten channels": {10, sftpwire.AppendRequest(nil, 9, &sftpwire.Read{Handle: "\x00\x00\x00\x00\x00\x00\x00\x01", Length: 255 << 10}), 1 << 20, 4 << 20},
		"writes, ten":     {10, sftpwire.AppendRequest(nil, 9, &sftpwire.Write{Handle: "\x00\x00\x00\x00\x00\x00\x00\x01", Data: make([]byte, 255<<10)}), 1 << 20, 6 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			clients := int64(4)
			if c.at == 1 {
				clients = 2 // or they would be long about it
			}
			h := newHarbour(t).Open()
			put(t, h)
			before := heap()
			var all []*deaf
			for range clients {
				all = append(all, h.deafClient(c.channels, c.request, c.at))
			}
			settle(all)
			each := (heap() - before) / clients
			t.Logf("%d KiB each, with what the clients themselves have; %d KiB sent", each>>10, all[0].sent.Load()>>10)
			if each > c.most {
				t.Errorf("a client that reads nothing costs %d KiB", each>>10)
			}
		})
	}
}

// TestBacklogHoldsBack: of a client whose programs wait for it little is read, of one whose
// programs wait for a storage more, and where all programs wait for more there is none:
// what SSH adds to what they take does not hold the client up.
func TestBacklogHoldsBack(t *testing.T) {
	for name, c := range map[string]struct {
		bytes int
		state func(b *backlog)
		holds bool
	}{
		"a program writes":                              {deafBacklog, func(b *backlog) { b.writing++ }, true},
		"a program writes, and little came":             {deafBacklog - 1, func(b *backlog) { b.writing++ }, false},
		"a program is at work":                          {deafBacklog, func(*backlog) {}, false},
		"a program is at work, and much came":           {mostBacklog, func(*backlog) {}, true},
		"what was taken is told of behind what is sent": {mostBacklog, func(b *backlog) { b.reading, b.sending = 1, 1 }, true},
		"one waits to write, all for more":              {1 << 30, func(b *backlog) { b.reading++; b.writing++ }, false},
		"a channel is being refused":                    {mostBacklog, func(b *backlog) { b.streams, b.busy = 0, 1 }, true},
		"all programs wait for more":                    {1 << 30, func(b *backlog) { b.reading++ }, false},
		"no program runs":                               {1 << 30, func(b *backlog) { b.streams = 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &backlog{streams: 1}
				c.state(b)
				b.came(c.bytes)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if b.wait(ctx); (ctx.Err() != nil) != c.holds {
					t.Errorf("held back: %v", ctx.Err() != nil)
				}
				if !c.holds {
					return
				}
				waited := make(chan struct{})
				go func() { defer close(waited); b.wait(t.Context()) }()
				synctest.Wait()
				b.change(func() { b.taken(c.bytes / 2) })
				<-waited
			})
		})
	}
}

// TestSlowChannelHoldsUpNoOther: where the storage takes nothing of an upload, all that its
// channel may send is taken off the connection, and another channel is served.
func TestSlowChannelHoldsUpNoOther(t *testing.T) {
	h := newHarbour(t)
	stuck := make(chan struct{})
	h.over = func(files ferry.FS) ferry.FS { return stuckFS{files, stuck} }
	h.Open()
	client := h.enter()
	upload, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := upload.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := upload.Start("scp -t /"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, _ = io.WriteString(in, "C0644 3000000 f\n"+string(make([]byte, 3_000_000))+"\x00")
		_ = in.Close()
		ended <- upload.Wait()
	}()
	for range 20 {
		if out, _, err := run(t, client, "pwd", ""); err != nil || out != "/\n" {
			t.Fatalf("another channel hears %q, %v", out, err)
		}
	}
	close(stuck)
	if err := <-ended; err != nil {
		t.Errorf("the upload: %v", err)
	}
}

// stuckFS has uploads that wait.
type stuckFS struct {
	ferry.FS
	until chan struct{}
}

func (s stuckFS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	return stuckHandle{h, s.until}, err
}

type stuckHandle struct {
	ferry.Handle
	until chan struct{}
}

func (s stuckHandle) WriteAt(p []byte, off int64) (int, error) {
	<-s.until
	return s.Handle.WriteAt(p, off)
}

// put stores a file of 1 MiB.
func put(t *testing.T, h *harbour) {
	t.Helper()
	if _, stderr, err := run(t, h.enter(), "scp -t /", "C0644 1048576 f\n"+string(make([]byte, 1<<20))+"\x00"); err != nil {
		t.Fatal(err, stderr)
	}
}

// deafClient logs in, begins sessions of SFTP with /f open, and then sends requests for
// ever, and reads nothing.
func (h *harbour) deafClient(channels int, request []byte, piece int) *deaf {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} { // what the kernel holds is filled soon
		_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
		_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	}
	go h.srv.Handle(far)
	d := &deaf{Conn: near, end: make(chan struct{})}
	conn, offered, requests, err := ssh.NewClientConn(d, "server", &ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		h.t.Fatal(err)
	}
	client := ssh.NewClient(conn, offered, requests)
	h.t.Cleanup(func() { close(d.end); client.Close() })
	var streams []ssh.Channel
	for range channels {
		s, requests, err := client.OpenChannel("session", nil)
		if err != nil {
			h.t.Fatal(err)
		}
		go ssh.DiscardRequests(requests)
		if _, err := s.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"})); err != nil {
			h.t.Fatal(err)
		}
		hello := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
		hello = sftpwire.AppendRequest(hello, 1, &sftpwire.Open{Name: "/f", Flags: sftptest.Rd | sftptest.Wr})
		if _, err := s.Write(hello); err != nil {
			h.t.Fatal(err)
		}
		for range 2 {
			if _, err := sftptest.ReadPacket(s); err != nil {
				h.t.Fatal(err)
			}
		}
		streams = append(streams, s)
	}
	d.stop.Store(true)
	for _, s := range streams {
		go func() {
			for {
				for at := 0; at < len(request); at += piece {
					if _, err := s.Write(request[at:min(at+piece, len(request))]); err != nil {
						return
					}
				}
			}
		}()
	}
	return d
}

// settle waits until no client can send any more.
func settle(all []*deaf) {
	for last, same := int64(-1), 0; same < 20; {
		time.Sleep(20 * time.Millisecond) // there is no event for what does not happen
		sum := int64(0)
		for _, d := range all {
			sum += d.sent.Load()
		}
		if same++; sum != last {
			last, same = sum, 0
		}
	}
}

// heap is what lives on it and on the stacks, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
