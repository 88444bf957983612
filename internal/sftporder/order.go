// Package sftporder says in which order the requests of an SFTP session are done
// (draft-ietf-secsh-filexfer-02 §3: as if one after the other), and runs them side by
// side where nobody can tell: READs and WRITEs of one file depend on each other where
// they overlap, changes of names keep their order, and a look waits only for changes of
// what it looks at. Clients may so send WRITE, CLOSE, RENAME and STAT back to back, and
// a long hash holds nobody up.
//
// It knows files as things that are the same or not, and names; what a request does is
// a function to it.
package sftporder

import (
	"context"
	"math"
	"slices"
	"sync"

	"ferry"
)

// Whole is the end of a range that has none.
const Whole = math.MaxUint64

// Op is one request: what it touches, and what is to be done for it, with an answer A.
type Op[A any] struct {
	ID      uint32
	Request string // its name, for logs
	Touches []Touch
	Do      func() A
	// Drop is called in the place of Do when the session is over; nil: nothing
	// is lost by that.
	Drop func(cause error)
	Cost int // of the session's budget
	// Quickness is that of its kind; nil: it may take long.
	Quickness *Quickness

	// before is closed when the op whose answer must go out before this one's
	// was answered (nil: there is none), answered when this one was.
	before, answered chan struct{}

	waits int      // how many earlier ones are in the way
	after []*Op[A] // later ones that this one is in the way of
}

// Touch is what an op has to do with a file or a name.
type Touch struct {
	// Open is an open file or directory, by identity; nil: it is about the name only.
	Open any
	// From and To are the range of it, [From, To).
	From, To uint64
	// Writes: everything that overlaps keeps its place before or after it. Two
	// that do not write may change places.
	Writes bool
	Name   ferry.Name // of what is open too
	// Changes: what the names show is different afterwards.
	Changes bool
}

// meets tells whether a and b must keep their order.
//
// Changes keep their order among each other whatever their names are: two
// names can mean one file. A look at a name waits only for changes of that
// name, of one below, and of one above it. Open files depend on each other by
// their ranges alone, and what is only read does not depend on names any more.
func (a *Touch) meets(b *Touch) bool {
	switch {
	case a.Open != nil && b.Open != nil:
		return a.Open == b.Open && (a.Writes || b.Writes) && a.From < b.To && b.From < a.To
	case a.Open != nil && !a.Changes || b.Open != nil && !b.Changes:
		return false
	case a.Changes && b.Changes:
		return true
	case a.Changes || b.Changes:
		return a.Name.Within(b.Name) || b.Name.Within(a.Name)
	}
	return false
}

func (o *Op[A]) meets(other *Op[A]) bool {
	for i := range o.Touches {
		for j := range other.Touches {
			if o.Touches[i].meets(&other.Touches[j]) {
				return true
			}
		}
	}
	return false
}

// Follow makes o's answer wait for that of the op that last did the same, and
// takes its place.
func (o *Op[A]) Follow(last *chan struct{}) {
	o.before, o.answered = *last, make(chan struct{})
	*last = o.answered
}

// Lose says that o is not done because of cause.
func (o *Op[A]) Lose(cause error) {
	if o.Drop != nil {
		o.Drop(cause)
	}
}

// Changes tells whether o is about more than its answer.
func (o *Op[A]) Changes() bool {
	return slices.ContainsFunc(o.Touches, func(t Touch) bool { return t.Changes })
}

// Wait waits until o may be answered, or ctx ends.
func (o *Op[A]) Wait(ctx context.Context) {
	if o.before == nil {
		return
	}
	select {
	case <-o.before:
	case <-ctx.Done():
	}
}

// Pass lets the op that follows be answered.
func (o *Op[A]) Pass() {
	if o.answered != nil {
		close(o.answered)
	}
}

// Order runs ops, most in a goroutine each, as soon as no earlier one is in the
// way.
type Order[A any] struct {
	run func(*Op[A])

	mu         sync.Mutex
	empty      sync.Cond
	unfinished []*Op[A]
}

// New runs ops by run, which calls Done at the end.
func New[A any](run func(*Op[A])) *Order[A] {
	r := &Order[A]{run: run}
	r.empty.L = &r.mu
	return r
}

// Admit takes the next op over. One goroutine calls it. Where here says that it
// would run o itself, it must if that is the result: o is the only one then.
func (r *Order[A]) Admit(o *Op[A], here bool) (run bool) {
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

// Done says that o was run.
func (r *Order[A]) Done(o *Op[A]) {
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

// Wait waits until all that was admitted is done.
func (r *Order[A]) Wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.unfinished) > 0 {
		r.empty.Wait()
	}
}
