package quota

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// File is an open file that may be written. A nil one counts nothing.
type File struct {
	account *Account
	node    *node
	id      ID
	fd      int  // open until Closed
	appends bool // every write goes to the end, whatever offset is said
}

// Opened is for a file that was opened to be written, by fd.
func (a *Account) Opened(fd int) *File {
	if a == nil {
		return nil
	}
	t := a.tree
	counted := t.enter(a)
	defer t.leave(counted)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	f := &File{account: a, id: idOf(&st), fd: fd}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.open[f.id]
	if n == nil {
		n = &node{taken: st.Size}
		t.open[f.id] = n
		if counted && st.Nlink == 0 { // whoever has removed it has given its bytes back
			t.add(st.Size, 0)
		}
	}
	f.node = n
	n.files = append(n.files, f)
	return f
}

// Closed is to be called before the file is closed.
func (f *File) Closed() {
	if f == nil {
		return
	}
	t := f.account.tree
	counted := t.enter(f.account)
	defer t.leave(counted)
	t.mu.Lock()
	defer t.mu.Unlock()
	n := f.node
	if counted {
		t.settle(n)
	}
	n.files = slices.DeleteFunc(n.files, func(other *File) bool { return other == f })
	if len(n.files) > 0 {
		return
	}
	delete(t.open, f.id)
	var st unix.Stat_t
	if counted && unix.Fstat(f.fd, &st) == nil && st.Nlink == 0 {
		t.add(-n.taken, 0)
	}
}

// Appends says whether every write goes to the end of the file, wherever that is then.
func (f *File) Appends(appends bool) {
	if f != nil {
		f.appends = appends
	}
}

// atEnd, as an offset, is the end of the file, wherever that is.
const atEnd = int64(-1)

// at is where a write goes that says off.
func (f *File) at(off int64) int64 {
	if f != nil && f.appends {
		return atEnd
	}
	return off
}

// Write writes n bytes at off, by move.
func (f *File) Write(off int64, n int, move func() (int, error)) (int, error) {
	counted, granted := f.begin(f.at(off), int64(n), true)
	defer f.end(counted)
	if granted < int64(n) {
		return 0, ferry.ErrQuota
	}
	return move()
}

// Resize changes the size of the file, by do.
func (f *File) Resize(size int64, do func() error) error {
	counted, granted := f.begin(0, size, true)
	defer f.end(counted)
	if granted < size {
		return ferry.ErrQuota
	}
	return do()
}

// unbounded is how much is taken at once where nobody says how much is to come.
const unbounded = 16 << 20

// Receive writes up to n bytes that come from somewhere at off on, all there are for n < 0,
// by move, in as many pieces as there is room for. Ended tells whether no more are to come.
func (f *File) Receive(off, n int64, move func(done, n int64) (int64, error), ended func() (bool, error)) (int64, error) {
	for done := int64(0); ; {
		want := n - done
		if n < 0 && f != nil {
			want = unbounded
		}
		got, granted, err := f.piece(off+done, want, func(n int64) (int64, error) { return move(done, n) })
		done += got
		switch {
		case granted == 0 && want > 0:
			over, err := ended()
			if err == nil && !over {
				err = ferry.ErrQuota
			}
			return done, err
		case err != nil || got < granted || done == n || f == nil:
			return done, err
		}
	}
}

// piece moves what there is room for.
func (f *File) piece(off, n int64, move func(n int64) (int64, error)) (got, granted int64, err error) {
	if f == nil {
		got, err = move(n)
		return got, n, err
	}
	counted, granted := f.begin(f.at(off), n, false)
	defer f.end(counted)
	if granted == 0 && n > 0 {
		return 0, 0, nil
	}
	got, err = move(granted)
	return got, granted, err
}

// patience is how long to wait for those who may give back what they have taken and do not
// need: an upload looks every second whether its client has sent anything.
const patience = 2 * time.Second

// smallestPiece is what is taken at least of a room that gets small.
const smallestPiece = 4 << 10

// begin takes room for n bytes at off, all of them or, unless whole, some; none: there is
// no room. Counted is for end.
func (f *File) begin(off, n int64, whole bool) (counted bool, granted int64) {
	if f == nil || !f.account.tree.ready(f.account) {
		return false, n
	}
	t := f.account.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	granted = f.take(off, n, whole)
	if granted == 0 && n > 0 && t.busy > 0 {
		granted = f.await(off, n, whole)
	}
	f.node.busy++
	t.busy++
	return true, granted
}

// await is take as soon as there is room. The caller holds mu.
func (f *File) await(off, n int64, whole bool) (granted int64) {
	t := f.account.tree
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for over := false; granted == 0 && t.busy > 0 && !over; granted = f.take(off, n, whole) {
		settled := t.settled
		t.mu.Unlock()
		select {
		case <-settled:
		case <-enough.C:
			over = true
		}
		t.mu.Lock()
	}
	return granted
}

// take takes n bytes at off, or as many as there is room for. The caller holds mu.
func (f *File) take(off, n int64, whole bool) int64 {
	node, t := f.node, f.account.tree
	if off == atEnd {
		off = node.taken
	}
	grow := off + n - node.taken
	if grow <= 0 {
		return n
	}
	room := max(f.account.room().Bytes, 0)
	switch {
	case whole && grow > room:
		return 0
	case !whole:
		grow = min(grow, room, max(room/4, smallestPiece))
	}
	granted := node.taken + grow - off
	if granted <= 0 { // there would be a hole, and nothing behind it
		return 0
	}
	t.add(grow, 0)
	node.taken += grow
	return granted
}

// end ends what begin has begun.
func (f *File) end(counted bool) {
	if f == nil {
		return
	}
	t := f.account.tree
	if !counted && !t.on.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if counted {
		f.node.busy--
		t.busy--
	}
	t.settle(f.node)
	t.wake()
}
