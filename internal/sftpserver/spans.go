package sftpserver

import "slices"

// span is a range of bytes, [from, to).
type span struct{ from, to int64 }

// spans are ranges in order, with gaps between them.
type spans []span

// maxSpans is how many a client may make by writing here and there.
const maxSpans = 1024

// add joins [from, to) with what there is.
func (s *spans) add(from, to int64) {
	if from >= to {
		return
	}
	// The first that ends at or behind from, and the first that begins behind to.
	i, _ := slices.BinarySearchFunc(*s, from, func(e span, at int64) int {
		if e.to < at {
			return -1
		}
		return 1
	})
	j := i
	for ; j < len(*s) && (*s)[j].from <= to; j++ {
		from, to = min(from, (*s)[j].from), max(to, (*s)[j].to)
	}
	*s = slices.Replace(*s, i, j, span{from, to})
}

// gaps are the ranges below limit that are not there.
func (s spans) gaps(limit int64) []span {
	var gaps []span
	at := int64(0)
	for _, e := range s {
		if at >= limit {
			return gaps
		}
		if e.from > at {
			gaps = append(gaps, span{at, min(e.from, limit)})
		}
		at = e.to
	}
	if at < limit {
		gaps = append(gaps, span{at, limit})
	}
	return gaps
}
