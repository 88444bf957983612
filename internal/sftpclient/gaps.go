package sftpclient

import (
	"iter"

	"ferry/internal/byteranges"
)

// Gaps is ferry.Handle's.
func (h *handle) Gaps(limit int64) iter.Seq2[int64, int64] {
	if h.staged().part == "" {
		return byteranges.Each(nil)
	}
	return h.written.Gaps(limit)
}
