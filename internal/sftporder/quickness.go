package sftporder

import (
	"sync/atomic"
	"time"
)

const (
	// quickLimit is in what time a request must be done that is done on the spot:
	// handing it to another goroutine and its answer to a third costs about a
	// tenth of that.
	quickLimit = 100 * time.Microsecond
	// quickRuns is how many of its kind must have been, one after the other.
	quickRuns = 4
)

// Quickness remembers whether requests of one kind are done quickly. What is in the
// kernel's memory is; a disk that turns, a bucket, and a commit that waits for
// the disk are not.
type Quickness struct{ quick atomic.Int32 }

// Took notes how long a request has taken.
func (p *Quickness) Took(d time.Duration) {
	if d > quickLimit {
		p.quick.Store(0)
	} else if p.quick.Load() < quickRuns {
		p.quick.Add(1)
	}
}

// Trusted tells whether the next one may be done on the spot.
func (p *Quickness) Trusted() bool { return p.quick.Load() >= quickRuns }
