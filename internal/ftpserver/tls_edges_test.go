package ftpserver

import (
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
)

// Commands that wait for a transfer's end may have an AUTH among them. What
// waits behind it came in clear, too (CVE-2011-0411).
func TestThreat10NothingThatWaitedInClearCountsUnderTLS(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.login(clientTLS(tls.VersionTLS13), "alice")
	c.put("f", "content", "226")

	c = s.dial(clientTLS(tls.VersionTLS13))
	c.want("220")
	c.do("USER alice", "331")
	c.do("PASS secret", "230")
	port := c.passivePort()
	c.Send("RETR f\r\nNOOP\r\nREIN\r\nAUTH TLS\r\nUSER alice\r\nPASS secret\r\nPWD")
	c.want("150")
	c.want("200") // from now on the others wait
	_, _ = io.Copy(io.Discard, c.connect(port))
	c.want("226")
	c.want("220")
	c.want("234")
	c.startTLS()
	c.do("PWD", "530")
	c.do("PASS secret", "503")
	if !s.log.has("dropped") {
		t.Error("the log says nothing of the commands that were dropped")
	}
}

// deepConn knows how deep the stack is where it is read.
type deepConn struct {
	net.Conn
	depth chan int
}

func (d deepConn) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	if n > 0 {
		d.depth <- runtime.Callers(0, make([]uintptr, 1000))
	}
	return n, err
}

// A client may go in and out of TLS as often as it likes: nothing is left of it
// (threat 33).
func TestThreat33AuthAndREINLeaveNothingBehind(t *testing.T) {
	s := serveTLS(t, false, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.addr = l.Addr().String()
	depth := make(chan int, 1000)
	c := s.dial(clientTLS(tls.VersionTLS12))
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { s.srv.Handle(deepConn{server, depth}); close(done) }()
	c.want("220")
	const cycles = 30
	var depths []int
	for range cycles {
		c.auth()
		c.do("REIN", "220")
		c.endTLS()
		for len(depth) > 0 {
			<-depth
		}
		c.do("NOOP", "200")
		depths = append(depths, <-depth)
	}
	// A few calls more or less are whether NOOP came together with the end of TLS.
	if depths[cycles-1] >= depths[0]+cycles {
		t.Errorf("the stack grows with each REIN: %v", depths)
	}
	c.do("QUIT", "221")
	<-done
}

// After REIN a session that began with TLS is as it was then: whoever logs in
// next has private data connections unless he says otherwise.
func TestREINOnImplicitTLSForgetsPROT(t *testing.T) {
	s := serveTLS(t, true, nil)
	c := s.dial(clientTLS(tls.VersionTLS13))
	c.startTLS()
	c.want("220")
	login := func() {
		t.Helper()
		c.do("USER alice", "331")
		c.do("PASS secret", "230")
		c.do("TYPE I", "200")
	}
	login()
	c.put("f", "x", "226")
	c.do("PROT C", "200")
	c.do("REIN", "220")
	login()
	c.put("f", "y", "226")
}
