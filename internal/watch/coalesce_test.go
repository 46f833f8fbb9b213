package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCoalescerDue(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		at   []time.Duration // when something happens
		want time.Duration   // when it is due
	}{
		"one":                        {[]time.Duration{0}, 30 * ms},
		"each starts the quiet time": {[]time.Duration{0, 20 * ms, 45 * ms}, 75 * ms},
		"no longer than the maximum": {[]time.Duration{0, 20 * ms, 90 * ms}, 100 * ms},
		"beyond the maximum":         {[]time.Duration{0, 400 * ms}, 100 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := coalescer{quiet: 30 * ms, maxDelay: 100 * ms}
			if _, ok := c.due(); ok {
				t.Fatal("something is due before anything happened")
			}
			start := time.Now()
			for _, at := range tt.at {
				c.path(start.Add(at), "x")
			}
			due, ok := c.due()
			if got := due.Sub(start); !ok || got != tt.want {
				t.Errorf("due after %v (%v), want %v", got, ok, tt.want)
			}
			c.take()
			if due, ok := c.due(); ok {
				t.Errorf("still due after take: %v", due)
			}
		})
	}
}

func TestCoalescerTake(t *testing.T) {
	tests := map[string]struct {
		do   func(*coalescer)
		want Change
	}{
		"sorted and unique": {
			func(c *coalescer) {
				for _, p := range []string{"b", "a", "b"} {
					c.path(time.Now(), p)
				}
			},
			Change{Paths: []string{"a", "b"}},
		},
		"the first reason is kept": {
			func(c *coalescer) {
				c.lost(time.Now(), "one")
				c.path(time.Now(), "a")
				c.lost(time.Now(), "two")
			},
			Change{Paths: []string{"a"}, Rescan: true, Reason: "one"},
		},
		"as many paths as are kept": {
			func(c *coalescer) {
				for i := range maxPaths {
					c.path(time.Now(), fmt.Sprintf("%04d", i))
				}
			},
			Change{Paths: numbers(0, maxPaths)},
		},
		"one more": {
			func(c *coalescer) {
				for i := range maxPaths + 1 {
					c.path(time.Now(), fmt.Sprintf("%04d", i))
				}
				c.path(time.Now(), "late")
			},
			Change{Rescan: true, Reason: "more than 5000 paths changed"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := coalescer{}
			tt.do(&c)
			if diff := cmp.Diff(tt.want, c.take(), untimed()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(Change{}, c.take(), untimed()); diff != "" {
				t.Errorf("take left something: %s", diff)
			}
		})
	}
}

func numbers(from, to int) []string {
	var s []string
	for i := from; i < to; i++ {
		s = append(s, fmt.Sprintf("%04d", i))
	}
	return s
}
