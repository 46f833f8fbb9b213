package watch

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// notifier is what is needed of fsnotify; tests put their own in its place.
type notifier interface {
	Add(dir string) error
	Remove(dir string) error
	// Close may be called while events are unread; it closes both channels.
	Close() error
	Events() <-chan fsnotify.Event
	Errors() <-chan error
}

// fsNotifier passes fsnotify's errors on through a channel of its own. fsnotify
// v1.10.1 sends an error while it holds the lock that Add and Remove need (when a
// directory is renamed and then removed): who calls these must never be the one
// that reads the errors.
type fsNotifier struct {
	*fsnotify.Watcher
	errs chan error // capacity 1
}

// openNotifier starts two goroutines, fsnotify's and one for the errors, which
// Close ends.
func openNotifier() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	n := fsNotifier{w, make(chan error, 1)}
	go n.passErrors()
	return n, nil
}

// passErrors drops an error while an earlier one was not read: each has
// everything looked at again, and that is still to come.
func (n fsNotifier) passErrors() {
	defer close(n.errs)
	for err := range n.Watcher.Errors {
		select {
		case n.errs <- err:
		default:
		}
	}
}

func (n fsNotifier) Events() <-chan fsnotify.Event { return n.Watcher.Events }
func (n fsNotifier) Errors() <-chan error          { return n.errs }

// Remove returns an error where fsnotify v1.10.1 panics: after a watched directory
// was replaced by another watched one and added again, it holds the name and no
// watch for it. Add avoids that, but a replacement may come between its two
// system calls. fsnotify's state is whole after the panic.
func (n fsNotifier) Remove(dir string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("no watch for %s: %v", dir, r)
		}
	}()
	return n.Watcher.Remove(dir)
}

// noWatches reports whether err means that watches can't be had at all, rather
// than that this one directory can't be watched.
func noWatches(err error) bool {
	for _, kind := range []error{
		syscall.ENOSPC, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
		syscall.ENOSYS, errors.ErrUnsupported,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func limitReason(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return "watch limit reached"
	}
	return "no file system events"
}
