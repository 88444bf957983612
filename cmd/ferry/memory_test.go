package main

import "testing"

func TestPercentFor(t *testing.T) {
	tests := []struct {
		live uint64
		want int
	}{
		{0, 1600}, {1 << 20, 1600}, {2 << 20, 1600}, {5 << 20, 800}, {20 << 20, 200}, {40 << 20, 100}, {4 << 30, 100},
	}
	for _, tt := range tests {
		if got := percentFor(tt.live); got != tt.want {
			t.Errorf("%d MiB live: %d %%, want %d %%", tt.live>>20, got, tt.want)
		}
	}
}

// TestMemoryIsGivenBackOnceInALull: not while there is work, not for little,
// and not again before there was work.
func TestMemoryIsGivenBackOnceInALull(t *testing.T) {
	m := memory{}
	for i, step := range []struct {
		heap heap
		want bool
	}{
		{heap{live: 4 << 20, objects: 30 << 20, allocated: 100 << 20}, false}, // busy
		{heap{live: 4 << 20, objects: 30 << 20, allocated: 100 << 20}, true},
		{heap{live: 4 << 20, objects: 30 << 20, allocated: 100 << 20}, false}, // again
		{heap{live: 4 << 20, objects: 30 << 20, allocated: 150 << 20}, false}, // busy
		{heap{live: 4 << 20, objects: 6 << 20, allocated: 150 << 20}, false},  // little
		{heap{live: 4 << 20, objects: 14 << 20, allocated: 150<<20 + 1}, true},
	} {
		if got := m.shallFree(step.heap); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}
