// Package crew runs short jobs in goroutines that stay for the next one. A new goroutine
// begins with the smallest stack and copies it each time it grows, which costs a small
// file more than its system calls do; one that has done such a job has the stack already.
package crew

import "time"

// rest is how long a goroutine waits for its next job. In it a busy session has asked for
// the next thing, and an idle one holds no stack any longer.
const rest = time.Second

// Crew is goroutines that wait for a job, any number of them.
type Crew struct {
	idle chan func() // unbuffered: whoever receives is idle
}

// New is a Crew of nobody yet.
func New() *Crew {
	return &Crew{idle: make(chan func())}
}

// Go does job beside its caller, as the go statement does. A job that panics ends the
// program.
func (c *Crew) Go(job func()) {
	select {
	case c.idle <- job:
	default:
		go c.work(job)
	}
}

// work does job and those that come after it.
func (c *Crew) work(job func()) {
	over := time.NewTimer(rest)
	defer over.Stop()
	for {
		job()
		job = nil // what it holds is not held while nobody needs it
		over.Reset(rest)
		select {
		case job = <-c.idle:
		case <-over.C:
			return
		}
	}
}
