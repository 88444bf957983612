package sftpio

import (
	"io"
	"sync"
)

// MostAhead is how much is read of what a session does not take yet, but for the
// last read: what a pipe holds.
const MostAhead = 64 << 10

// readAhead reads a stream in a goroutine of its own, for as long as the session
// waits for something else.
type readAhead struct {
	ended chan struct{} // closed with the end of the stream

	mu      sync.Mutex
	came    sync.Cond
	data    []byte // read and not yet taken
	err     error  // what the stream ended with
	reading bool   // a goroutine does
	wanted  bool   // more than the read that is under way
}

func newReadAhead() *readAhead {
	a := &readAhead{ended: make(chan struct{})}
	a.came.L = &a.mu
	return a
}

// begin has r read until take is called.
func (a *readAhead) begin(r io.Reader) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted = true
	if !a.reading && a.err == nil && len(a.data) < MostAhead {
		a.reading = true
		go a.read(r)
	}
}

func (a *readAhead) read(r io.Reader) {
	room := make([]byte, smallInput)
	for more := true; more; {
		n, err := r.Read(room)
		more = a.put(room[:n], err)
	}
}

// put notes what a read has brought, and tells whether another is to follow.
func (a *readAhead) put(p []byte, err error) (more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.data = append(a.data, p...)
	if err != nil {
		a.err = err
		close(a.ended)
	}
	a.reading = a.wanted && err == nil && len(a.data) < MostAhead
	a.came.Broadcast()
	return a.reading
}

// take gives what was read; neither that nor an error: whoever asks must read.
// Where a read is under way it waits for that: there can be no other.
func (a *readAhead) take() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted = false
	for a.reading && len(a.data) == 0 {
		a.came.Wait()
	}
	data := a.data
	a.data = nil
	if len(data) > 0 {
		return data, nil
	}
	return nil, a.err
}

func (a *readAhead) empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.data) == 0
}
