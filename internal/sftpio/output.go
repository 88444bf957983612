package sftpio

import (
	"io"
	"sync"
)

const (
	// gathered is how much of replies is put together for one write. A write
	// that is not gathered costs a packet of SSH for the 13 bytes by which a
	// DATA packet of 32 KiB is longer than one.
	Gathered = 256 << 10
	// direct is from which size on a packet is written as it lies: what
	// gathering would save is less than what copying costs.
	direct = 128 << 10
)

// Output writes packets. Who sends one while nobody writes does it, and goes on
// for as long as others send: what comes during a write goes out together with
// the next.
type Output struct {
	w       io.Writer
	buffers *Buffers
	written func(cost int)  // after each packet, whether it went out or not
	failed  func(err error) // once

	mu      sync.Mutex
	idle    sync.Cond
	queue   []OutPacket
	spare   []OutPacket // memory for the next queue
	writing bool
	broken  bool
}

// OutPacket is a packet to write, and what it took of the budget.
type OutPacket struct {
	*Buffer
	Cost int
}

func NewOutput(w io.Writer, buffers *Buffers, written func(int), failed func(error)) *Output {
	o := &Output{w: w, buffers: buffers, written: written, failed: failed}
	o.idle.L = &o.mu
	return o
}

// Enqueue takes p over, without waiting. The caller must call write next if it
// says so.
func (o *Output) Enqueue(p OutPacket) (write bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, p)
	write = !o.writing
	o.writing = true
	return write
}

// Send is enqueue and write.
func (o *Output) Send(p OutPacket) {
	if o.Enqueue(p) {
		o.Write()
	}
}

// Wait waits until all that was enqueued is written, or cannot be.
func (o *Output) Wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing {
		o.idle.Wait()
	}
}

// Write writes until there is nothing left.
func (o *Output) Write() {
	for {
		batch, broken := o.next()
		if len(batch) == 0 {
			return
		}
		if !broken {
			if err := o.writeAll(batch); err != nil {
				o.fail(err)
			}
		}
		for _, p := range batch {
			o.buffers.Put(p.Buffer)
			o.written(p.Cost)
		}
		clear(batch)
		o.giveBack(batch[:0])
	}
}

// next gives all that is to be written; none: the writing ends.
func (o *Output) next() (batch []OutPacket, broken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.queue, o.spare = o.queue, o.spare, nil
	if len(batch) == 0 {
		o.writing = false
		o.idle.Broadcast()
	}
	return batch, o.broken
}

func (o *Output) giveBack(spare []OutPacket) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = spare
}

func (o *Output) fail(err error) {
	o.mu.Lock()
	o.broken = true
	o.mu.Unlock()
	o.failed(err)
}

// writeAll writes a batch, small packets gathered.
func (o *Output) writeAll(batch []OutPacket) error {
	if len(batch) == 1 {
		_, err := o.w.Write(batch[0].B)
		return err
	}
	room := o.buffers.Get(Gathered)
	defer o.buffers.Put(room)
	pending := room.B[:0]
	for _, p := range batch {
		if len(pending)+len(p.B) > Gathered || len(p.B) >= direct {
			if err := o.flush(pending); err != nil {
				return err
			}
			pending = pending[:0]
		}
		if len(p.B) >= direct {
			if _, err := o.w.Write(p.B); err != nil {
				return err
			}
			continue
		}
		pending = append(pending, p.B...)
	}
	return o.flush(pending)
}

func (o *Output) flush(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := o.w.Write(p)
	return err
}
