package logqueue

import (
	"sync"
	"time"
)

const (
	// Most is how many bytes of records may wait.
	Most = 1 << 20
	// reportEvery is how often lost records are told of at most.
	reportEvery = time.Minute
)

// Config is what a Queue does with its records. Write and Lost are called by one
// goroutine, one at a time, and may take as long as they like.
type Config[T any] struct {
	// Write takes records that belong one behind the other, and says how many of
	// them are written. The others are lost; err says why.
	Write func(records []T) (written int, err error)
	// Lost is told how many records were lost: because of err, or, where that is
	// nil, because there was no more room for them. It is called at most once a
	// minute for each.
	Lost func(records int, err error)
	// Size is about how many bytes a record takes.
	Size func(T) int
}

// Queue holds records until they are written. All methods may be called from several
// goroutines at once.
type Queue[T any] struct {
	cfg   Config[T]
	wake  chan struct{} // one token: there is something to do
	stop  func()        // closes stopped
	ended chan struct{} // closed when nothing is written any more

	mu      sync.Mutex
	waiting []T
	size    int      // bytes of waiting
	jobs    []func() // to be run behind what waits
	dropped int      // records there was no room for
	stopped chan struct{}
	closed  bool
}

// New makes a queue, whose goroutine runs until Close.
func New[T any](cfg Config[T]) *Queue[T] {
	q := &Queue[T]{cfg: cfg, wake: make(chan struct{}, 1), ended: make(chan struct{}), stopped: make(chan struct{})}
	q.stop = sync.OnceFunc(func() {
		q.mu.Lock()
		q.closed = true
		q.mu.Unlock()
		close(q.stopped)
	})
	go q.run()
	return q
}

// Put queues r, or drops it where there is no room or the queue is closed. It never
// waits. The first record always has room, however large it is.
func (q *Queue[T]) Put(r T) {
	q.mu.Lock()
	n := q.cfg.Size(r)
	switch {
	case q.closed:
	case q.size > 0 && q.size+n > Most:
		q.dropped++
	default:
		q.waiting = append(q.waiting, r)
		q.size += n
	}
	q.mu.Unlock()
	q.wakeUp()
}

// Do has f run by the goroutine that writes, behind all that waits now. It does not
// wait for it; after Close f does not run.
func (q *Queue[T]) Do(f func()) {
	q.mu.Lock()
	if !q.closed {
		q.jobs = append(q.jobs, f)
	}
	q.mu.Unlock()
	q.wakeUp()
}

// Ended is closed when the queue is closed and nothing will be written any more.
func (q *Queue[T]) Ended() <-chan struct{} { return q.ended }

// Close takes no more records, and waits until those that are there are written, but
// not for longer than within. It tells whether they are. It may be called more than
// once.
func (q *Queue[T]) Close(within time.Duration) bool {
	q.stop()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-q.ended:
		return true
	case <-timer.C:
		return false
	}
}

func (q *Queue[T]) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue[T]) run() {
	defer close(q.ended)
	var full, failed losses
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		last := false
		select {
		case <-q.wake:
		case <-tick.C:
		case <-q.stopped:
			last = true
		}
		q.drain(&full, &failed)
		full.report(q.cfg.Lost, last)
		failed.report(q.cfg.Lost, last)
		if last {
			return
		}
	}
}

// drain writes what waits, until nothing does.
func (q *Queue[T]) drain(full, failed *losses) {
	for {
		records, jobs, dropped := q.take()
		full.records += dropped
		if len(records) == 0 && len(jobs) == 0 {
			return
		}
		if len(records) > 0 {
			n, err := q.cfg.Write(records)
			if n < len(records) {
				failed.records += len(records) - n
				failed.err = err
			} else {
				full.report(q.cfg.Lost, false)
			}
		}
		for _, job := range jobs {
			job()
		}
	}
}

func (q *Queue[T]) take() (records []T, jobs []func(), dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	records, jobs, dropped = q.waiting, q.jobs, q.dropped
	q.waiting, q.size, q.jobs, q.dropped = nil, 0, nil, 0
	return records, jobs, dropped
}

// losses are records that were lost and not yet told of.
type losses struct {
	records int
	err     error // nil: there was no room for them
	told    time.Time
}

// report tells of them, but not twice in a minute unless it is the last time.
func (l *losses) report(tell func(int, error), last bool) {
	now := time.Now()
	if l.records == 0 || !last && !l.told.IsZero() && now.Sub(l.told) < reportEvery {
		return
	}
	records, err := l.records, l.err
	l.records, l.err, l.told = 0, nil, now
	tell(records, err)
}
