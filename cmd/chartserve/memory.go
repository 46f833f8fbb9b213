package main

import (
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"chartserve/internal/repo"
)

const (
	// garbageShare is GOGC while serving: the memory is that of a repository that
	// rests most of the time, so collecting three times as often costs little.
	garbageShare = 30
	// memoryFloor and memoryFactor are the heap that the collector aims to stay
	// within: a repository takes up to five times the size of its index.
	memoryFloor  = 192 << 20
	memoryBase   = 64 << 20
	memoryFactor = 5.5
	memoryEvery  = 10 * time.Second
	// memoryRest is how long those who waited for the first index have the
	// processors for themselves.
	memoryRest = 200 * time.Millisecond
	// firstCollection is what a process may hold before anything is collected.
	firstCollection = 64 << 20
)

// memoryLimit is the limit for a repository with an index of that size, in bytes.
func memoryLimit(index int) int64 {
	return max(memoryFloor, memoryBase+int64(memoryFactor*float64(index)))
}

// tuned tells that the environment says how memory is collected.
func tuned() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// collectLate has the garbage collector wait until the process holds
// firstCollection, and keep to share, which is GOGC, from then on: most builds have
// ended before, and most restarts are ready. What restore sets is what was.
func collectLate(share int) (restore func()) {
	if tuned() {
		return func() {}
	}
	limit, percent := debug.SetMemoryLimit(firstCollection), debug.SetGCPercent(-1)
	garbage := new([64]byte) // the first collection finds it
	first := runtime.AddCleanup(garbage, func(share int) {
		if debug.SetMemoryLimit(-1) == firstCollection {
			debug.SetMemoryLimit(math.MaxInt64)
		}
		debug.SetGCPercent(share)
	}, share)
	return func() {
		first.Stop()
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}

// holdMemory has the garbage collector keep a server small. What is collected for
// its own sake is nobody's request: without this the heap doubles between two
// collections, by hundreds of megabytes where there are 100,000 archives. It
// returns when ctx ends; collectLate's restore puts back what was.
func holdMemory(ctx context.Context, r *repo.Repository) {
	if tuned() {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-r.Ready():
	}
	rest := time.After(memoryRest)
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest:
			debug.SetGCPercent(garbageShare)
			debug.FreeOSMemory() // what the start needed and nobody does now
		case <-tick.C:
		}
		debug.SetMemoryLimit(memoryLimit(r.Snapshot().Index.JSON.Data.Len()))
	}
}
