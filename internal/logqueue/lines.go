package logqueue

import (
	"bytes"
	"io"
	"slices"
)

// batchSize is about how many bytes are written at once.
const batchSize = 64 << 10

// Lines is a queue of lines, each with its line end, as an io.Writer.
type Lines struct {
	*Queue[[]byte]
	to *lineWriter
}

// NewLines makes a queue of lines that go to w; lost is Config's Lost.
func NewLines(w io.Writer, lost func(lines int, err error)) Lines {
	to := &lineWriter{to: w}
	return Lines{to: to, Queue: New(Config[[]byte]{Write: to.write, Lost: lost, Size: func(line []byte) int { return len(line) }})}
}

// Write queues one line. It never waits and never fails.
func (l Lines) Write(line []byte) (int, error) {
	l.Put(slices.Clone(line))
	return len(line), nil
}

// NewFile says, from within a function of Do, that w begins another file: what was
// left half written is in the old one.
func (l Lines) NewFile() { l.to.torn = false }

// lineWriter writes lines, many in one system call.
type lineWriter struct {
	to   io.Writer
	buf  []byte
	torn bool // the last write ended in the middle of a line
}

func (w *lineWriter) write(lines [][]byte) (written int, err error) {
	for len(lines) > 0 {
		batch := w.gather(lines)
		n, err := w.to.Write(w.buf)
		if n > 0 {
			w.torn = w.buf[n-1] != '\n'
		}
		if err != nil {
			return written + min(bytes.Count(w.buf[:n], []byte("\n")), batch), err
		}
		written += batch
		lines = lines[batch:]
	}
	return written, nil
}

// gather puts as many lines into buf as are written at once, and says how many.
func (w *lineWriter) gather(lines [][]byte) int {
	w.buf = w.buf[:0]
	if w.torn {
		w.buf = append(w.buf, '\n')
	}
	for i, line := range lines {
		if i > 0 && len(w.buf)+len(line) > batchSize {
			return i
		}
		w.buf = append(w.buf, line...)
	}
	return len(lines)
}
