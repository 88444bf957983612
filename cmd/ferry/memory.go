package main

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
	// lull is below what allocation of a second the server has nothing to do.
	lull = 1 << 20
	// worthFreeing is from what garbage on a lull is used to give it back.
	worthFreeing = 8 << 20
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
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var m memory
	for {
		now := readHeap()
		if percent := percentFor(now.live); percent != m.percent {
			debug.SetGCPercent(percent)
			m.percent = percent
		}
		if m.shallFree(now) {
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
	freed     bool   // in this lull
}

// heap is what the runtime says of it, in bytes.
type heap struct {
	live      uint64 // found reachable by the last collection
	objects   uint64 // reachable, or not yet collected
	allocated uint64 // since the start
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return heap{live: s[0].Value.Uint64(), objects: s[1].Value.Uint64(), allocated: s[2].Value.Uint64()}
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

// shallFree tells, once in each lull, whether there is much to give back.
func (m *memory) shallFree(now heap) bool {
	quiet := now.allocated-m.allocated < lull
	m.allocated = now.allocated
	if !quiet {
		m.freed = false
		return false
	}
	if m.freed || now.objects < now.live+worthFreeing {
		return false
	}
	m.freed = true
	return true
}
