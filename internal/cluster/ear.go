package cluster

import (
	"context"
	"sync"

	"ferry"
)

// earDepth is how many notices wait for one receiver before it loses some.
const earDepth = 256

// ear is the bounded queue of one receiver of notices.
type ear struct {
	mu    sync.Mutex
	queue []ferry.Notice
	wake  chan struct{} // one token: something was put
}

func newEar() *ear { return &ear{wake: make(chan struct{}, 1)} }

// put queues n. When the queue is full, n is lost, and the place behind the
// last one says so. That one NoticeLost stands for everything lost until it is
// read: whoever reads it looks at everything, and does so after the loss.
func (e *ear) put(n ferry.Notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(e.queue) < earDepth:
		e.queue = append(e.queue, n)
	case e.queue[len(e.queue)-1].Kind != ferry.NoticeLost:
		e.queue = append(e.queue, ferry.Notice{Kind: ferry.NoticeLost})
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// next waits for a notice; false when ctx has ended.
func (e *ear) next(ctx context.Context) (ferry.Notice, bool) {
	for ctx.Err() == nil {
		if n, ok := e.take(); ok {
			return n, true
		}
		select {
		case <-e.wake:
		case <-ctx.Done():
		}
	}
	return ferry.Notice{}, false
}

func (e *ear) take() (ferry.Notice, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		return ferry.Notice{}, false
	}
	n := e.queue[0]
	e.queue = e.queue[1:]
	return n, true
}
