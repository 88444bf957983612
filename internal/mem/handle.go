package mem

import (
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry"
	"ferry/internal/byteranges"
)

// handle is one open file.
type handle struct {
	session  *session
	name     ferry.Name // the client's
	number   uint64     // later ones are larger
	readOnly bool
	start    int64 // see ferry.Handle
	appends  bool  // what is written goes to the end
	node     *node
	part     *part           // of a staged upload; nil: in place
	moved    time.Time       // when the last byte came or went, at first: the opening
	source   *ferry.DataConn // what a running ReceiveFrom waits for
	discard  bool            // nothing of the part is to be kept
	ended    error           // nil while it is open; ErrTakenOver or ErrClosed
}

// use locks the tree and tells whether the handle is good for reading, or for
// changing the content as well. The caller unlocks in either case.
func (h *handle) use(change bool) error {
	h.session.tree.mu.Lock()
	if h.ended != nil {
		return h.ended
	}
	if change && h.readOnly {
		return fs.ErrPermission
	}
	return nil
}

func (h *handle) unlock() { h.session.tree.mu.Unlock() }

func (h *handle) Stat() (ferry.Info, error) {
	defer h.unlock()
	if err := h.use(false); err != nil {
		return ferry.Info{}, fail("stat", h.name, err)
	}
	return h.node.info(h.name.Base()), nil
}

func (h *handle) Gaps(limit int64) iter.Seq2[int64, int64] {
	defer h.unlock()
	if h.use(false) != nil || h.part == nil {
		return byteranges.Each(nil)
	}
	return byteranges.Each(h.node.content.written.Gaps(limit))
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.readAt(p, off)
	if err != nil {
		return n, fail("read", h.name, err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readAt reads what there is; less than p wants is no error.
func (h *handle) readAt(p []byte, off int64) (int, error) {
	defer h.unlock()
	if err := h.use(false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	return h.node.content.readAt(p, off), nil
}

func (h *handle) Start() int64 { return h.start }

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	defer h.unlock()
	err := h.use(true)
	if err == nil && off < 0 {
		err = fs.ErrInvalid
	}
	if err != nil {
		return 0, fail("write", h.name, err)
	}
	if h.appends {
		off = h.node.content.size
	}
	n, err := h.session.tree.write(h.node, p, off)
	if n > 0 {
		h.moved = time.Now()
	}
	return n, fail("write", h.name, err)
}

func (h *handle) SetAttr(a ferry.Attr) error {
	defer h.unlock()
	err := h.use(a.Size != nil)
	switch {
	case err != nil:
	case h.part != nil:
		err = h.session.tree.setPartAttr(h.part, a)
	default:
		err = h.session.tree.setAttr(h.node, a)
	}
	return fail("setattr", h.name, err)
}

func (h *handle) Truncate(size int64) error {
	defer h.unlock()
	err := h.use(true)
	if err == nil {
		err = h.session.tree.truncate(h.node, size)
	}
	return fail("truncate", h.name, err)
}

func (h *handle) Sync() error {
	defer h.unlock()
	err := h.use(false)
	if err == nil {
		err = h.publish()
	}
	return fail("sync", h.name, err)
}

func (h *handle) Commit() error {
	defer h.unlock()
	err := h.use(false)
	if err == nil {
		err = h.publish()
	}
	h.release()
	return fail("commit", h.name, err)
}

func (h *handle) Abort(cause error) error {
	defer h.unlock()
	_ = h.use(false) // aborting is right whatever became of it
	h.discard = ferry.Discarded(cause)
	h.release()
	return nil
}

// publish makes a staged upload visible; the handle is in place from then on.
func (h *handle) publish() error {
	if h.part == nil {
		return nil
	}
	if err := h.session.tree.publish(h.part); err != nil {
		return err
	}
	h.part = nil
	return nil
}

// release ends the use of the handle; a part that is left is kept where the
// user may have that.
func (h *handle) release() {
	if !h.session.handles[h] {
		return
	}
	if p := h.part; p != nil && p.dir != nil {
		p.holder = nil
		p.letGo()
		p.exclusive = false
		p.kept = time.Now()
		if !h.session.keeps || h.discard {
			h.session.tree.discard(p)
		}
	}
	if h.ended == nil {
		h.ended = ferry.ErrClosed
	}
	h.part = nil
	delete(h.session.handles, h)
	h.session.tree.closed(h.node)
}

// revoke takes the part away from the handle and wakes a ReceiveFrom that
// waits for its peer.
func (h *handle) revoke(why error) {
	h.ended = why
	h.part = nil
	if h.source != nil {
		h.source.Interrupt(why)
	}
}
