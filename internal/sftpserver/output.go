package sftpserver

import (
	"io"
	"sync"
)

const (
	// gathered is how much of replies is put together for one write. A write
	// that is not gathered costs a packet of SSH for the 13 bytes by which a
	// DATA packet of 32 KiB is longer than one.
	gathered = 256 << 10
	// direct is from which size on a packet is written as it lies: what
	// gathering would save is less than what copying costs.
	direct = 128 << 10
)

// output writes packets from a goroutine of its own: what is sent while a
// write is under way goes out together with the next.
type output struct {
	w       io.Writer
	buffers *Buffers
	written func(cost int)  // after each packet, whether it went out or not
	failed  func(err error) // once

	mu     sync.Mutex
	more   sync.Cond
	queue  []parcel
	closed bool
	done   chan struct{}
}

// parcel is a packet to write, and what it took of the budget.
type parcel struct {
	*buffer
	cost int
}

func newOutput(w io.Writer, buffers *Buffers, written func(int), failed func(error)) *output {
	o := &output{w: w, buffers: buffers, written: written, failed: failed, done: make(chan struct{})}
	o.more.L = &o.mu
	go o.run()
	return o
}

// send takes p over. It does not wait.
func (o *output) send(p parcel) {
	o.mu.Lock()
	o.queue = append(o.queue, p)
	o.mu.Unlock()
	o.more.Signal()
}

// close waits until all that was sent is written, or cannot be.
func (o *output) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.more.Signal()
	<-o.done
}

func (o *output) run() {
	defer close(o.done)
	var batch []parcel
	broken := false
	for {
		if batch = o.next(batch[:0]); len(batch) == 0 {
			return
		}
		if !broken {
			if err := o.write(batch); err != nil {
				broken = true
				o.failed(err)
			}
		}
		for _, p := range batch {
			o.buffers.put(p.buffer)
			o.written(p.cost)
		}
		clear(batch)
	}
}

// next waits for packets and gives all there are; none: it was closed. The
// queue goes on in the memory of spare.
func (o *output) next(spare []parcel) []parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.more.Wait()
	}
	batch := o.queue
	o.queue = spare
	return batch
}

// write writes a batch, small packets gathered.
func (o *output) write(batch []parcel) error {
	if len(batch) == 1 {
		_, err := o.w.Write(batch[0].b)
		return err
	}
	room := o.buffers.get(gathered)
	defer o.buffers.put(room)
	pending := room.b[:0]
	for _, p := range batch {
		if len(pending)+len(p.b) > gathered || len(p.b) >= direct {
			if err := o.flush(pending); err != nil {
				return err
			}
			pending = pending[:0]
		}
		if len(p.b) >= direct {
			if _, err := o.w.Write(p.b); err != nil {
				return err
			}
			continue
		}
		pending = append(pending, p.b...)
	}
	return o.flush(pending)
}

func (o *output) flush(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := o.w.Write(p)
	return err
}
