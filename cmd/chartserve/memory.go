package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"chartserve/internal/repo"
)

const (
	// garbageShare is GOGC while serving: the memory is that of a repository that
	// rests most of the time, so collecting three times as often costs little.
	garbageShare = 30
	// memoryFloor and memoryFactor are the heap that the collector aims to stay
	// within: a repository takes four to five times the size of its index, and while
	// the next index is made another one and a half times.
	memoryFloor  = 192 << 20
	memoryBase   = 64 << 20
	memoryFactor = 5.5
	memoryEvery  = 10 * time.Second
)

// memoryLimit is the limit for a repository with an index of that size, in bytes.
func memoryLimit(index int) int64 {
	return max(memoryFloor, memoryBase+int64(memoryFactor*float64(index)))
}

// holdMemory has the garbage collector keep a server small, unless GOGC or
// GOMEMLIMIT say otherwise. What is collected for its own sake is nobody's request:
// without this the heap doubles between two collections, by hundreds of megabytes
// where there are 100,000 archives. It returns when ctx ends.
func holdMemory(ctx context.Context, r *repo.Repository) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	// Both are the process's: a caller that goes on has its own back.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer debug.SetGCPercent(debug.SetGCPercent(garbageShare))
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	ready := r.Ready()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ready:
			ready = nil          // a start may take longer than a tick
			debug.FreeOSMemory() // what the start needed and nobody does now
		case <-tick.C:
		}
		if index := r.Snapshot().Index; index != nil {
			debug.SetMemoryLimit(memoryLimit(len(index.JSON.Data)))
		}
	}
}
