package sftpserver

import (
	"sync"

	"ferry/internal/sftpwire"
)

// Buffers are the memory of packets, shared by all sessions that are given
// them. The zero value is ready.
type Buffers struct {
	classes [3]sync.Pool // of *buffer, by size
}

// buffer is the memory of one packet. b begins at its first byte.
type buffer struct {
	b     []byte
	class int
}

// sizes are those of: most requests and replies; a packet of 32 KiB, which is
// what most clients read and write at a time; the largest one.
func (*Buffers) sizes() [3]int {
	return [3]int{512, 33 << 10, sftpwire.MaxPacket + sftpwire.Slack + sftpwire.HeaderSize}
}

// get gives a buffer whose b has the length n, at most that of the largest
// packet. What is in it is of no use.
func (p *Buffers) get(n int) *buffer {
	class, size := p.class(n)
	b, ok := p.classes[class].Get().(*buffer)
	if !ok {
		b = &buffer{b: make([]byte, size), class: class}
	}
	b.b = b.b[:n]
	return b
}

// class gives that of a buffer of n bytes, and its size.
func (p *Buffers) class(n int) (class, size int) {
	sizes := p.sizes()
	for n > sizes[class] {
		class++
	}
	return class, sizes[class]
}

// cost is what a buffer of n bytes takes of the budget: all that it is.
func (p *Buffers) cost(n int) int {
	_, size := p.class(n)
	return size
}

// largest gives a buffer of the size of the largest packet.
func (p *Buffers) largest() *buffer {
	sizes := p.sizes()
	return p.get(sizes[len(sizes)-1])
}

// put takes b back; nobody may use it any more.
func (p *Buffers) put(b *buffer) {
	if cap(b.b) < p.sizes()[b.class] {
		return // append has moved it
	}
	p.classes[b.class].Put(b)
}
