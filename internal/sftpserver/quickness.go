package sftpserver

import (
	"sync/atomic"
	"time"
)

const (
	// quickly is in what time a request must be done that is done on the spot:
	// handing it to another goroutine and its answer to a third costs about a
	// tenth of that.
	quickLimit = 100 * time.Microsecond
	// assured is how many of its kind must have been, one after the other.
	quickRuns = 4
)

// pace remembers whether requests of one kind are done quickly. What is in the
// kernel's memory is; a disk that turns, a bucket, and a commit that waits for
// the disk are not.
type quickness struct{ quick atomic.Int32 }

func (p *quickness) took(d time.Duration) {
	if d > quickLimit {
		p.quick.Store(0)
	} else if p.quick.Load() < quickRuns {
		p.quick.Add(1)
	}
}

func (p *quickness) trusted() bool { return p.quick.Load() >= quickRuns }
