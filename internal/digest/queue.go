package digest

import (
	"context"
	"errors"
	"hash"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"
)

// trickle is how often a piece is hashed while logins are checked: those come
// first, and whoever tries passwords all the time must not stop hashes for good.
const trickle = 100 * time.Millisecond

// Queue shares a few processors among all clients that want files hashed. Each
// gets a turn for one piece of a file and stands in line again for the next, so
// that a small file never waits for a large one. A client that wants several
// hashes at once has the turns of one.
//
// It owns no goroutine: hashes are computed by whoever asks for them. All methods
// may be called from several goroutines at once. A nil Queue makes nobody wait.
type Queue struct {
	mu    sync.Mutex
	free  int                        // turns that may begin now
	lines map[string][]chan struct{} // who waits, by client; a closed channel is a turn
	order []string                   // the clients that wait, the next one first

	checks  int         // logins that are being checked
	trickle *time.Timer // gives a turn meanwhile; nil: no login is checked
}

// NewQueue makes a queue in which as many pieces are hashed at once as workers
// says; 0: half the processors, so that the other half is there for the rest.
func NewQueue(workers int) *Queue {
	if workers <= 0 {
		workers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	return &Queue{free: workers, lines: map[string][]chan struct{}{}}
}

// Sum hands n bytes of src, from off on, to sum, in pieces of the size of buf.
// client is whose turns it takes. The error is ctx's cause where ctx ends,
// io.ErrUnexpectedEOF where src ends before, or src's own.
func (q *Queue) Sum(ctx context.Context, client string, sum hash.Hash, src io.ReaderAt, off, n int64, buf []byte) error {
	for n > 0 {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		// Read before the turn: a slow disk makes nobody else wait.
		got, err := src.ReadAt(buf[:min(n, int64(len(buf)))], off)
		if err := q.Turn(ctx, client, func() { _, _ = sum.Write(buf[:got]) }); err != nil {
			return err
		}
		off, n = off+int64(got), n-int64(got)
		switch {
		case n == 0:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return nil
}

// Turn waits for a turn of client's, and runs do in it. do should be short: some
// 100 KiB of a hash. The error is ctx's cause, where ctx ends before.
func (q *Queue) Turn(ctx context.Context, client string, do func()) error {
	if q == nil {
		do()
		return nil
	}
	if err := q.await(ctx, client); err != nil {
		return err
	}
	defer q.giveBack()
	do()
	return nil
}

// GiveWay holds hashes up, but for a trickle, until over is called: a login is
// being checked, which somebody waits for and which wants the processors too.
func (q *Queue) GiveWay() (over func()) {
	if q == nil {
		return func() {}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.checks++; q.checks == 1 {
		q.trickle = time.AfterFunc(trickle, q.drip)
	}
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.checks--; q.checks == 0 {
			q.trickle.Stop()
			q.trickle = nil
			q.serve()
		}
	})
}

// drip gives one turn though logins are checked.
func (q *Queue) drip() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.trickle == nil {
		return
	}
	if q.free > 0 && len(q.order) > 0 {
		q.next()
	}
	q.trickle.Reset(trickle)
}

// await returns when client has a turn, or when ctx has ended.
func (q *Queue) await(ctx context.Context, client string) error {
	turn := make(chan struct{})
	q.mu.Lock()
	if len(q.lines[client]) == 0 {
		q.order = append(q.order, client)
	}
	q.lines[client] = append(q.lines[client], turn)
	q.serve()
	q.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	if !q.leave(client, turn) {
		q.giveBack() // it had come meanwhile
	}
	return context.Cause(ctx)
}

// leave takes a waiting turn out of the line, and tells whether it was there.
func (q *Queue) leave(client string, turn chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := q.lines[client]
	at := slices.Index(line, turn)
	if at < 0 {
		return false
	}
	q.setLine(client, slices.Delete(line, at, at+1))
	return true
}

func (q *Queue) giveBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.serve()
}

// serve gives the turns that may begin to those who wait.
func (q *Queue) serve() {
	for q.checks == 0 && q.free > 0 && len(q.order) > 0 {
		q.next()
	}
}

// next gives a turn to the client that waits longest, and sends it to the end of
// the line if it wants more.
func (q *Queue) next() {
	client := q.order[0]
	line := q.lines[client]
	q.free--
	close(line[0])
	q.order = append(q.order[1:], client)
	q.setLine(client, line[1:])
}

// setLine notes who of client's waits; nobody leaves the order, too.
func (q *Queue) setLine(client string, line []chan struct{}) {
	if len(line) > 0 {
		q.lines[client] = line
		return
	}
	delete(q.lines, client)
	q.order = slices.DeleteFunc(q.order, func(c string) bool { return c == client })
}
