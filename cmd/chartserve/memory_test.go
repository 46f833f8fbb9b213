package main

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"chartserve/internal/repo"
)

func TestMemoryLimit(t *testing.T) {
	for index, want := range map[int]int64{0: 192 << 20, 6 << 20: 192 << 20, 100 << 20: 614 << 20} {
		if got := memoryLimit(index); got != want {
			t.Errorf("index of %d: %d, want %d", index, got, want)
		}
	}
}

// The process has what it had when the server has ended, and what the environment
// says is left alone.
func TestHoldMemory(t *testing.T) {
	r, err := repo.Open(t.TempDir(), repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Build(context.Background()); err != nil {
		t.Fatal(err)
	}
	limit := debug.SetMemoryLimit(-1)
	if limit != math.MaxInt64 {
		t.Skipf("there is a memory limit: %d", limit)
	}
	held := func() (limit int64, percent int) {
		defer collectLate(garbageShare)()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { holdMemory(ctx, r); close(ended) }()
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if limit = debug.SetMemoryLimit(-1); limit == memoryFloor || isClosed(ended) {
				break
			}
		}
		percent = garbagePercent()
		cancel()
		<-ended
		return limit, percent
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	if limit, percent := held(); limit != memoryFloor || percent != garbageShare {
		t.Errorf("limit %d, GOGC %d, want %d and %d", limit, percent, memoryFloor, garbageShare)
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("afterwards the limit is %d", limit)
	}
	t.Setenv("GOGC", "100")
	if limit, percent := held(); limit != math.MaxInt64 || percent == garbageShare {
		t.Errorf("with GOGC set: limit %d, GOGC %d", limit, percent)
	}
}

// Nothing is collected until the process is large; from the first collection on all
// is as usual, and afterwards as before.
func TestCollectLate(t *testing.T) {
	settings := func() (limit int64, percent int) { return debug.SetMemoryLimit(-1), garbagePercent() }
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	limitBefore, percentBefore := settings()
	restore := collectLate(42)
	if limit, percent := settings(); limit != firstCollection || percent != -1 {
		t.Errorf("at first: limit %d, GOGC %d", limit, percent)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		runtime.GC()
		if _, percent := settings(); percent != -1 {
			break
		}
	}
	if limit, percent := settings(); limit != math.MaxInt64 || percent != 42 {
		t.Errorf("after a collection: limit %d, GOGC %d", limit, percent)
	}
	restore()
	if limit, percent := settings(); limit != limitBefore || percent != percentBefore {
		t.Errorf("restored: limit %d, GOGC %d, not %d and %d", limit, percent, limitBefore, percentBefore)
	}
	collectLate(42)()
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
	if limit, percent := settings(); limit != limitBefore || percent != percentBefore {
		t.Errorf("restored before a collection: limit %d, GOGC %d", limit, percent)
	}
	t.Setenv("GOGC", "100")
	collectLate(42)
	if limit, percent := settings(); limit != limitBefore || percent != percentBefore {
		t.Errorf("with GOGC set: limit %d, GOGC %d", limit, percent)
	}
}

// garbagePercent is GOGC as it is now; -1: nothing is collected.
func garbagePercent() int {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return int(int64(s[0].Value.Uint64()))
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
