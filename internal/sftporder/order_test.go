package sftporder

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// TestTouches is which requests keep their order.
func TestTouches(t *testing.T) {
	f, g := new(int), new(int)
	for _, row := range []struct {
		what string
		a, b Touch
		want bool
	}{
		{"two reads", Touch{Open: f, From: 0, To: 9}, Touch{Open: f, From: 0, To: 9}, false},
		{"a read of what is written", Touch{Open: f, From: 0, To: 9, Writes: true, Changes: true}, Touch{Open: f, From: 8, To: 9}, true},
		{"a read beside what is written", Touch{Open: f, From: 0, To: 9, Writes: true, Changes: true}, Touch{Open: f, From: 9, To: 10}, false},
		{"writes of two files", Touch{Open: f, To: 9, Writes: true, Changes: true}, Touch{Open: g, To: 9, Writes: true, Changes: true}, false},
		{"a change and a write", Touch{Name: "/a", Changes: true}, Touch{Open: f, Name: "/b", To: 9, Writes: true, Changes: true}, true},
		{"two changes", Touch{Name: "/a", Changes: true}, Touch{Name: "/b", Changes: true}, true},
		{"two looks", Touch{Name: "/a"}, Touch{Name: "/a"}, false},
		{"a look at what changes", Touch{Name: "/a"}, Touch{Name: "/a", Changes: true}, true},
		{"a look into what changes", Touch{Name: "/a/b"}, Touch{Name: "/a", Changes: true}, true},
		{"a look above what changes", Touch{Name: "/a"}, Touch{Name: "/a/b", Changes: true}, true},
		{"a look beside what changes", Touch{Name: "/ab"}, Touch{Name: "/a", Changes: true}, false},
		{"a look at what is written", Touch{Name: "/a"}, Touch{Open: f, Name: "/a", To: 1, Writes: true, Changes: true}, true},
		{"a look at what is read", Touch{Name: "/a"}, Touch{Open: f, Name: "/a", To: 1}, false},
		{"a removal of what is read", Touch{Name: "/a", Changes: true}, Touch{Open: f, Name: "/a", To: 1}, false},
	} {
		if row.a.meets(&row.b) != row.want || row.b.meets(&row.a) != row.want {
			t.Errorf("%s keep their order: %v, want %v", row.what, !row.want, row.want)
		}
	}
}

// TestAnswersFollow: an op is answered when the one before it was, and not
// before; one that is dropped holds nobody up.
func TestAnswersFollow(t *testing.T) {
	var last chan struct{}
	var first, second Op[int]
	first.Follow(&last)
	second.Follow(&last)
	first.Wait(t.Context()) // nothing is before it
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	second.Wait(ended)
	select {
	case <-second.before:
		t.Error("the second may be answered before the first")
	default:
	}
	first.Pass()
	second.Wait(t.Context())
}

// recorder runs ops, each until it is let go.
type recorder struct {
	*Order[int]
	begun chan uint32
	ended map[uint32]chan struct{}
}

func newRecorder(ids ...uint32) *recorder {
	r := &recorder{begun: make(chan uint32, len(ids)), ended: map[uint32]chan struct{}{}}
	for _, id := range ids {
		r.ended[id] = make(chan struct{})
	}
	r.Order = New(func(o *Op[int]) {
		defer r.Done(o)
		r.begun <- o.ID
		<-r.ended[o.ID]
	})
	return r
}

// TestWhatMeetsWaits: an op runs as soon as those that are in its way are done, and no
// later; what is not in its way does not hold it up.
func TestWhatMeetsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := newRecorder(1, 2, 3, 4), new(int)
		wantBegun := func(want ...uint32) {
			t.Helper()
			synctest.Wait()
			var got []uint32
			for len(r.begun) > 0 {
				got = append(got, <-r.begun)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("begun are %v, want %v", got, want)
			}
		}
		write := func(id uint32, from, to uint64) {
			r.Admit(&Op[int]{ID: id, Touches: []Touch{{Open: f, From: from, To: to, Writes: true, Name: "/f", Changes: true}}}, false)
		}
		write(1, 0, 9)
		write(2, 9, 18)
		r.Admit(&Op[int]{ID: 3, Touches: []Touch{{Name: "/f", Changes: true}}}, false) // renames it
		r.Admit(&Op[int]{ID: 4, Touches: []Touch{{Name: "/g"}}}, false)
		wantBegun(1, 2, 4)
		close(r.ended[1])
		close(r.ended[4])
		wantBegun()
		close(r.ended[2])
		wantBegun(3)
		close(r.ended[3])
		r.Wait()
	})
}

// TestAloneRunsOnTheSpot: the caller is asked to run an op itself where it wants to and
// nothing else is under way.
func TestAloneRunsOnTheSpot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(1, 2)
		close(r.ended[2])
		first := &Op[int]{ID: 1}
		if !r.Admit(first, true) {
			t.Fatal("the only one was handed to another goroutine")
		}
		if r.Admit(&Op[int]{ID: 2}, true) {
			t.Error("the second was not")
		}
		r.Done(first)
		r.Wait()
		if id := <-r.begun; id != 2 {
			t.Errorf("%d was run", id)
		}
	})
}

// TestQuickness: a kind is trusted after some quick ones in a row, and no more after a
// slow one.
func TestQuickness(t *testing.T) {
	var q Quickness
	for i := range quickRuns {
		if q.Trusted() {
			t.Errorf("it is trusted after %d", i)
		}
		q.Took(quickLimit)
	}
	if !q.Trusted() {
		t.Error("it is not trusted")
	}
	if q.Took(quickLimit + 1); q.Trusted() {
		t.Error("it is trusted after a slow one")
	}
}
