package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"chartserve/internal/fileid"
)

// Add watches one directory, an absolute path, not what lies below it. Call it
// before listing the directory, each time: a watch that is already there is
// renewed, which mends what a rename or a replacement did to it.
//
// A directory that is missing is no error: an event of its parent reports it when it comes, and
// one whose parent is not watched is looked for every second. When the system
// has no more watches to give, the Watcher switches to polling and Add returns
// nil; what is left is a directory that may not be read. It may be called
// concurrently.
func (w *Watcher) Add(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("watch %s: not an absolute path", dir)
	}
	dir = clean(dir)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notifier == nil {
		return nil
	}
	fi, err := os.Stat(dir)
	if missing(fi, err) {
		w.await(dir)
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	w.settle(dir, fileid.IDOf(fi))
	err = w.notifier.Add(dir)
	switch {
	case err == nil:
		w.dirs.add(dir, fileid.IDOf(fi))
		return nil
	case missing(nil, err): // it went just now
		w.await(dir)
		return nil
	case noWatches(err):
		w.fallBack(limitReason(err), err)
		return nil
	default:
		return fmt.Errorf("watch %s: %w", dir, err)
	}
}

// settle removes watches that would keep one for dir from working. inotify has
// one watch for a directory, however many names that has, and fsnotify keeps the
// first name: after a rename it would report the old path for ever.
func (w *Watcher) settle(dir string, id fileid.ID) {
	if was, ok := w.dirs.ids[dir]; ok && was != id {
		w.dirs.forget(dir)
		w.unwatch(dir)
	}
	first, ok := w.dirs.holder(id)
	if !ok || first == dir {
		return
	}
	fi, err := os.Stat(first)
	if err == nil && fileid.IDOf(fi) == id {
		return // both names are good: a link or a second mount
	}
	w.dirs.forget(first)
	w.unwatch(first)
}

// unwatch removes a watch, which is often gone already.
func (w *Watcher) unwatch(dir string) {
	if w.notifier == nil {
		return
	}
	if err := w.notifier.Remove(dir); err != nil {
		w.o.Logger.Debug("a watch was already gone", "dir", dir, "error", err)
	}
}

// await has a missing directory looked for, unless its nearest existing parent is
// watched: then an event reports when it, or a directory above it, is made.
func (w *Watcher) await(dir string) {
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		if w.dirs.watched(up) {
			return
		}
		if fi, err := os.Stat(up); !missing(fi, err) || up == filepath.Dir(up) {
			break
		}
	}
	w.dirs.miss(dir)
}

// appeared returns the missing directories that are there now.
func (w *Watcher) appeared() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
	for dir := range w.dirs.missing {
		if fi, err := os.Stat(dir); !missing(fi, err) {
			delete(w.dirs.missing, dir)
			found = append(found, dir)
		}
	}
	return found
}

// missing reports whether there is no directory of that name, from what Stat said.
func missing(fi fs.FileInfo, err error) bool {
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	}
	return fi != nil && !fi.IsDir()
}
