package sftpclient

import (
	"iter"
	"sync"

	"ferry/internal/byteranges"
)

// written is what the server has taken of an upload.
type written struct {
	mu  sync.Mutex
	set byteranges.Set
}

func (w *written) add(from, to int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set.Add(from, to)
}

func (w *written) cut(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set.Cut(size)
}

// Gaps is ferry.Handle's.
func (h *handle) Gaps(limit int64) iter.Seq2[int64, int64] {
	if h.staged().part == "" {
		return byteranges.Each(nil)
	}
	h.written.mu.Lock()
	defer h.written.mu.Unlock()
	return byteranges.Each(h.written.set.Gaps(limit))
}
