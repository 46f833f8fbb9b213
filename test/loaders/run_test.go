package loaders

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// trial makes one chart from r and returns what became of it. A fault is an error.
type trial func(r *rand.Rand) (outcome, error)

// outcome is what was made of one chart.
type outcome struct {
	ours error // nil where chartserve takes it
	helm error // nil where both Helms take it
	what string
}

// compare runs n trials, as many at once as there are processors, or for longer where
// TORTURE is long. It fails at the first few faults, at a refusal that is not intended,
// and where too few charts were taken to prove anything.
func compare(t *testing.T, n int, try trial) {
	t.Helper()
	first, end := uint64(0), time.Time{}
	if os.Getenv("TORTURE") == "long" {
		first, end = uint64(time.Now().Unix())<<20, time.Now().Add(10*time.Minute)
	}
	if s := os.Getenv("LOADERS_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		first, n, end = seed, 1, time.Time{}
	}
	tally := &tally{refused: map[string]int{}}
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= uint64(n) && !time.Now().Before(end) || tally.enough() {
					return
				}
				o, err := guarded(try, rand.New(rand.NewPCG(first+i, 1)))
				tally.add(t, first+i, o, err)
			}
		})
	}
	workers.Wait()
	t.Logf("seeds from %d: %s", first, tally)
	if n > 1 && tally.taken*5 < tally.all {
		t.Errorf("%d of %d charts were taken: too few to prove anything", tally.taken, tally.all)
	}
}

// guarded turns a panic into a fault.
func guarded(try trial, r *rand.Rand) (o outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			stack := make([]byte, 4096)
			err = fmt.Errorf("panic: %v\n%s", p, stack[:runtime.Stack(stack, false)])
		}
	}()
	return try(r)
}

// tally counts outcomes.
type tally struct {
	mu         sync.Mutex
	all, taken int
	bad        int // refused by one Helm at least, and by chartserve
	refused    map[string]int
	faults     int
}

func (c *tally) enough() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults >= 5
}

func (c *tally) add(t *testing.T, seed uint64, o outcome, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all++
	switch {
	case err != nil:
		c.faults++
		t.Errorf("LOADERS_SEED=%d: %v\n%s", seed, err, o.what)
	case o.ours == nil:
		c.taken++
	case o.helm != nil:
		c.bad++
	default:
		why, ok := reasonOf(o.ours)
		if c.refused[why]++; !ok {
			c.faults++
			t.Errorf("LOADERS_SEED=%d: both Helms take it, and chartserve refuses it for a reason that is not intended: %v\n%s", seed, o.ours, o.what)
		}
	}
}

func (c *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d charts, %d taken, %d refused as by Helm, and by chartserve alone:", c.all, c.taken, c.bad)
	for _, why := range sortedKeys(c.refused) {
		fmt.Fprintf(&b, "\n\t%6d %s", c.refused[why], why)
	}
	return b.String()
}

// reasonOf returns which of the intended refusals err is.
func reasonOf(err error) (why string, ok bool) {
	var ce *chart.Error
	if !errors.As(err, &ce) {
		return fmt.Sprint(err), false
	}
	for _, i := range intended() {
		if strings.Contains(ce.Reason, i.reason) {
			return i.reason, true
		}
	}
	return ce.Reason, false
}

// TestMain keeps what the Helms log off the screen, and small files in memory where there
// is a place for such.
func TestMain(m *testing.M) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		os.Setenv("TMPDIR", "/dev/shm")
	}
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
