package event

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

const (
	// queueDepth is how many transfers may wait to be written.
	queueDepth = 4096
	// reportEvery is how often lost lines are told of, however many there are.
	reportEvery = time.Minute
	// batchSize is about how many bytes are written at once.
	batchSize = 64 << 10
)

// TransferLog writes a line for every upload and download into a file. One
// goroutine of its own writes, so that a slow disk never holds up a session;
// what does not fit into its queue meanwhile, or cannot be written, is counted
// and told of in the server's log, at most once a minute.
type TransferLog struct {
	path    string
	format  Format
	log     *slog.Logger
	queue   chan ferry.Event
	dropped atomic.Int64 // events that found the queue full
	reopen  chan chan error
	stop    chan struct{}
	stopped chan struct{} // the writer has ended
	close   func() error
}

// OpenTransferLog opens the log file at path for appending; a new one is for
// the server's own user alone (mode 0600), an existing one keeps its mode.
// l hears of lines that were lost.
func OpenTransferLog(path string, format Format, l *slog.Logger) (*TransferLog, error) {
	file, err := openLog(path)
	if err != nil {
		return nil, err
	}
	t := &TransferLog{
		path:    path,
		format:  format,
		log:     l,
		queue:   make(chan ferry.Event, queueDepth),
		reopen:  make(chan chan error),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	w := &writer{TransferLog: t, file: file}
	t.close = sync.OnceValue(func() error {
		close(t.stop)
		<-t.stopped
		return w.file.Close()
	})
	go w.run()
	return t, nil
}

func openLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the transfer log: %w; make its directory writable for the server or choose another file", err)
	}
	return file, nil
}

// Sink takes the events; those that are no transfers it leaves alone.
func (t *TransferLog) Sink() ferry.Sink {
	return func(e ferry.Event) {
		if !isTransfer(e.Kind) {
			return
		}
		select {
		case t.queue <- e:
		default:
			t.dropped.Add(1)
		}
	}
}

// Reopen writes what waits into the file that is open, and goes on with the
// one that has the path now: for logrotate, after it has renamed the old one.
// When that cannot be opened the old one stays in use.
func (t *TransferLog) Reopen() error {
	answer := make(chan error, 1)
	select {
	case t.reopen <- answer:
		return <-answer
	case <-t.stopped:
		return fmt.Errorf("cannot reopen the transfer log %s: %w", t.path, os.ErrClosed)
	}
}

// Close writes what waits and closes the file. Events that come later are
// lost. It may be called more than once.
func (t *TransferLog) Close() error { return t.close() }

// writer is the state of the goroutine that writes.
type writer struct {
	*TransferLog
	file   *os.File
	buf    []byte
	torn   bool  // the file ends in the middle of a line
	failed int64 // lines that could not be written since the last report
	cause  error // why
}

func (w *writer) run() {
	defer close(w.stopped)
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-w.queue:
			w.write(e)
		case answer := <-w.reopen:
			w.drain()
			answer <- w.swap()
		case <-tick.C:
			w.report()
		case <-w.stop:
			w.drain()
			w.report()
			return
		}
	}
}

// write writes e, and with it, in one system call, what waits behind it.
func (w *writer) write(e ferry.Event) {
	w.buf = w.buf[:0]
	if w.torn {
		w.buf = append(w.buf, '\n')
	}
	w.buf = w.format.appendLine(w.buf, e)
	lines := int64(1)
	for len(w.buf) < batchSize {
		select {
		case e := <-w.queue:
			w.buf = w.format.appendLine(w.buf, e)
			lines++
			continue
		default:
		}
		break
	}
	n, err := w.file.Write(w.buf)
	if n > 0 {
		w.torn = w.buf[n-1] != '\n'
	}
	if err != nil {
		w.failed += lines
		w.cause = err
	}
}

// drain writes what waits in the queue.
func (w *writer) drain() {
	for {
		select {
		case e := <-w.queue:
			w.write(e)
		default:
			return
		}
	}
}

// swap goes on with a newly opened file.
func (w *writer) swap() error {
	file, err := openLog(w.path)
	if err != nil {
		return err
	}
	old := w.file
	w.file, w.torn = file, false
	if err := old.Close(); err != nil {
		return fmt.Errorf("the old transfer log may miss its last lines: %w", err)
	}
	return nil
}

// report tells of the lines lost since the last report.
func (w *writer) report() {
	if n := w.dropped.Swap(0); n > 0 {
		w.log.Warn("the transfer log lost lines: they came faster than the disk takes them", "path", w.path, "lines", n)
	}
	if w.failed > 0 {
		w.log.Error("the transfer log lost lines: they could not be written", "path", w.path, "lines", w.failed, "error", w.cause)
		w.failed, w.cause = 0, nil
	}
}
