package sftpserver

import (
	"sync/atomic"
	"time"
)

const (
	// quickly is in what time a request must be done that is done on the spot:
	// handing it to another goroutine and its answer to a third costs about a
	// tenth of that.
	quickly = 100 * time.Microsecond
	// assured is how many of its kind must have been, one after the other.
	assured = 4
)

// pace remembers whether requests of one kind are done quickly. What is in the
// kernel's memory is; a disk that turns, a bucket, and a commit that waits for
// the disk are not.
type pace struct{ quick atomic.Int32 }

func (p *pace) took(d time.Duration) {
	if d > quickly {
		p.quick.Store(0)
	} else if p.quick.Load() < assured {
		p.quick.Add(1)
	}
}

func (p *pace) assured() bool { return p.quick.Load() >= assured }
