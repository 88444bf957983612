// Package byteranges keeps which bytes of a file are there: a set of ranges, in
// order, that never touch one another.
//
// Clients of SFTP write where they like (draft-ietf-secsh-filexfer-02 §6.4), so a
// set may have as many ranges as there were writes. Adding one costs a search and
// the move of one block, however many there are.
package byteranges

import (
	"iter"
	"slices"
)

// Range is the bytes from From up to To, which is not one of them.
type Range struct{ From, To int64 }

// maxBlock is how many ranges lie in one piece of memory.
const maxBlock = 256

// Set is a set of bytes. The zero value is empty. It is not safe for concurrent
// use.
type Set struct {
	blocks [][]Range // none is empty; in order, over all blocks
	n      int
}

// Len is how many ranges the set has.
func (s *Set) Len() int { return s.n }

// Add puts the bytes from from up to to into the set.
func (s *Set) Add(from, to int64) {
	if from >= to {
		return
	}
	if s.extendLast(from, to) {
		return // as nearly always: who writes, writes on
	}
	b, i := s.search(from)
	if b == len(s.blocks) { // behind all there is
		s.append(Range{from, to})
		return
	}
	block := s.blocks[b]
	joined, end := Range{from, to}, i
	for ; end < len(block) && block[end].From <= joined.To; end++ {
		joined = Range{min(joined.From, block[end].From), max(joined.To, block[end].To)}
	}
	s.blocks[b] = slices.Replace(block, i, end, joined)
	s.n += 1 - (end - i)
	if end == len(block) {
		s.swallow(b, i)
	}
	s.split(b)
}

// extendLast makes the last range longer where the new bytes begin in it or at
// its end.
func (s *Set) extendLast(from, to int64) bool {
	if len(s.blocks) == 0 {
		return false
	}
	block := s.blocks[len(s.blocks)-1]
	last := &block[len(block)-1]
	if from < last.From || from > last.To {
		return false
	}
	last.To = max(last.To, to)
	return true
}

// search finds the first range that ends at or behind at: number i of block b; b is
// the number of blocks where there is none.
func (s *Set) search(at int64) (b, i int) {
	before := func(r Range, at int64) int {
		if r.To < at {
			return -1
		}
		return 1
	}
	b, _ = slices.BinarySearchFunc(s.blocks, at, func(block []Range, at int64) int { return before(block[len(block)-1], at) })
	if b < len(s.blocks) {
		i, _ = slices.BinarySearchFunc(s.blocks[b], at, before)
	}
	return b, i
}

// swallow joins the range i, the last of block b, with those of later blocks that
// it touches.
func (s *Set) swallow(b, i int) {
	joined := &s.blocks[b][i]
	for next := b + 1; next < len(s.blocks); {
		block := s.blocks[next]
		end := 0
		for ; end < len(block) && block[end].From <= joined.To; end++ {
			joined.To = max(joined.To, block[end].To)
		}
		s.n -= end
		if end < len(block) {
			s.blocks[next] = slices.Delete(block, 0, end)
			return
		}
		s.blocks = slices.Delete(s.blocks, next, next+1)
	}
}

func (s *Set) append(r Range) {
	s.n++
	if last := len(s.blocks) - 1; last >= 0 && len(s.blocks[last]) < maxBlock {
		s.blocks[last] = append(s.blocks[last], r)
		return
	}
	s.blocks = append(s.blocks, []Range{r})
}

// split makes two of a block that has grown too long.
func (s *Set) split(b int) {
	block := s.blocks[b]
	if len(block) <= maxBlock {
		return
	}
	half := len(block) / 2
	s.blocks = slices.Insert(s.blocks, b+1, slices.Clone(block[half:]))
	s.blocks[b] = block[:half:half]
}

// Cut takes the bytes from size on out of the set.
func (s *Set) Cut(size int64) {
	for len(s.blocks) > 0 {
		b := len(s.blocks) - 1
		block := s.blocks[b]
		last := &block[len(block)-1]
		if last.From < size {
			last.To = min(last.To, size)
			return
		}
		s.n--
		if block = block[:len(block)-1]; len(block) == 0 {
			s.blocks = s.blocks[:b]
			continue
		}
		s.blocks[b] = block
	}
}

// Contiguous is how many bytes there are from the beginning on, before the first
// gap.
func (s *Set) Contiguous() int64 {
	if len(s.blocks) == 0 || s.blocks[0][0].From > 0 {
		return 0
	}
	return s.blocks[0][0].To
}

// Gaps are the ranges below limit that are not in the set, in order.
func (s *Set) Gaps(limit int64) []Range {
	var gaps []Range
	at := int64(0)
	for _, block := range s.blocks {
		for _, r := range block {
			if at >= limit {
				return gaps
			}
			if r.From > at {
				gaps = append(gaps, Range{at, min(r.From, limit)})
			}
			at = r.To
		}
	}
	if at < limit {
		gaps = append(gaps, Range{at, limit})
	}
	return gaps
}

// Each gives ranges one by one, as ferry.Handle has them.
func Each(ranges []Range) iter.Seq2[int64, int64] {
	return func(yield func(int64, int64) bool) {
		for _, r := range ranges {
			if !yield(r.From, r.To) {
				return
			}
		}
	}
}
