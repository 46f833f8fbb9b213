package watch

import (
	"cmp"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"
)

const (
	defaultQuiet    = 30 * time.Millisecond
	defaultMaxDelay = 500 * time.Millisecond
	defaultRescan   = time.Minute
	// fallbackPoll is how often everything is looked at when watches can't be had.
	fallbackPoll = 2 * time.Second
	// missingPoll is how often a missing directory that no event reports is
	// looked for. It costs one stat a directory.
	missingPoll = time.Second
)

// Options set how changes are noticed and coalesced. Zero values are sensible.
type Options struct {
	// Quiet is how long nothing may happen before a Change is handed out; zero is
	// 30 ms.
	Quiet time.Duration
	// MaxDelay bounds the wait while changes go on; zero is 500 ms.
	MaxDelay time.Duration
	// Rescan is the interval of the safety rescans, which find what events did not
	// tell; zero is one minute, negative is never.
	Rescan time.Duration
	// Poll replaces events: a Rescan each Poll. Zero uses events.
	Poll time.Duration
	// Logger gets one warning when events can't be had; nil discards.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Quiet < 0 || o.MaxDelay < 0 || o.Poll < 0 {
		return o, errors.New("watch: negative quiet time, delay or poll interval")
	}
	o.Quiet = cmp.Or(o.Quiet, defaultQuiet)
	o.MaxDelay = cmp.Or(o.MaxDelay, defaultMaxDelay)
	o.Rescan = cmp.Or(o.Rescan, defaultRescan)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o, nil
}

// Watcher collects what happens in the directories it was given.
type Watcher struct {
	o       Options
	done    chan struct{} // closed by Close
	polling chan struct{} // capacity 1: the mode changed to polling

	mu       sync.Mutex // guards all below
	notifier notifier   // nil while polling and after Close
	dirs     *dirs
	poll     time.Duration // 0 while events are used
	why      string        // why polling was chosen, empty when it was asked for
	running  bool
	closed   bool
}

// New makes a Watcher that watches nothing yet. When the system has no events to
// give it polls, and says so in the log. Release it with Close, or let Run end.
func New(o Options) (*Watcher, error) {
	return newWatcher(o, openNotifier)
}

func newWatcher(o Options, open func() (notifier, error)) (*Watcher, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Watcher{
		o:       o,
		done:    make(chan struct{}),
		polling: make(chan struct{}, 1),
		dirs:    newDirs(),
		poll:    o.Poll,
	}
	if o.Poll > 0 {
		return w, nil
	}
	n, err := open()
	if err != nil {
		w.fallBack(limitReason(err), err)
		return w, nil
	}
	w.notifier = n
	return w, nil
}

// Mode says how changes are noticed: "events", "polling every 2s", or "polling
// every 2s (watch limit reached)" where that was not asked for.
func (w *Watcher) Mode() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.poll == 0:
		return "events"
	case w.why == "":
		return "polling every " + w.poll.String()
	default:
		return "polling every " + w.poll.String() + " (" + w.why + ")"
	}
}

// Close stops watching and ends Run. It may be called more than once, and also
// when Run never was. Add does nothing after it.
func (w *Watcher) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	close(w.done)
	return w.closeNotifier()
}

// closeNotifier is called with mu held.
func (w *Watcher) closeNotifier() error {
	n := w.notifier
	if n == nil {
		return nil
	}
	w.notifier = nil
	return n.Close()
}

// fallBack switches to polling for good. What was watched is given up: a mixture
// would show some changes at once and others late, and other programs of the
// same user may be short of watches too. It is called with mu held, or before
// anyone else has the Watcher.
func (w *Watcher) fallBack(why string, err error) {
	w.poll, w.why = fallbackPoll, why
	w.dirs = newDirs()
	w.o.Logger.Warn("no events from the file system: looking for changes at intervals instead; "+
		"on Linux, fs.inotify.max_user_watches and max_user_instances set the limits",
		"interval", fallbackPoll, "reason", why, "error", err)
	if cerr := w.closeNotifier(); cerr != nil {
		w.o.Logger.Debug("closing the watches failed", "error", cerr)
	}
	select {
	case w.polling <- struct{}{}:
	default:
	}
}

// clean is the form in which every path is kept and reported.
func clean(path string) string { return filepath.Clean(path) }
