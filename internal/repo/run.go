package repo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/watch"
)

const (
	// firstRetry and lastRetry are how long Run waits before it tries again after a
	// problem with the repository folder, at first and at most.
	firstRetry = 500 * time.Millisecond
	lastRetry  = 15 * time.Second
	// compressDelay is how long those who waited for the first index have the
	// processors for themselves.
	compressDelay = 50 * time.Millisecond
	// saveDelay is how long changes rest before the state is written, which only makes
	// restarts fast.
	saveDelay = 2 * time.Second
	// never is for timers that are yet to be set.
	never = time.Duration(math.MaxInt64)
)

// Run keeps the repository equal to its sources, and takes in what is published, until
// ctx ends, which is no error. Problems with the repository folder are in the Status and
// are tried again; only one in the first pass is returned.
func (r *Repository) Run(ctx context.Context) error {
	w, err := watch.New(watch.Options{Poll: r.opts.Poll, Logger: r.opts.Logger})
	if err != nil {
		return fmt.Errorf("watching for changes: %w (--poll 2s works without the system's events)", err)
	}
	defer w.Close()
	r.serving, r.watchMode = true, w.Mode
	r.charts.onDir = func(dir string) {
		if err := w.Add(dir); err != nil {
			r.opts.Logger.Warn("a directory can't be watched; it is looked at from time to time", "directory", dir, "error", err)
		}
	}
	defer r.mail.close()
	ctx, cancel := context.WithCancel(ctx)
	defer r.fetcher.wait()
	defer cancel()
	var g errgroup.Group
	i := &inspector{checker: r.judge.checker, post: r.mail.post, left: &r.unchecked}
	r.inspect = func(suspects []suspect) {
		reader := r.store.Reader
		g.Go(func() error {
			i.run(ctx, reader, suspects)
			return nil
		})
	}
	g.Go(func() error {
		r.collectHourly(ctx)
		return nil
	})
	g.Go(func() error { return w.Run(ctx, func(c watch.Change) { r.mail.post(mail{change: c, since: c.Since}) }) })
	g.Go(func() error {
		defer cancel()
		return r.loop(ctx)
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Rescan has Run look at everything again, and try downloads again that have failed.
func (r *Repository) Rescan() {
	r.fetcher.again()
	r.mail.post(mail{change: watch.Change{Rescan: true, Reason: "asked to"}, replan: true})
}

// loop does a pass whenever there is mail.
func (r *Repository) loop(ctx context.Context) error {
	first := r.mail.take()
	first.change.Rescan = true
	if err := r.pass(ctx, first); err != nil {
		return err
	}
	compress, save := time.NewTimer(compressDelay), time.NewTimer(saveDelay)
	retry, refetch := time.NewTimer(never), time.NewTimer(never)
	for _, t := range []*time.Timer{compress, save, retry, refetch} {
		defer t.Stop()
	}
	delay, bell := firstRetry, r.mail.bell // bell is nil while passes fail
	again := &rereading{time.NewTimer(never), firstRetry}
	defer again.Stop()
	again.set(r.unread(), true)
	for {
		if r.phase == changed && bell != nil {
			retry.Reset(firstRetry)
		}
		if at := r.fetcher.next(); !at.IsZero() {
			refetch.Reset(max(at.Sub(r.opts.Now()), time.Second))
		}
		var m mail
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
		case <-refetch.C:
			r.mail.post(mail{replan: true})
			continue
		case <-retry.C:
			m.change.Rescan = true
		case <-again.C:
			m.change.Rescan = true
		case <-bell:
		}
		m.add(r.mail.take())
		if err := r.pass(ctx, m); err != nil && ctx.Err() == nil {
			// The next try looks at everything. Each leaves events of its own, of files
			// that came and went, which must not hasten the next.
			r.opts.Logger.Error("the repository could not be brought up to date; what was good is still served", "error", err, "retry", delay)
			retry.Reset(delay)
			delay, bell = min(2*delay, lastRetry), nil
			continue
		}
		delay, bell = firstRetry, r.mail.bell
		again.set(r.unread(), m.change.Rescan)
		save.Reset(saveDelay)
	}
}

// rereading fires when files that a disk has not handed out are to be looked at again,
// after delay.
type rereading struct {
	*time.Timer
	delay time.Duration
}

// set is called after a pass; unread is Repository.unread then. all says that the pass
// has looked at everything.
func (t *rereading) set(unread, all bool) {
	switch {
	case !unread:
		t.Reset(never)
		t.delay = firstRetry
	case all || t.delay == firstRetry:
		t.Reset(t.delay)
		t.delay = min(2*t.delay, lastRetry)
	}
}

// unread reports whether a disk has not handed out a file of the folder or of a SOURCE,
// which nothing tells of when it does.
func (r *Repository) unread() bool {
	isUnread := func(err error) bool { return errors.Is(err, syscall.EIO) }
	for _, a := range r.archives.marked {
		if isUnread(a.err) {
			return true
		}
	}
	for _, d := range r.charts.byDir {
		if isUnread(d.Err) {
			return true
		}
	}
	return slices.ContainsFunc(slices.Collect(maps.Values(r.folder.unread)), isUnread)
}

// save writes the state; when that fails the next start is slower, no more.
func (r *Repository) save() {
	if err := r.saveState(); err != nil {
		r.opts.Logger.Warn("the state could not be saved; the next start reads everything again", "error", err)
	}
}
