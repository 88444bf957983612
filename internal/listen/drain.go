package listen

import (
	"context"
	"sync"
)

// Drain counts the connections that a service has, and ends them: those that can are
// asked to come to their end, and when nobody waits any longer the others are stopped.
// Its methods may be called from several goroutines at once.
type Drain struct {
	// Asked ends when connections shall finish what they do and close; Stopped when they
	// must close at once, with the cause.
	Asked, Stopped context.Context
	ask            context.CancelFunc
	stop           context.CancelCauseFunc
	connections    sync.WaitGroup
}

// NewDrain makes the Drain of a service that has no connections yet.
func NewDrain() *Drain {
	d := new(Drain)
	d.Asked, d.ask = context.WithCancel(context.Background())
	d.Stopped, d.stop = context.WithCancelCause(context.Background())
	return d
}

// Enter counts a connection, until done is called.
func (d *Drain) Enter() (done func()) {
	d.connections.Add(1)
	return d.connections.Done
}

// Ask ends Asked.
func (d *Drain) Ask() { d.ask() }

// Stop ends Stopped.
func (d *Drain) Stop(cause error) { d.stop(cause) }

// Wait waits until there is no connection. The listeners are to be closed before.
func (d *Drain) Wait() { d.connections.Wait() }

// Shutdown asks, waits, and where ctx ends before the last connection has stops what is
// left, with cause. The error is that of ctx, if some had to be stopped.
func (d *Drain) Shutdown(ctx context.Context, cause error) error {
	d.Ask()
	ended := make(chan struct{})
	go func() {
		d.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-ended: // at the same time: nothing was cut off
		return nil
	default:
	}
	d.Stop(cause)
	<-ended
	return ctx.Err()
}
