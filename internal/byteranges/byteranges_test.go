package byteranges

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// naive is a set as a byte for each byte.
type naive [2048]bool

func (n *naive) ranges() []Range {
	var all []Range
	for i, in := range n {
		at := int64(i)
		switch {
		case !in:
		case len(all) > 0 && all[len(all)-1].To == at:
			all[len(all)-1].To++
		default:
			all = append(all, Range{at, at + 1})
		}
	}
	return all
}

// check compares a set with what it is to hold, and looks whether it is in order.
func check(t *testing.T, s *Set, n *naive) {
	t.Helper()
	want := n.ranges()
	if got := slices.Concat(s.blocks...); !slices.Equal(got, want) || s.Len() != len(want) {
		t.Fatalf("%d ranges %v, want %v", s.Len(), got, want)
	}
	for _, block := range s.blocks {
		if len(block) == 0 || len(block) > maxBlock {
			t.Fatalf("a block of %d ranges", len(block))
		}
	}
	contiguous := int64(slices.Index(n[:], false))
	if contiguous < 0 {
		contiguous = int64(len(n))
	}
	if got := s.Contiguous(); got != contiguous {
		t.Fatalf("%d bytes from the beginning, want %d", got, contiguous)
	}
	for _, limit := range []int64{0, 1, 700, int64(len(n))} {
		missing := int64(0)
		for _, in := range n[:limit] {
			if !in {
				missing++
			}
		}
		for _, gap := range s.Gaps(limit) {
			if gap.From >= gap.To || slices.Contains(n[gap.From:gap.To], true) {
				t.Fatalf("%v is no gap", gap)
			}
			missing -= gap.To - gap.From
		}
		if missing != 0 {
			t.Fatalf("gaps below %d: %d bytes are not told", limit, missing)
		}
	}
}

// apply does what three numbers say, to both.
func apply(s *Set, n *naive, op, a, b int) {
	a, b = a%len(n), b%64
	if op%16 == 0 {
		s.Cut(int64(a))
		clear(n[a:])
		return
	}
	to := min(a+b, len(n))
	s.Add(int64(a), int64(to))
	for i := a; i < to; i++ {
		n[i] = true
	}
}

func TestAgainstBytes(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		longest := 1 + random.IntN(63)
		var s Set
		var n naive
		for range 1500 {
			op := random.IntN(200)
			apply(&s, &n, op, random.IntN(len(n)), random.IntN(longest))
		}
		check(t, &s, &n)
	}
}

func TestSpansKnowTheFirstGap(t *testing.T) {
	for _, row := range []struct {
		add  []Range
		cut  int64
		want int64
	}{
		{nil, 100, 0},
		{[]Range{{0, 10}}, 100, 10},
		{[]Range{{1, 10}}, 100, 0},
		{[]Range{{0, 10}, {10, 20}, {5, 15}}, 100, 20},
		{[]Range{{0, 10}, {11, 20}}, 100, 10},
		{[]Range{{20, 30}, {0, 10}, {10, 20}}, 100, 30},
		{[]Range{{40, 50}, {20, 30}, {0, 10}, {5, 45}}, 100, 50},
		{[]Range{{0, 10}, {20, 30}}, 25, 10},
		{[]Range{{0, 30}}, 25, 25},
		{[]Range{{0, 30}}, 0, 0},
	} {
		var s Set
		for _, a := range row.add {
			s.Add(a.From, a.To)
		}
		s.Cut(row.cut)
		if got := s.Contiguous(); got != row.want {
			t.Errorf("%v, cut at %d: solid up to %d, want %d", row.add, row.cut, got, row.want)
		}
	}
}

// Every other byte, so that there are several blocks, and then all of them joined
// by one range.
func TestManyBlocks(t *testing.T) {
	var s Set
	var n naive
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(n) / 2)
	for _, i := range order {
		apply(&s, &n, 1, 2*i, 1)
	}
	check(t, &s, &n)
	if len(s.blocks) < 3 {
		t.Fatalf("%d blocks", len(s.blocks))
	}
	s.Add(3, int64(len(n))-3)
	for i := 3; i < len(n)-3; i++ {
		n[i] = true
	}
	check(t, &s, &n)
}

func FuzzSet(f *testing.F) {
	f.Add([]byte{1, 0, 0, 4, 1, 0, 10, 4, 0, 0, 12, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var s Set
		var n naive
		for ; len(ops) >= 4; ops = ops[4:] {
			apply(&s, &n, int(ops[0]), int(ops[1])<<8|int(ops[2]), int(ops[3]))
		}
		check(t, &s, &n)
	})
}

// BenchmarkHoles: what one more write costs where there are 160,000 holes.
func BenchmarkHoles(b *testing.B) {
	var s Set
	for i := range int64(160_000) {
		s.Add(i*8192, i*8192+4096)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		at := random.Int64N(160_000) * 8192
		s.Add(at+5000, at+5001)
	}
}

// BenchmarkAddBetweenHoles: to write here and there costs about as much with 160,000 holes
// as with 1,000.
func BenchmarkAddBetweenHoles(b *testing.B) {
	for _, holes := range []int{1_000, 160_000} {
		b.Run(strconv.Itoa(holes), func(b *testing.B) {
			var s Set
			for _, i := range rand.Perm(holes) {
				s.Add(int64(i)*10, int64(i)*10+1)
			}
			for b.Loop() {
				at := rand.Int64N(int64(holes)) * 10
				s.Add(at+5, at+6)
				s.Add(at+5, at+6)
			}
		})
	}
}

// TestManyRangesMoveLittle: the memory that adding one moves does not grow with how many
// there are, but for the list of the blocks.
func TestManyRangesMoveLittle(t *testing.T) {
	const ranges = 160_000
	var s Set
	for _, i := range rand.Perm(ranges) {
		s.Add(int64(i)*10, int64(i)*10+1)
	}
	if s.Len() != ranges || len(s.blocks) > 4*ranges/maxBlock {
		t.Errorf("%d ranges in %d blocks", s.Len(), len(s.blocks))
	}
	for _, block := range s.blocks {
		if len(block) > maxBlock {
			t.Fatalf("a block of %d ranges", len(block))
		}
	}
}
