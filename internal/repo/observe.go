package repo

import (
	"context"
	"time"
)

// Observer is told what the repository does, for whoever counts it. Its methods are safe
// for concurrent use, and return at once.
type Observer interface {
	// Passed is called after each pass that had something to do or failed.
	Passed(Pass)
	// Fetched is called after each download of a dependency; err is why it failed.
	Fetched(err error)
}

// Pass is a pass that has ended.
type Pass struct {
	// Took is how long it took; Err is why it failed.
	Took time.Duration
	Err  error
	// Latency is the time from the first event that nothing was served of yet, in a SOURCE,
	// in the repository folder or an upload, until requests got what it led to; zero where
	// there was none, and for a pass that failed.
	Latency time.Duration
}

// unobserved is the Observer where nobody counts.
type unobserved struct{}

func (unobserved) Passed(Pass)   {}
func (unobserved) Fetched(error) {}

// passing begins to measure a pass that takes in events since then; the function that it
// returns ends that.
func (r *Repository) passing(ctx context.Context, since time.Time, err *error) func() {
	begun, before := time.Now(), r.View()
	r.waiting = earliest(r.waiting, since)
	return func() {
		switch {
		case *err == nil && r.View() == before:
			r.waiting = time.Time{} // nothing came of the events
		case *err == nil:
			p := Pass{Took: time.Since(begun)}
			if !r.waiting.IsZero() {
				p.Latency = time.Since(r.waiting)
			}
			r.waiting = time.Time{}
			r.opts.Observer.Passed(p)
		case ctx.Err() == nil:
			r.opts.Observer.Passed(Pass{Took: time.Since(begun), Err: *err})
		}
	}
}

// earliest is the first of two times, of which zero ones are none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
