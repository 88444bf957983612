package sftpserver

import (
	"context"
	"slices"
	"sync"

	"ferry"
)

// op is one request: what it touches, and what is to be done for it.
type op struct {
	id      uint32
	request string // its name, for logs
	touches []touch
	do      func() answer
	// drop is called in the place of do when the session is over; nil: nothing
	// is lost by that.
	drop func(cause error)
	cost int // of the budget
	// pace is that of its kind; nil: it may take long.
	quickness *quickness

	// before is closed when the op whose answer must go out before this one's
	// was answered (nil: there is none), answered when this one was.
	before, answered chan struct{}

	waits int   // how many earlier ones are in the way
	after []*op // later ones that this one is in the way of
}

// touch is what an op has to do with a file or a name.
type touch struct {
	// open is a *file or a *dir; nil: it is about the name only.
	open any
	// from and to are the range of it, [from, to).
	from, to uint64
	// writes: everything that overlaps keeps its place before or after it. Two
	// that do not write may change places.
	writes bool
	name   ferry.Name // of what is open too
	// changes: what the names show is different afterwards.
	changes bool
}

// meets tells whether a and b must keep their order.
//
// Changes keep their order among each other whatever their names are: two
// names can mean one file. A look at a name waits only for changes of that
// name, of one below, and of one above it. Open files depend on each other by
// their ranges alone, and what is only read does not depend on names any more.
func (a *touch) meets(b *touch) bool {
	switch {
	case a.open != nil && b.open != nil:
		return a.open == b.open && (a.writes || b.writes) && a.from < b.to && b.from < a.to
	case a.open != nil && !a.changes || b.open != nil && !b.changes:
		return false
	case a.changes && b.changes:
		return true
	case a.changes || b.changes:
		return a.name.Within(b.name) || b.name.Within(a.name)
	}
	return false
}

func (o *op) meets(other *op) bool {
	for i := range o.touches {
		for j := range other.touches {
			if o.touches[i].meets(&other.touches[j]) {
				return true
			}
		}
	}
	return false
}

// follow makes o's answer wait for that of the op that last did the same, and
// takes its place.
func (o *op) follow(last *chan struct{}) {
	o.before, o.answered = *last, make(chan struct{})
	*last = o.answered
}

// lose says that o is not done because of cause.
func (o *op) lose(cause error) {
	if o.drop != nil {
		o.drop(cause)
	}
}

// changes tells whether o is about more than its answer.
func (o *op) changes() bool {
	return slices.ContainsFunc(o.touches, func(t touch) bool { return t.changes })
}

// wait waits until o may be answered, or ctx ends.
func (o *op) wait(ctx context.Context) {
	if o.before == nil {
		return
	}
	select {
	case <-o.before:
	case <-ctx.Done():
	}
}

// pass lets the op that follows be answered.
func (o *op) pass() {
	if o.answered != nil {
		close(o.answered)
	}
}

// order runs ops, most in a goroutine each, as soon as no earlier one is in the
// way.
type order struct {
	run func(*op)

	mu         sync.Mutex
	empty      sync.Cond
	unfinished []*op
}

func newOrder(run func(*op)) *order {
	r := &order{run: run}
	r.empty.L = &r.mu
	return r
}

// admit takes the next op over. One goroutine calls it. Where here says that it
// would run o itself, it must if that is the result: o is the only one then.
func (r *order) admit(o *op, here bool) (run bool) {
	r.mu.Lock()
	for _, earlier := range r.unfinished {
		if o.meets(earlier) {
			o.waits++
			earlier.after = append(earlier.after, o)
		}
	}
	r.unfinished = append(r.unfinished, o)
	free, alone := o.waits == 0, len(r.unfinished) == 1
	r.mu.Unlock()
	if here && alone {
		return true
	}
	if free {
		go r.run(o)
	}
	return false
}

// done says that o was run.
func (r *order) done(o *op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.unfinished, o)
	last := len(r.unfinished) - 1
	r.unfinished[i] = r.unfinished[last]
	r.unfinished[last] = nil
	r.unfinished = r.unfinished[:last]
	for _, later := range o.after {
		if later.waits--; later.waits == 0 {
			go r.run(later)
		}
	}
	if last == 0 {
		r.empty.Signal()
	}
}

// wait waits until all that was admitted is done.
func (r *order) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.unfinished) > 0 {
		r.empty.Wait()
	}
}
