package repo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/watch"
)

// How long Run waits before it tries again after a problem with the repository
// folder, at first and at most; how long those who waited for the first index have
// the processors for themselves; and how long changes rest before the state, which
// only makes restarts fast, is written.
const (
	firstRetry    = 500 * time.Millisecond
	lastRetry     = 15 * time.Second
	compressDelay = 50 * time.Millisecond
	saveDelay     = 2 * time.Second
)

// Run keeps the repository equal to its sources until ctx ends, which is no
// error. Problems with the repository folder are in the Status and are tried
// again; only one in the first pass is returned.
func (r *Repository) Run(ctx context.Context) error {
	w, err := watch.New(watch.Options{Poll: r.opts.Poll, Logger: r.opts.Logger})
	if err != nil {
		return fmt.Errorf("watching for changes: %w (--poll 2s works without the system's events)", err)
	}
	defer w.Close()
	r.watcher = w
	ctx, cancel := context.WithCancel(ctx)
	defer r.fetcher.wait()
	defer cancel()
	var g errgroup.Group
	g.Go(func() error { return w.Run(ctx) })
	g.Go(func() error {
		defer cancel()
		return r.loop(ctx, w.Changes())
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// loop does a pass for each change.
func (r *Repository) loop(ctx context.Context, changes <-chan watch.Change) error {
	if err := r.pass(ctx, watch.Change{Rescan: true}); err != nil {
		return err
	}
	compress := time.NewTimer(compressDelay)
	defer compress.Stop()
	retry := time.NewTimer(0)
	defer retry.Stop()
	<-retry.C
	delay, failing := firstRetry, false
	save := time.NewTimer(saveDelay)
	defer save.Stop()
	refetch := time.NewTimer(0)
	defer refetch.Stop()
	<-refetch.C
	for {
		if r.again && !failing {
			retry.Reset(firstRetry)
		}
		if at := r.fetcher.next(); !at.IsZero() {
			refetch.Reset(max(at.Sub(r.opts.Now()), time.Second))
		}
		change := watch.Change{Rescan: true}
		var ok bool
		select {
		case <-ctx.Done():
			return nil
		case <-compress.C:
			if !r.compress() {
				compress.Reset(firstRetry)
			}
			continue
		case <-save.C:
			r.save()
			continue
		case <-retry.C:
		case <-r.fetcher.ended():
			if failing {
				continue
			}
			change = watch.Change{}
		case <-refetch.C:
			if failing {
				continue
			}
			change = watch.Change{}
		case change, ok = <-changes:
			if !ok {
				return nil
			}
			if failing {
				// The next try looks at everything. Each leaves events of its own, of
				// temporary files that came and went, which must not hasten the next.
				continue
			}
		}
		if err := r.pass(ctx, change); err != nil && ctx.Err() == nil {
			r.opts.Logger.Error("the repository could not be brought up to date; what was good is still served", "error", err, "retry", delay)
			retry.Reset(delay)
			delay, failing = min(2*delay, lastRetry), true
			continue
		}
		delay, failing = firstRetry, false
		save.Reset(saveDelay)
	}
}

// save writes the state; when that fails the next start is slower, no more.
func (r *Repository) save() {
	if err := r.saveState(); err != nil {
		r.opts.Logger.Warn("the state could not be saved; the next start reads everything again", "error", err)
	}
}
