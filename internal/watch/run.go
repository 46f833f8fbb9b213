package watch

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Run calls tell with what happens, until ctx ends or Close is called; then it releases
// the watches. It calls tell from its own goroutine, one Change after the other, and sees
// nothing while tell works. It may run once; the error is about that.
func (w *Watcher) Run(ctx context.Context, tell func(Change)) error {
	w.mu.Lock()
	if w.running {
		w.mu.Unlock()
		return errors.New("watch: Run was called twice")
	}
	w.running = true
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	l := &loop{w: w, tell: tell, pending: coalescer{quiet: w.o.Quiet, maxDelay: w.o.MaxDelay}}
	l.listen(w.notifier)
	l.schedule(w.poll)
	w.mu.Unlock()

	defer w.Close()
	defer l.stop()
	l.run(ctx)
	return nil
}

// loop is what Run's goroutine alone uses.
type loop struct {
	w       *Watcher
	tell    func(Change)
	pending coalescer
	events  <-chan fsnotify.Event // nil while polling
	errs    <-chan error
	ticker  *time.Ticker // polls, or safety rescans; nil where neither is wanted
	tick    <-chan time.Time
	reason  string // of a tick
}

func (l *loop) listen(n notifier) {
	l.events, l.errs = nil, nil
	if n != nil {
		l.events, l.errs = n.Events(), n.Errors()
	}
}

func (l *loop) schedule(poll time.Duration) {
	l.stop()
	interval := l.w.o.Rescan
	l.reason = "safety rescan"
	if poll > 0 {
		interval, l.reason = poll, "poll"
	}
	if interval > 0 {
		l.ticker = time.NewTicker(interval)
		l.tick = l.ticker.C
	}
}

func (l *loop) stop() {
	if l.ticker != nil {
		l.ticker.Stop()
		l.ticker, l.tick = nil, nil
	}
}

func (l *loop) run(ctx context.Context) {
	handOut := time.NewTimer(time.Hour)
	defer handOut.Stop()
	missing := time.NewTicker(missingPoll)
	defer missing.Stop()
	for {
		if due, ok := l.pending.due(); ok {
			wait := time.Until(due)
			if wait <= 0 {
				l.tell(l.pending.take())
				continue
			}
			handOut.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.w.done:
			return
		case <-l.w.polling:
			l.listen(nil)
			l.schedule(fallbackPoll)
			l.pending.lost(time.Now(), l.w.reason())
		case event, ok := <-l.events:
			if !ok {
				l.events = nil
				l.w.eventsEnded()
				continue
			}
			l.event(event)
		case err, ok := <-l.errs:
			if !ok {
				l.errs = nil
				continue
			}
			l.failure(err)
		case <-l.tick:
			l.pending.lost(time.Now(), l.reason)
		case <-missing.C:
			for _, dir := range l.w.appeared() {
				l.pending.path(time.Now(), dir)
			}
		case <-handOut.C:
		}
	}
}

// event takes one event in. A chmod counts too: it may have made a file readable.
func (l *loop) event(event fsnotify.Event) {
	path := clean(event.Name)
	gone := event.Has(fsnotify.Rename) || event.Has(fsnotify.Remove)
	now := time.Now()
	names, dropped := l.w.happened(path, gone)
	for _, name := range names {
		l.pending.path(now, name)
	}
	if dropped {
		l.pending.lost(now, "directory renamed or removed: "+path)
	}
}

func (l *loop) failure(err error) {
	if errors.Is(err, fsnotify.ErrEventOverflow) {
		l.pending.lost(time.Now(), "too many events at once")
		return
	}
	l.w.o.Logger.Debug("the file system's events reported an error", "error", err)
	l.pending.lost(time.Now(), "an event could not be read")
}

// reason why it polls.
func (w *Watcher) reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// happened returns all names under which path is known, and whether directories
// at or below it were dropped because it is gone.
func (w *Watcher) happened(path string, gone bool) (names []string, dropped bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	names = w.dirs.names(filepath.Dir(path), path)
	if !gone {
		return names, false
	}
	for _, name := range names {
		for _, dir := range w.dirs.drop(name) {
			w.unwatch(dir)
			dropped = true
		}
	}
	return names, dropped
}

// eventsEnded handles a notifier that closed its channels by itself.
func (w *Watcher) eventsEnded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notifier != nil {
		w.fallBack("events ended", errors.New("the event channel was closed"))
	}
}
