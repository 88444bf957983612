package sftpserver

import (
	"math/rand/v2"
	"testing"
)

// TestSpans compares with a byte map.
func TestSpans(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var s spans
		var covered [64]bool
		for range random.IntN(12) {
			from := random.Int64N(64)
			to := from + random.Int64N(64-from+1)
			s.add(from, to)
			for i := from; i < to; i++ {
				covered[i] = true
			}
		}
		limit := random.Int64N(65)
		missing := map[int64]bool{}
		for _, gap := range s.gaps(limit) {
			for i := gap.from; i < gap.to; i++ {
				missing[i] = true
			}
		}
		for i := range int64(64) {
			if missing[i] != (!covered[i] && i < limit) {
				t.Fatalf("%v below %d: byte %d missing: %v", s, limit, i, missing[i])
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i-1].to >= s[i].from {
				t.Fatalf("%v are not joined", s)
			}
		}
	}
}
