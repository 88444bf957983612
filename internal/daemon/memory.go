package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapFloor is up to what size the heap grows before it is collected. The
	// session's own memory is a few MiB; but SSH makes garbage of each packet, and
	// a collection every 4 MiB of it costs more than the packets.
	heapFloor = 32 << 20
	// lookEvery is how often the heap is looked at.
	lookEvery = 500 * time.Millisecond
	// lull is below what allocation between two looks the server has nothing to do.
	lull = 512 << 10
	// worthFreeing is from what allocation on a lull is used to give memory back.
	worthFreeing = 8 << 20
	// timesFreed is how often that is done, one look after the other.
	timesFreed = 3
	// mostPercent bounds the growth that heapFloor allows a small heap.
	mostPercent = 1600
)

// watchMemory sees to it that a server that moves files seldom collects
// garbage, and that one with idle sessions holds none. It leaves the heap alone
// where the environment has GOGC.
func watchMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var m memory
	for {
		now := readHeap()
		if percent := percentFor(now.live); percent != m.percent {
			debug.SetGCPercent(percent)
			m.percent = percent
		}
		if m.shallFree(now.allocated) {
			debug.FreeOSMemory()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// memory is what watchMemory remembers from one look to the next.
type memory struct {
	percent   int    // that the collector has
	allocated uint64 // as of the last look
	garbage   uint64 // allocated since it was last worth freeing
	left      int    // how often it is to be freed yet
}

// heap is what the runtime says of it, in bytes.
type heap struct {
	live      uint64 // found reachable by the last collection
	allocated uint64 // since the start
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return heap{live: s[0].Value.Uint64(), allocated: s[1].Value.Uint64()}
}

// percentFor is GOGC for a heap of that many live bytes, in steps, so that it
// does not change all the time.
func percentFor(live uint64) int {
	percent := 100
	for percent < mostPercent && live*uint64(percent)/100 < heapFloor {
		percent *= 2
	}
	return percent
}

// shallFree tells, a few times in each lull behind some work, that memory shall
// be given back: a stack that was used deeply becomes half as large each time.
func (m *memory) shallFree(allocated uint64) bool {
	since := allocated - m.allocated
	m.allocated = allocated
	if m.garbage += since; m.garbage >= worthFreeing {
		m.garbage, m.left = 0, timesFreed
	}
	if since >= lull || m.left == 0 {
		return false
	}
	m.left--
	return true
}
