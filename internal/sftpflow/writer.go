package sftpflow

import (
	"context"
	"time"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// Writer writes to a file with several WRITEs on the way and counts what the
// server has taken.
type Writer struct {
	file   File
	chunk  int             // bytes that one WRITE brings
	ctx    context.Context // for asking
	acks   context.Context // for the answers: what was sent counts
	stop   func()
	queue  []wrote
	window int
	taken  int64 // bytes up to the first that was not
	err    error // why that was not
}

// wrote is one WRITE on the way.
type wrote struct {
	call *sftpconn.Call
	off  int64
	n    int
}

// Write begins to write to a file; it must be ended. Answers are waited for until life
// ends, and when ctx has ended no longer than patience.
func Write(ctx, life context.Context, patience time.Duration, file File, size Sizes) *Writer {
	w := &Writer{file: file, ctx: ctx, chunk: size.Chunk, window: size.Window}
	var cancel context.CancelFunc
	w.acks, cancel = context.WithCancel(life)
	undo := context.AfterFunc(ctx, func() { // a server that answers no more is not waited for
		late := time.AfterFunc(patience, cancel)
		context.AfterFunc(w.acks, func() { late.Stop() })
	})
	w.stop = func() {
		undo()
		cancel()
	}
	return w
}

// Send sends p, which may be used again at once; false: something was not
// written, now or before, and no more is to come.
func (w *Writer) Send(p []byte, off int64) bool {
	for len(p) > 0 && w.err == nil {
		for len(w.queue) >= w.window || len(w.queue) > 0 && len(w.queue[0].call.Came) > 0 {
			w.settle()
		}
		if w.err != nil {
			break
		}
		piece := p[:min(len(p), w.chunk)]
		k, err := w.file.Begin(w.ctx, func(id string) sftpwire.Request {
			return &sftpwire.Write{Handle: id, Offset: uint64(off), Data: piece}
		})
		if err != nil {
			w.fail(off, err)
			break
		}
		w.queue = append(w.queue, wrote{k, off, len(piece)})
		p, off = p[len(piece):], off+int64(len(piece))
	}
	return w.err == nil
}

// settle waits for the oldest answer.
func (w *Writer) settle() {
	q := w.queue[0]
	w.queue = w.queue[1:]
	_, err := q.call.Wait(w.acks)
	if err != nil {
		w.fail(q.off, w.file.Noticed(err))
	}
	if w.err == nil {
		w.taken += int64(q.n)
		w.file.Took(q.off, int64(q.n))
	}
}

// fail notes that nothing was written at off.
func (w *Writer) fail(off int64, err error) {
	w.file.Missed(off)
	if w.err == nil {
		w.err = err
	}
}

// End waits for all answers and says how many bytes were taken, up to the first
// that was not, and why that was not.
func (w *Writer) End() (int64, error) {
	defer w.stop()
	for len(w.queue) > 0 {
		w.settle()
	}
	return w.taken, w.err
}
