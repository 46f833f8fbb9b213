package main

import (
	"context"
	"runtime/metrics"
	"testing"
	"testing/synctest"
)

// A server has one setting until it is ready and one after that; the process has at
// the end what it had before.
func TestHoldMemory(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := garbagePercent()
	want := func(when string, percent int) {
		t.Helper()
		if got := garbagePercent(); got != percent {
			t.Errorf("%s: GOGC %d, want %d", when, got, percent)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		restore := setGarbage(startGarbage)
		ctx, cancel := context.WithCancel(t.Context())
		ready := make(chan struct{})
		go holdMemory(ctx, ready)
		synctest.Wait()
		want("starting", startGarbage)
		close(ready)
		synctest.Wait()
		want("ready", restGarbage)
		cancel()
		synctest.Wait()
		want("ended", startGarbage)
		restore()
		want("afterwards", before)

		go holdMemory(ctx, nil) // ended before it was ready
		synctest.Wait()
		want("never ready", before)
	})
}

// What the environment says is left alone.
func TestMemoryOfTheEnvironment(t *testing.T) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			t.Setenv(name, "off")
			before := garbagePercent()
			defer setGarbage(before + 11)()
			if got := garbagePercent(); got != before {
				t.Errorf("GOGC %d, want %d", got, before)
			}
		})
	}
}

// garbagePercent is GOGC as it is now.
func garbagePercent() int {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return int(int64(s[0].Value.Uint64()))
}
