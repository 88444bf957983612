package digest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/internal/digest"
)

var errLeft = errors.New("the client has left")

// wait lets every goroutine of a bubble come to where it waits.
func wait() { synctest.Wait() }

func TestSumOfARange(t *testing.T) {
	content := []byte(strings.Repeat("0123456789", 1000))
	q := digest.NewQueue(1)
	sum := sha256.New()
	if err := q.Sum(t.Context(), "a", sum, bytes.NewReader(content), 5, 7001, make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(content[5:7006]); !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Errorf("got %x, want %x", sum.Sum(nil), want)
	}
	err := q.Sum(t.Context(), "a", sha256.New(), bytes.NewReader(content), 5, 10_000, make([]byte, 64))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that ends before: %v, want io.ErrUnexpectedEOF", err)
	}
	err = q.Sum(t.Context(), "a", sha256.New(), broken{}, 0, 1, make([]byte, 64))
	if !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, iotest.ErrTimeout }

// pieces asks for one turn after another and writes down whose they were.
type pieces struct {
	mu   sync.Mutex
	said []string
}

func (p *pieces) add(client string) func() {
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.said = append(p.said, client)
	}
}

// occupied begins a turn that lasts until end is called.
func occupied(q *digest.Queue) (end func()) {
	begun, done := make(chan struct{}), make(chan struct{})
	go q.Turn(context.Background(), "occupied", func() { close(begun); <-done })
	<-begun
	return func() { close(done) }
}

// TestClientsTakeTurns: whoever wants one piece waits for one piece of each other
// client, however many hashes those want.
func TestClientsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := digest.NewQueue(1)
		end := occupied(q)
		var got pieces
		for i := range 6 {
			client := "greedy"
			if i > 3 {
				client = fmt.Sprint("modest", i)
			}
			go q.Turn(t.Context(), client, got.add(client))
			wait()
		}
		end()
		wait()
		if want := "[greedy modest4 modest5 greedy greedy greedy]"; fmt.Sprint(got.said) != want {
			t.Errorf("turns of %v, want %s", got.said, want)
		}
	})
}

// TestNoMoreAtOnceThanWorkers: the queue is bounded.
func TestNoMoreAtOnceThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := digest.NewQueue(2)
		var mu sync.Mutex
		now, most := 0, 0
		for i := range 20 {
			go q.Turn(t.Context(), fmt.Sprint(i%5), func() {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				now--
				mu.Unlock()
			})
		}
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		if most != 2 || now != 0 {
			t.Errorf("%d at once, %d left; want 2 and 0", most, now)
		}
	})
}

// TestClientThatLeaves: it waits no more, and its turn is another's.
func TestClientThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := digest.NewQueue(1)
		end := occupied(q)
		ctx, leave := context.WithCancelCause(t.Context())
		var got pieces
		left := make(chan error, 1)
		go func() { left <- q.Turn(ctx, "a", got.add("a")) }()
		wait()
		go q.Turn(t.Context(), "b", got.add("b"))
		wait()
		leave(errLeft)
		if err := <-left; !errors.Is(err, errLeft) {
			t.Errorf("who left was told %v", err)
		}
		end()
		wait()
		if fmt.Sprint(got.said) != "[b]" {
			t.Errorf("turns of %v, want b's alone", got.said)
		}
		// The same, where the turn comes at the very moment.
		for range 100 {
			end := occupied(q)
			ctx, leave := context.WithCancelCause(t.Context())
			go q.Turn(ctx, "a", func() {})
			wait()
			go end()
			go leave(errLeft)
			wait()
		}
		if err := q.Turn(t.Context(), "b", func() {}); err != nil {
			t.Error(err)
		}
	})
}

// TestLoginsComeFirst: while a login is checked nothing is hashed but a trickle,
// and everything goes on afterwards.
func TestLoginsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := digest.NewQueue(4)
		over, overToo := q.GiveWay(), q.GiveWay()
		var got pieces
		for range 10 {
			go q.Turn(t.Context(), "a", got.add("a"))
		}
		count := func() int {
			wait()
			got.mu.Lock()
			defer got.mu.Unlock()
			return len(got.said)
		}
		time.Sleep(50 * time.Millisecond)
		if n := count(); n != 0 {
			t.Errorf("%d pieces were hashed while logins were checked", n)
		}
		time.Sleep(300 * time.Millisecond)
		if n := count(); n < 1 || n > 4 {
			t.Errorf("%d pieces after 350 ms of logins, want a trickle", n)
		}
		over()
		over() // once counts
		before := count()
		if before > 4 {
			t.Errorf("one of two logins still runs, and %d pieces were hashed", before)
		}
		overToo()
		if n := count(); n != 10 {
			t.Errorf("%d pieces after the logins, want all 10", n)
		}
	})
}

// TestNoQueue: a nil queue makes nobody wait.
func TestNoQueue(t *testing.T) {
	var q *digest.Queue
	defer q.GiveWay()()
	sum := sha256.New()
	if err := q.Sum(t.Context(), "a", sum, strings.NewReader("abc"), 0, 3, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256([]byte("abc")); !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Errorf("got %x, want %x", sum.Sum(nil), want)
	}
}
