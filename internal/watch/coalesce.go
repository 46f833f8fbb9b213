package watch

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// maxPaths is how many paths a Change names; beyond that looking at everything
// is cheaper than looking each of them up.
const maxPaths = 5000

// coalescer gathers what happens until it has been quiet for a while, or until
// the first of it has waited long enough. It has no clock of its own.
type coalescer struct {
	quiet, maxDelay time.Duration

	first, last time.Time // of what is pending; first is zero when nothing is
	paths       map[string]struct{}
	full        bool // there were too many paths to keep
	rescan      bool
	reason      string
}

// path notes that something happened to path.
func (c *coalescer) path(now time.Time, path string) {
	c.touch(now)
	if c.full {
		return
	}
	if c.paths == nil {
		c.paths = make(map[string]struct{})
	}
	c.paths[path] = struct{}{}
	if len(c.paths) > maxPaths {
		c.full, c.paths = true, nil
		c.lost(now, fmt.Sprintf("more than %d paths changed", maxPaths))
	}
}

// lost notes that something unknown happened. The first reason is kept.
func (c *coalescer) lost(now time.Time, reason string) {
	c.touch(now)
	if !c.rescan {
		c.rescan, c.reason = true, reason
	}
}

func (c *coalescer) touch(now time.Time) {
	if c.first.IsZero() {
		c.first = now
	}
	c.last = now
}

// due is when what is pending shall be handed out; false means nothing is.
func (c *coalescer) due() (time.Time, bool) {
	if c.first.IsZero() {
		return time.Time{}, false
	}
	quiet, limit := c.last.Add(c.quiet), c.first.Add(c.maxDelay)
	if limit.Before(quiet) {
		return limit, true
	}
	return quiet, true
}

// take returns what is pending, and starts anew.
func (c *coalescer) take() Change {
	change := Change{
		Paths:  slices.Sorted(maps.Keys(c.paths)),
		Rescan: c.rescan,
		Reason: c.reason,
		Since:  c.first,
	}
	*c = coalescer{quiet: c.quiet, maxDelay: c.maxDelay}
	return change
}
