// Package cluster is what the nodes of one service share beyond the database:
// seats that are counted over all of them, and jobs that one of them leads. That an
// account has changed, each learns from the database. It speaks no RFC.
//
// Alone is the cluster of a server that stands alone, in memory.
package cluster

import (
	"context"
	"sync"

	"ferry"
)

// Alone is a cluster of one node. It implements ferry.Cluster; its methods may
// be called from several goroutines at once.
type Alone struct {
	mu    sync.Mutex
	seats map[string]int           // places taken; a seat nobody holds has no entry
	led   map[string]chan struct{} // jobs that run now; closed when the run ends
}

var _ ferry.Cluster = (*Alone)(nil)

// NewAlone makes a cluster in which every seat is free.
func NewAlone() *Alone {
	return &Alone{
		seats: make(map[string]int),
		led:   make(map[string]chan struct{}),
	}
}

// Hold takes one of max places at seat, or answers ferry.ErrBusy at once. With
// max <= 0 there is no limit, but the place counts for those who come with
// one. release may be called more than once; it gives back one place only. A
// context that has ended is answered with its error.
func (a *Alone) Hold(ctx context.Context, seat string, max int) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if max > 0 && a.seats[seat] >= max {
		return nil, ferry.ErrBusy
	}
	a.seats[seat]++
	return sync.OnceFunc(func() { a.leave(seat) }), nil
}

func (a *Alone) leave(seat string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seats[seat]--
	// Seats are named after addresses: without this the map would remember
	// every client that ever came.
	if a.seats[seat] == 0 {
		delete(a.seats, seat)
	}
}

// Lead calls run once it is the only one with that job, and returns nil when
// run has returned. It answers the error of ctx when that ended before. run's
// context is ctx itself: a node that stands alone never loses the lead.
func (a *Alone) Lead(ctx context.Context, job string, run func(context.Context)) error {
	done, err := a.lead(ctx, job)
	if err != nil {
		return err
	}
	defer func() { // deferred: a run that panics gives the lead back, too
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.led, job)
		close(done)
	}()
	run(ctx)
	return nil
}

// lead waits until nobody runs the job and takes it.
func (a *Alone) lead(ctx context.Context, job string) (done chan struct{}, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		done, other := a.tryLead(job)
		if other == nil {
			return done, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
		}
	}
}

// tryLead takes the job, or gives the channel that ends with who has it.
func (a *Alone) tryLead(job string) (mine, other chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if other := a.led[job]; other != nil {
		return nil, other
	}
	mine = make(chan struct{})
	a.led[job] = mine
	return mine, nil
}
