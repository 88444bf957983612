package logqueue_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/logqueue"
)

// blocked is a pipe that nobody reads until it is opened.
type blocked struct {
	open chan struct{}
	mu   sync.Mutex
	got  bytes.Buffer
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.open
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got.Write(p)
}

func (b *blocked) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got.String()
}

// TestNobodyWaits: a writer that hangs holds up nobody, not at the end either, and
// what was dropped meanwhile is told of when it goes on.
func TestNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := &blocked{open: make(chan struct{})}
		var lost []int
		q := logqueue.NewLines(pipe, func(n int, err error) {
			if err != nil {
				t.Errorf("lost by %v", err)
			}
			lost = append(lost, n)
		})
		line := []byte(strings.Repeat("x", 1023) + "\n")
		fmt.Fprintln(q, "first")
		synctest.Wait() // it hangs in the pipe
		const told = 3000
		for range told {
			q.Write(line)
		}
		began := time.Now()
		if q.Close(2*time.Second) || time.Since(began) != 2*time.Second {
			t.Errorf("Close took %v of a pipe that takes nothing, want 2s", time.Since(began))
		}
		fmt.Fprintln(q, "too late")
		close(pipe.open)
		<-q.Ended()
		got := pipe.String()
		room := logqueue.Most / len(line)
		if n := strings.Count(got, "\n"); n != 1+room || strings.Contains(got, "late") {
			t.Errorf("%d lines written, want %d", n, 1+room)
		}
		if len(lost) != 1 || lost[0] != told-room {
			t.Errorf("told of %v lost lines, want once %d", lost, told-room)
		}
	})
}

// TestLossIsToldAtOnceAndThenOnceAMinute, with how many in all.
func TestLossIsToldAtOnceAndThenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left")
		var told []string
		q := logqueue.NewLines(failing{full}, func(n int, err error) { told = append(told, fmt.Sprint(n, " ", err)) })
		for range 10 {
			fmt.Fprintln(q, "x")
			synctest.Wait()
		}
		time.Sleep(2 * time.Minute)
		q.Close(time.Second)
		if got := strings.Join(told, ", "); got != "1 no space left, 9 no space left" {
			t.Errorf("told %q", got)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// halves takes half of what it is given, once.
type halves struct {
	bytes.Buffer
	broke bool
}

func (h *halves) Write(p []byte) (int, error) {
	if h.broke {
		return h.Buffer.Write(p)
	}
	h.broke = true
	n, _ := h.Buffer.Write(p[:len(p)/2])
	return n, io.ErrShortWrite
}

// TestTornLineIsEnded before another one begins, so that the log stays one of lines.
func TestTornLineIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(halves)
		q := logqueue.NewLines(h, func(int, error) {})
		fmt.Fprintln(q, "abcdefg")
		synctest.Wait()
		fmt.Fprintln(q, "whole")
		q.Close(time.Second)
		if got := h.String(); got != "abcd\nwhole\n" {
			t.Errorf("written %q", got)
		}
	})
}

// TestOrder: records in the order of one who puts them, and a job behind those that
// were there before it.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		q := logqueue.New(logqueue.Config[int]{
			Write: func(batch []int) (int, error) { got = append(got, batch...); return len(batch), nil },
			Lost:  func(n int, err error) { t.Errorf("lost %d: %v", n, err) },
			Size:  func(int) int { return 8 },
		})
		before := 0
		for i := range 1000 {
			q.Put(i)
			if i == 499 {
				q.Do(func() { before = len(got) })
			}
		}
		if first, again := q.Close(time.Second), q.Close(time.Second); !first || !again {
			t.Error("Close did not wait for the end")
		}
		for i := range got {
			if got[i] != i {
				t.Fatalf("record %d is %d", i, got[i])
			}
		}
		if len(got) != 1000 || before < 500 {
			t.Errorf("%d records, %d before the job; want 1000, and 500 at least", len(got), before)
		}
	})
}
