package sshserver

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a connection that keeps each write apart.
type counted struct {
	net.Conn
	writes [][]byte
	in     bytes.Reader
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes = append(c.writes, bytes.Clone(p))
	return len(p), nil
}

func (c *counted) Read(p []byte) (int, error) { return c.in.Read(p) }

func TestSocketGathersWhileHeld(t *testing.T) {
	synctest.Test(t, gathersWhileHeld) // where no time goes by
}

func gathersWhileHeld(t *testing.T) {
	under := new(counted)
	s := newBufferedConn(t.Context(), under, new(writeBuffers))
	write := func(n int) {
		if _, err := s.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	write(10)
	s.hold()
	s.hold() // another channel
	write(4096)
	write(28 << 10)
	s.release()
	write(100)
	if len(under.writes) != 1 {
		t.Errorf("%d writes while it was held, want those before", len(under.writes)-1)
	}
	s.release()
	write(20)
	s.hold()
	for range 10 {
		write(32 << 10) // more than there is room for
	}
	s.release()
	var sizes []int
	for _, w := range under.writes {
		sizes = append(sizes, len(w))
	}
	want := []int{10, 4096 + 28<<10 + 100, 20, 256 << 10, 64 << 10}
	if len(sizes) != len(want) {
		t.Fatalf("writes of %v, want %v", sizes, want)
	}
	for i := range want {
		if sizes[i] != want[i] {
			t.Errorf("writes of %v, want %v", sizes, want)
		}
	}
}

// TestSocketHoldsNothingForLong: a channel whose window is full waits for the
// client, and the client for what is held.
func TestSocketHoldsNothingForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := new(counted)
		s := newBufferedConn(t.Context(), under, new(writeBuffers))
		s.hold()
		if _, err := s.Write(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(heldFor)
		synctest.Wait()
		if len(under.writes) != 1 {
			t.Error("what was written is still held")
		}
		s.release()
	})
}

func TestSocketReadsAhead(t *testing.T) {
	content := make([]byte, 600<<10)
	for i := range content {
		content[i] = byte(i >> 9)
	}
	under := new(counted)
	under.in.Reset(content)
	s := newBufferedConn(t.Context(), under, new(writeBuffers))
	s.ahead.Store(true)
	var got []byte
	for _, n := range []int{4096, 28 << 10, 100, 5, 300 << 10, 20, 64 << 10} {
		p := make([]byte, n)
		if _, err := io.ReadFull(s, p); err != nil {
			t.Fatal(err)
		}
		got = append(got, p...)
	}
	rest, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(append(got, rest...), content) {
		t.Errorf("%v, and what was read is not what came", err)
	}
}
