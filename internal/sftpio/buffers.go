package sftpio

import (
	"sync"

	"ferry/internal/sftpwire"
)

// Buffers are the memory of packets, shared by all sessions that are given
// them. The zero value is ready.
type Buffers struct {
	classes [3]sync.Pool // of *buffer, by size
}

// Buffer is the memory of one packet. b begins at its first byte.
type Buffer struct {
	B     []byte
	class int
}

// sizes are those of: most requests and replies; a packet of 32 KiB, which is
// what most clients read and write at a time; the largest one.
func (*Buffers) sizes() [3]int {
	return [3]int{512, 33 << 10, sftpwire.MaxPacket + sftpwire.Slack + sftpwire.HeaderSize}
}

// Get gives a buffer whose b has the length n, at most that of the largest
// packet. What is in it is of no use.
func (p *Buffers) Get(n int) *Buffer {
	class, size := p.class(n)
	b, ok := p.classes[class].Get().(*Buffer)
	if !ok {
		b = &Buffer{B: make([]byte, size), class: class}
	}
	b.B = b.B[:n]
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

// Cost is what a buffer of n bytes takes of the budget: all that it is.
func (p *Buffers) Cost(n int) int {
	_, size := p.class(n)
	return size
}

// largest gives a buffer of the size of the largest packet.
func (p *Buffers) largest() *Buffer {
	sizes := p.sizes()
	return p.Get(sizes[len(sizes)-1])
}

// Put takes b back; nobody may use it any more.
func (p *Buffers) Put(b *Buffer) {
	if cap(b.B) < p.sizes()[b.class] {
		return // append has moved it
	}
	p.classes[b.class].Put(b)
}
