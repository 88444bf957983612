package sshserver

import (
	"context"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// deafBacklog is how many bytes of a client may lie in the SSH library while programs
	// wait for the client to read. The library offers 2 MiB to each channel and says
	// nothing of what it holds: with ten channels that were 20 MiB.
	deafBacklog = 256 << 10
	// mostBacklog is how many else, where programs wait for a storage or for bandwidth:
	// what fills one channel shall not hold up the others.
	mostBacklog = 2<<20 + deafBacklog
	// settled is after what silence of all that take from the library it holds nothing.
	settled = 2 * time.Millisecond
	// What SSH adds would add up where the library is never empty: around what a program
	// takes, which are perTaken bytes and one for each perPacket; and for the adjustments
	// of the window by which a client answers what it is sent, one for each perWritten.
	perTaken   = 64
	perPacket  = 256
	perWritten = 64
)

// backlog is what has come of a connection since its login and was not taken by a
// program, as far as that can be told from outside of the library. While it is full
// nothing more is read of the connection, and so in the end the client sends nothing.
type backlog struct {
	mu      sync.Mutex
	bytes   int
	streams int // whose programs run
	reading int // of them, those whose program waits for more or takes it
	busy    int // what takes something else from the library, and is at work
	writing int // programs that write to the client
	sending int // writes to the connection that are under way
	moves   int // counts what was taken
	written int // counts what was written
	changed chan struct{}
}

// change changes b under its lock, and wakes who waits.
func (b *backlog) change(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// came notes n bytes of the connection.
func (b *backlog) came(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += n
}

// taken notes that a program was given n bytes.
func (b *backlog) taken(n int) {
	b.bytes = max(0, b.bytes-n-n/perPacket-perTaken)
	b.moves++
}

// wrote notes that a program has written n bytes.
func (b *backlog) wrote(n int) {
	b.writing--
	b.written++
	b.bytes = max(0, b.bytes-n/perWritten)
}

// wait waits, until ctx ends, for as long as b is full.
func (b *backlog) wait(ctx context.Context) {
	for written := -1; ctx.Err() == nil; {
		b.mu.Lock()
		if written < 0 {
			written = b.written
		}
		if !b.full() || b.written != written && b.bytes < mostBacklog { // the client reads
			b.mu.Unlock()
			return
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed, moves, idle := b.changed, b.moves, b.idle()
		b.mu.Unlock()
		if idle {
			b.settle(moves)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (b *backlog) full() bool {
	if b.writing > 0 {
		return b.bytes >= deafBacklog
	}
	return b.bytes >= mostBacklog
}

// idle tells whether all that take from the library wait for more.
// Who has taken something may still have to tell the client so, behind what is being sent.
func (b *backlog) idle() bool { return b.busy == 0 && b.sending == 0 && b.reading == b.streams }

// settle finds out whether the library is empty, by waiting a little: then nothing is
// taken, and all that b says comes from what SSH adds.
func (b *backlog) settle(moves int) {
	time.Sleep(settled)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.idle() && b.moves == moves {
		b.bytes = 0
	}
}

// holdsBack tells whether the client is not heard because of us: our programs take
// nothing, and do not wait for it either.
func (b *backlog) holdsBack() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.full() && b.writing == 0
}

// during notes that something is taken from the library and answered by do.
func (b *backlog) during(do func()) {
	b.change(func() { b.busy++ })
	defer b.change(func() { b.busy--; b.moves++ })
	do()
}

// refuse answers all requests with no, which is all that a keepalive wants to hear.
func (b *backlog) refuse(requests <-chan *ssh.Request) {
	for r := range requests {
		if r.WantReply {
			b.during(func() { _ = r.Reply(false, nil) })
		}
	}
}
