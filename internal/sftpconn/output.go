package sftpconn

import (
	"context"
	"io"
	"sync"
)

// pendingLimit is how many bytes may wait to be written before those who ask
// for more have to wait themselves.
const pendingLimit = 1 << 20

// output gathers requests and writes what has come together in one go.
type output struct {
	over <-chan struct{} // closed when the session is over
	some chan struct{}   // holds one where there is something to write

	mu      sync.Mutex
	pending []byte
	spare   []byte        // what pending will be next
	taken   chan struct{} // closed when pending was taken to be written
}

func newOutput(over <-chan struct{}) *output {
	return &output{over: over, some: make(chan struct{}, 1), taken: make(chan struct{})}
}

// add appends a packet, once there is room for it. It fails with the cause of
// ctx; a session that is over takes anything.
func (o *output) add(ctx context.Context, appendPacket func(dst []byte) []byte) error {
	for {
		taken := o.try(appendPacket)
		if taken == nil {
			return nil
		}
		select {
		case <-taken:
		case <-o.over:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// try is add without waiting: where there is no room it gives what to wait for.
func (o *output) try(appendPacket func(dst []byte) []byte) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) >= pendingLimit {
		return o.taken
	}
	o.append(appendPacket)
	return nil
}

// force appends a packet without waiting for room: a small one, of which there
// cannot be many.
func (o *output) force(appendPacket func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.append(appendPacket)
}

func (o *output) append(appendPacket func(dst []byte) []byte) {
	o.pending = appendPacket(o.pending)
	select {
	case o.some <- struct{}{}:
	default:
	}
}

// take gives all that is pending.
func (o *output) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.pending
	o.pending, o.spare = o.spare[:0], taken
	close(o.taken)
	o.taken = make(chan struct{})
	return taken
}

// run writes until the session is over, or w fails.
func (o *output) run(w io.Writer) error {
	for {
		select {
		case <-o.some:
		case <-o.over:
			return nil
		}
		if _, err := w.Write(o.take()); err != nil {
			return err
		}
	}
}
