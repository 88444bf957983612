package fstest

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"ferry"
)

// ErrInjected is what a Fault answers that does not say otherwise.
var ErrInjected = errors.New("injected failure")

// Fault is one planned failure.
type Fault struct {
	// Method is the one that fails: of the FS by its name ("Open", "Mkdir"),
	// of a handle behind "Handle." ("Handle.Commit", "Handle.ReceiveFrom").
	Method string
	// Call says which of the calls of Method fails, counted from 1 over the
	// whole FS; 0 means every one.
	Call int
	// After, where it is not 0, takes the place of Call: that many bytes (of
	// List: entries) go through Method, over the whole FS, and the call that
	// would move one more fails. The count of that call is right.
	After int64
	// Err is wrapped in an *fs.PathError with the client's name; nil means
	// ErrInjected.
	Err error
}

// Failing is an FS that fails as planned and remembers the calls it got. A
// call that fails does not reach the FS below, except that a handle whose
// Commit fails is aborted there, as the contract wants it, and that Abort and
// Close always go through.
type Failing struct {
	ferry.FS
	*failures
}

// failures are the plan and what has come of it, for all views of one FS.
type failures struct {
	mu    sync.Mutex
	plan  []Fault
	calls []string
	count map[string]int
	moved map[string]int64
}

// NewFailing wraps below. Several faults may name one method: the first in the
// plan that applies decides.
func NewFailing(below ferry.FS, plan ...Fault) *Failing {
	return &Failing{below, &failures{plan: plan, count: make(map[string]int), moved: make(map[string]int64)}}
}

// Calls gives every call so far, in order: the method as in Fault and the
// client's names ("Open /a", "Handle.Commit /a", "Rename /a /b").
func (f *Failing) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// enter notes a call and says whether it fails.
func (f *Failing) enter(method string, names ...ferry.Name) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, method+" "+joined(names))
	f.count[method]++
	for _, fault := range f.plan {
		if fault.Method == method && fault.After == 0 && (fault.Call == 0 || fault.Call == f.count[method]) {
			return fault.failure(names[0])
		}
	}
	return nil
}

func joined(names []ferry.Name) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, " ")
}

// allow says how much of want (negative: any amount) may go through method,
// and with what error it ends if that is less.
func (f *Failing) allow(method string, name ferry.Name, want int64) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.plan {
		left := max(0, fault.After-f.moved[method])
		if fault.Method == method && fault.After != 0 && (want < 0 || want > left) {
			return left, fault.failure(name)
		}
	}
	return want, nil
}

// went notes how much went through method.
func (f *Failing) went(method string, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved[method] += n
}

func (fault Fault) failure(name ferry.Name) error {
	err := fault.Err
	if err == nil {
		err = ErrInjected
	}
	return &fs.PathError{Op: strings.ToLower(strings.TrimPrefix(fault.Method, "Handle.")), Path: string(name), Err: err}
}

func (f *Failing) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := f.enter("Stat", name); err != nil {
		return ferry.Info{}, err
	}
	return f.FS.Stat(ctx, name)
}

func (f *Failing) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := f.enter("Lstat", name); err != nil {
		return ferry.Info{}, err
	}
	return f.FS.Lstat(ctx, name)
}

func (f *Failing) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		if err := f.enter("List", dir); err != nil {
			yield(ferry.Info{}, err)
			return
		}
		for i, err := range f.FS.List(ctx, dir, d) {
			if err == nil {
				_, err = f.allow("List", dir, 1)
			}
			if err != nil {
				yield(ferry.Info{}, err)
				return
			}
			f.went("List", 1)
			if !yield(i, nil) {
				return
			}
		}
	}
}

func (f *Failing) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	if err := f.enter("Open", name); err != nil {
		return nil, err
	}
	h, err := f.FS.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &failingHandle{below: h, name: name, fs: f}, nil
}

func (f *Failing) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := f.enter("Part", name); err != nil {
		return ferry.Info{}, err
	}
	return f.FS.Part(ctx, name)
}

func (f *Failing) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	if err := f.enter("Mkdir", name); err != nil {
		return err
	}
	return f.FS.Mkdir(ctx, name, perm)
}

func (f *Failing) Remove(ctx context.Context, name ferry.Name) error {
	if err := f.enter("Remove", name); err != nil {
		return err
	}
	return f.FS.Remove(ctx, name)
}

