package repo

import (
	"cmp"
	"errors"
	"sync"

	"chartserve/internal/watch"
)

// mailbox collects what producers have for the goroutine that owns the repository: the
// watcher's changes, downloads that ended, uploads, verdicts on archives. The owner takes
// all of it at once. Its methods are safe for concurrent use.
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
	// replan asks for a pass though no file has changed.
	replan   bool
	uploads  []*upload
	verdicts []verdict
	asked    *asked // nil: nothing is to be retired but by the rules
}

// maxMailPaths is how many paths mail names; beyond that everything is looked at.
const maxMailPaths = 5000

var errStopped = errors.New("the repository is being closed")

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

// close refuses mail from now on, and the uploads that were not taken.
func (b *mailbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.take().answer(errStopped)
}

func (m *mail) add(n mail) {
	m.change.Rescan = m.change.Rescan || n.change.Rescan
	m.change.Reason = cmp.Or(m.change.Reason, n.change.Reason)
	m.change.Paths = append(m.change.Paths, n.change.Paths...)
	if len(m.change.Paths) > maxMailPaths {
		m.change = watch.Change{Rescan: true, Reason: "many files changed"}
	}
	m.replan = m.replan || n.replan
	m.uploads = append(m.uploads, n.uploads...)
	m.verdicts = append(m.verdicts, n.verdicts...)
}

// answer tells those who wait for uploads how the pass ended; err is nil when it was
// published.
func (m mail) answer(err error) {
	for _, u := range m.uploads {
		if u.err == nil {
			u.err = err
		}
		u.made.discard() // does nothing where the files have their names
		close(u.done)
	}
}
