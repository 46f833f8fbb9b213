package main

import (
	"context"
	"os"
	"runtime/debug"
)

// What the garbage collector lets a process hold beyond what is in use, in percent
// (GOGC).
const (
	// startGarbage is for work with an end: builds, and a server until it is ready.
	// Twice Go's default saves a quarter of the collector's time.
	startGarbage = 200
	// restGarbage is for a server that is ready, which rests most of the time:
	// collecting three times as often as Go's default costs it little.
	restGarbage = 30
)

// setGarbage sets the garbage collector to percent, unless the environment says how
// memory is collected. restore puts the previous setting back.
func setGarbage(percent int) (restore func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	was := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(was) }
}

// holdMemory keeps a server small from when it is ready until ctx ends.
func holdMemory(ctx context.Context, ready <-chan struct{}) {
	select {
	case <-ctx.Done():
		return
	case <-ready:
	}
	defer setGarbage(restGarbage)()
	debug.FreeOSMemory() // what the start needed and nobody does now
	<-ctx.Done()
}