func (f *Failing) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	if err := f.enter("RemoveUnchanged", name); err != nil {
		return err
	}
	return f.FS.RemoveUnchanged(ctx, name, was)
}

func (f *Failing) Rmdir(ctx context.Context, name ferry.Name) error {
	if err := f.enter("Rmdir", name); err != nil {
		return err
	}
	return f.FS.Rmdir(ctx, name)
}

func (f *Failing) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if err := f.enter("Rename", from, to); err != nil {
		return err
	}
	return f.FS.Rename(ctx, from, to, replace)
}

func (f *Failing) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if err := f.enter("SetAttr", name); err != nil {
		return err
	}
	return f.FS.SetAttr(ctx, name, a)
}

func (f *Failing) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	if err := f.enter("Readlink", name); err != nil {
		return "", err
	}
	return f.FS.Readlink(ctx, name)
}

func (f *Failing) Symlink(ctx context.Context, target string, name ferry.Name) error {
	if err := f.enter("Symlink", name); err != nil {
		return err
	}
	return f.FS.Symlink(ctx, target, name)
}

func (f *Failing) Link(ctx context.Context, from, name ferry.Name) error {
	if err := f.enter("Link", from, name); err != nil {
		return err
	}
	return f.FS.Link(ctx, from, name)
}

func (f *Failing) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	if err := f.enter("Space", name); err != nil {
		return ferry.Space{}, err
	}
	return f.FS.Space(ctx, name)
}

// Straight fails by the same plan, and its calls are among those of f.
func (f *Failing) Straight() ferry.FS { return &Failing{f.FS.Straight(), f.failures} }

func (f *Failing) Close() error {
	return errors.Join(f.enter("Close", "/"), f.FS.Close())
}

// failingHandle is a Handle of a Failing.
type failingHandle struct {
	below ferry.Handle
	name  ferry.Name
	fs    *Failing
}

func (h *failingHandle) enter(method string) error { return h.fs.enter("Handle."+method, h.name) }

func (h *failingHandle) Stat() (ferry.Info, error) {
	if err := h.enter("Stat"); err != nil {
		return ferry.Info{}, err
	}
	return h.below.Stat()
}

func (h *failingHandle) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.move("ReadAt", int64(len(p)), func(n int64) (int64, error) {
		k, err := h.below.ReadAt(p[:n], off)
		return int64(k), err
	})
	return int(n), err
}

func (h *failingHandle) Gaps(limit int64) iter.Seq2[int64, int64] { return h.below.Gaps(limit) }

func (h *failingHandle) Start() int64 { return h.below.Start() }

func (h *failingHandle) WriteAt(p []byte, off int64) (int, error) {
	n, err := h.move("WriteAt", int64(len(p)), func(n int64) (int64, error) {
		k, err := h.below.WriteAt(p[:n], off)
		return int64(k), err
	})
	return int(n), err
}

func (h *failingHandle) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	return h.move("SendTo", n, func(n int64) (int64, error) { return h.below.SendTo(ctx, dst, off, n) })
}

func (h *failingHandle) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	return h.move("ReceiveFrom", n, func(n int64) (int64, error) { return h.below.ReceiveFrom(ctx, src, off, n) })
}

// move runs a call that moves up to n bytes (negative: any amount), or fewer
// where the plan ends it early.
func (h *failingHandle) move(method string, n int64, call func(n int64) (int64, error)) (int64, error) {
	if err := h.enter(method); err != nil {
		return 0, err
	}
	allowed, planned := h.fs.allow("Handle."+method, h.name, n)
	done, err := call(allowed)
	h.fs.went("Handle."+method, done)
	if err == nil && planned != nil && done == allowed {
		err = planned
	}
	return done, err
}

func (h *failingHandle) SetAttr(a ferry.Attr) error {
	if err := h.enter("SetAttr"); err != nil {
		return err
	}
	return h.below.SetAttr(a)
}

func (h *failingHandle) Truncate(size int64) error {
	if err := h.enter("Truncate"); err != nil {
		return err
	}
	return h.below.Truncate(size)
}

func (h *failingHandle) Sync() error {
	if err := h.enter("Sync"); err != nil {
		return err
	}
	return h.below.Sync()
}

func (h *failingHandle) Commit() error {
	if err := h.enter("Commit"); err != nil {
		return errors.Join(err, h.below.Abort(err))
	}
	return h.below.Commit()
}

func (h *failingHandle) Abort(cause error) error {
	return errors.Join(h.enter("Abort"), h.below.Abort(cause))
}
