package byteranges

import (
	"iter"
	"sync"
)

// Shared is a Set that several goroutines may use at once. The zero value is empty.
type Shared struct {
	mu  sync.Mutex
	set Set
}

// Add notes that the bytes from begin up to end are there.
func (s *Shared) Add(begin, end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.Add(begin, end)
}

// Cut notes that the file has been cut off at size.
func (s *Shared) Cut(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.Cut(size)
}

// Contiguous says where the first gap begins.
func (s *Shared) Contiguous() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set.Contiguous()
}

// Gaps are the ranges below limit that are not there now.
func (s *Shared) Gaps(limit int64) iter.Seq2[int64, int64] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Each(s.set.Gaps(limit))
}
