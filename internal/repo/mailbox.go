package repo

import (
	"cmp"
	"context"
	"sync"
	"time"

	"chartserve/internal/watch"
)

// mailbox collects what producers have for the goroutine that owns the repository: the
// watcher's changes, downloads that ended, uploads, removals, verdicts on archives. The
// owner takes all of it at once. Its methods are safe for concurrent use.
type mailbox struct {
	// bell holds an element while there is mail.
	bell chan struct{}

	mu     sync.Mutex
	mail   mail
	closed bool
}

// mail is what one pass takes in.
type mail struct {
	change watch.Change
	// since is when the first change was seen, or the first upload was there.
	since time.Time
	// replan asks for a pass though no file has changed.
	replan   bool
	uploads  []*upload
	removals []*removal
	verdicts []verdict
	asked    *asked // nil: nothing is to be retired but by the rules
}

// maxMailPaths is how many paths mail names; beyond that everything is looked at.
const maxMailPaths = 5000

// outcome is what whoever posted something waits for.
type outcome struct {
	done chan struct{} // closed when there is one
	err  error
}

func newOutcome() outcome { return outcome{done: make(chan struct{})} }

// wait returns the outcome, or the error of ctx.
func (o *outcome) wait(ctx context.Context) error {
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end is told how the pass ended, which is the outcome where there was none before.
func (o *outcome) end(err error) {
	if o.err == nil {
		o.err = err
	}
	close(o.done)
}

func newMailbox() *mailbox { return &mailbox{bell: make(chan struct{}, 1)} }

// post adds mail. It reports false once nobody will read it.
func (b *mailbox) post(m mail) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.mail.add(m)
	select {
	case b.bell <- struct{}{}:
	default:
	}
	return true
}

// take returns all mail and leaves none.
func (b *mailbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	return m
}

// close refuses mail from now on, and what was not taken.
func (b *mailbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.take().answer(ErrStopped)
}

func (m *mail) add(n mail) {
	m.change.Rescan = m.change.Rescan || n.change.Rescan
	m.change.Reason = cmp.Or(m.change.Reason, n.change.Reason)
	m.change.Paths = append(m.change.Paths, n.change.Paths...)
	if len(m.change.Paths) > maxMailPaths {
		m.change = watch.Change{Rescan: true, Reason: "many files changed"}
	}
	m.since = earliest(m.since, n.since)
	m.replan = m.replan || n.replan
	m.uploads = append(m.uploads, n.uploads...)
	m.removals = append(m.removals, n.removals...)
	m.verdicts = append(m.verdicts, n.verdicts...)
}

// answer tells those who wait how the pass ended; err is nil when it was published.
func (m mail) answer(err error) {
	for _, u := range m.uploads {
		u.made.discard() // does nothing where the files have their names
		u.end(err)
	}
	for _, rm := range m.removals {
		rm.end(err)
	}
}
