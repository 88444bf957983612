package harness

import (
	"io"
	"net"
	"testing"
)

// wire is a way to a server's control connection that can be cut: what
// happens when a network goes away, or a client before it has sent all.
type wire struct {
	Addr string
	Cut  func()
}

// Cable lays one to a server for one client. Data connections do not go over
// it: clients in EPSV mode make them to the same host.
func Cable(t testing.TB, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	cut := func() {
		_ = listener.Close()
		_ = far.Close()
	}
	t.Cleanup(cut)
	go func() {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go io.Copy(far, near)
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}()
	return &wire{listener.Addr().String(), cut}
}
