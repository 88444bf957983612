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

// output writes packets. Who sends one while nobody writes does it, and goes on
// for as long as others send: what comes during a write goes out together with
// the next.
type output struct {
	w       io.Writer
	buffers *Buffers
	written func(cost int)  // after each packet, whether it went out or not
	failed  func(err error) // once

	mu      sync.Mutex
	idle    sync.Cond
	queue   []parcel
	spare   []parcel // memory for the next queue
	writing bool
	broken  bool
}

// parcel is a packet to write, and what it took of the budget.
type parcel struct {
	*buffer
	cost int
}

func newOutput(w io.Writer, buffers *Buffers, written func(int), failed func(error)) *output {
	o := &output{w: w, buffers: buffers, written: written, failed: failed}
	o.idle.L = &o.mu
	return o
}

// enqueue takes p over, without waiting. The caller must call write next if it
// says so.
func (o *output) enqueue(p parcel) (write bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, p)
	write = !o.writing
	o.writing = true
	return write
}

// send is enqueue and write.
func (o *output) send(p parcel) {
	if o.enqueue(p) {
		o.write()
	}
}

// wait waits until all that was enqueued is written, or cannot be.
func (o *output) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing {
		o.idle.Wait()
	}
}

// write writes until there is nothing left.
func (o *output) write() {
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
			o.buffers.put(p.buffer)
			o.written(p.cost)
		}
		clear(batch)
		o.giveBack(batch[:0])
	}
}

// next gives all that is to be written; none: the writing ends.
func (o *output) next() (batch []parcel, broken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.queue, o.spare = o.queue, o.spare, nil
	if len(batch) == 0 {
		o.writing = false
		o.idle.Broadcast()
	}
	return batch, o.broken
}

func (o *output) giveBack(spare []parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = spare
}

func (o *output) fail(err error) {
	o.mu.Lock()
	o.broken = true
	o.mu.Unlock()
	o.failed(err)
}

// writeAll writes a batch, small packets gathered.
func (o *output) writeAll(batch []parcel) error {
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
