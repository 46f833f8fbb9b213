package repo

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"chartserve/internal/watch"
)

// counted is an Observer that keeps what it is told.
type counted struct {
	mu      sync.Mutex
	passes  []Pass
	fetches []error
}

func (c *counted) Passed(p Pass) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passes = append(c.passes, p)
}

func (c *counted) Fetched(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetches = append(c.fetches, err)
}

// last is the only Pass since the last call; nil: there was none.
func (c *counted) last(t *testing.T) *Pass {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.passes = nil }()
	switch len(c.passes) {
	case 0:
		return nil
	case 1:
		return &c.passes[0]
	}
	t.Fatalf("%d passes: %+v", len(c.passes), c.passes)
	return nil
}

// The time until an event is served is that since the first one, over passes that fail.
func TestObserver(t *testing.T) {
	c := &counted{}
	f := newFixture(t)
	f.setOptions(Options{Observer: c})
	f.add(chartFiles("nova", "nova", "1.0.0"))
	r := f.open()
	c.passes = nil
	at := func(ago time.Duration, files ...map[string]string) mail {
		f.add(files...)
		return mail{change: watch.Change{Rescan: len(files) > 0}, since: time.Now().Add(-ago)}
	}

	must(t, r.pass(t.Context(), at(time.Hour)))
	if p := c.last(t); p != nil {
		t.Errorf("nothing to do: %+v", p)
	}
	broken := errors.New("broken")
	f.fail(func(string, string) error { return broken })
	if err := r.pass(t.Context(), at(10*time.Minute, chartFiles("nova", "nova", "1.1.0"))); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if p := c.last(t); p == nil || !errors.Is(p.Err, broken) || p.Latency != 0 || p.Took <= 0 {
		t.Errorf("a pass that fails: %+v", p)
	}
	f.fail(nil)
	must(t, r.pass(t.Context(), at(time.Minute, chartFiles("nova", "nova", "1.2.0"))))
	if p := c.last(t); p == nil || p.Err != nil || p.Latency < 10*time.Minute || p.Latency > 20*time.Minute {
		t.Errorf("the pass after it: %+v", p)
	}
	must(t, r.pass(t.Context(), rescan()))
	if p := c.last(t); p == nil || p.Latency != 0 {
		t.Errorf("a look at everything: %+v", p)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.pass(ended, at(0, chartFiles("nova", "nova", "1.3.0")))
	if p := c.last(t); p != nil {
		t.Errorf("a pass that was stopped: %+v", p)
	}
}

// Downloads are told of, those that fail with their reason.
func TestObserverOfDownloads(t *testing.T) {
	c, m := &counted{}, newRemote(t, "1.2.0")
	f := newFixture(t)
	f.setOptions(Options{Observer: c, Fetcher: fetcherFunc(m.fetch)})
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
	m.err = errors.New("out of reach")
	f.build()
	m.err = nil
	f.build()
	if len(c.fetches) != 2 || c.fetches[0] == nil || c.fetches[1] != nil {
		t.Errorf("got %v", c.fetches)
	}
}
