package daemon

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

// TestMemoryIsGivenBackInALull: not while there is work, not for little work,
// and not for ever.
func TestMemoryIsGivenBackInALull(t *testing.T) {
	var m memory
	for i, look := range []struct {
		work uint64 // bytes allocated since the last look
		want bool
	}{
		{100, false},
		{50 << 20, false},
		{100, true}, {1 << 20, false}, {100, true}, {100, true},
		{100, false},
		{5 << 20, false}, {100, false},
		{5 << 20, false}, {100, true},
	} {
		if got := m.shallFree(m.allocated + look.work); got != look.want {
			t.Errorf("look %d: %v", i, got)
		}
	}
}
