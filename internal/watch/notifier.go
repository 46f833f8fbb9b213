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

type fsNotifier struct{ *fsnotify.Watcher }

func openNotifier() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return fsNotifier{w}, nil
}

func (n fsNotifier) Events() <-chan fsnotify.Event { return n.Watcher.Events }
func (n fsNotifier) Errors() <-chan error          { return n.Watcher.Errors }

// Remove gives an error where fsnotify v1.10.1 panics: after a watched directory
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

// noWatches tells whether err means that watches can't be had at all, rather
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
