package repo

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// live is a chart that is built from a directory.
type live struct {
	resolve.Chart
	// root confines the chart's links: they may lead anywhere below it.
	root string
	// source is the number of the SOURCE that the chart is in.
	source int
	// external charts lie outside the SOURCEs; they are built into the charts that
	// name them by a file:// path, but not published.
	external bool

	// stale says that the pass looks at the directory; changed says that an event was
	// seen, so that file times are not enough to tell that nothing changed.
	stale, changed bool

	dirs        []string // to watch, as last listed
	noted       []string // the same, as entered in chartSet.watched
	fingerprint [32]byte
	newest      time.Time // the newest change in it
	read        time.Time // when it was last looked at
	warnings    []string
	unseen      error // the shortage that the last look met, where it returned unseen

	mu     sync.Mutex
	loaded *pkgr.Chart // kept while other charts are built from it
}

// summarise returns what has to be known of a chart to resolve it.
func summarise(c *pkgr.Chart) resolve.Content {
	s := resolve.Content{
		Metadata: c.Metadata, Lock: c.Lock,
		Key:     c.WithSubcharts(nil).ContentKey(),
		BareKey: withoutLock(c).WithSubcharts(nil).ContentKey(),
	}
	for _, sub := range c.Subcharts {
		s.Vendored = append(s.Vendored, resolve.Vendored{Name: sub.Metadata.Name, Version: sub.Metadata.Version, Key: sub.ContentKey()})
	}
	return s
}

// withoutLock is c without the lock that `helm dependency update` writes. It
// records what Helm would have downloaded, which is not what goes in when a
// dependency is built from its live source; and it holds the time of writing.
func withoutLock(c *pkgr.Chart) *pkgr.Chart {
	lock := func(f pkgr.File) bool { return f.Name == "Chart.lock" || f.Name == "requirements.lock" }
	if !slices.ContainsFunc(c.Files, lock) {
		return c
	}
	bare := *c
	bare.Files = slices.DeleteFunc(slices.Clone(c.Files), lock)
	return &bare
}

// refresh looks at the directory and, when it changed, reads the chart. Errors are kept
// in l.Err; the last good Content stays. A shortage of the moment changes nothing.
func (l *live) refresh(checker *pkgr.Checker, onDir func(string), now time.Time) (saw sight) {
	defer func() {
		if p := recover(); p != nil {
			l.Err, saw = fmt.Errorf("reading the chart failed: %v", p), anew
		}
	}()
	force := l.changed || l.Err != nil || !fileid.Settled(l.newest, l.read)
	l.changed = false
	tree, err := checker.List(l.Dir, l.root, onDir)
	if err == nil {
		l.dirs = tree.Dirs
		if !force && l.Metadata != nil && tree.Fingerprint == l.fingerprint {
			return same
		}
		var c *pkgr.Chart
		if c, err = tree.Load(); err == nil {
			l.Content, l.warnings = summarise(c), c.Warnings
			l.mu.Lock()
			l.loaded = c
			l.mu.Unlock()
		}
	}
	switch {
	case store.Passing(err):
		l.changed = true // its times say nothing of what was not read
		l.unseen = err
		return unseen
	case tree == nil:
		l.Err = err
		return same
	}
	l.fingerprint, l.newest, l.read, l.Err = tree.Fingerprint, tree.Newest, now, err
	return anew
}

// content is the chart with its files, read again when they are not in memory.
// A chart that is no longer as it was summarised is an error: the change will be
// noticed and the chart planned anew.
func (l *live) content(checker *pkgr.Checker) (*pkgr.Chart, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded != nil {
		return l.loaded, nil
	}
	tree, err := checker.List(l.Dir, l.root, nil)
	if err != nil {
		return nil, err
	}
	c, err := tree.Load()
	if err != nil {
		return nil, err
	}
	if s := summarise(c); s.Key != l.Key || !slices.Equal(s.Vendored, l.Vendored) {
		return nil, errChanged
	}
	l.loaded = c
	return c, nil
}

// release forgets the files.
func (l *live) release() {
	l.mu.Lock()
	l.loaded = nil
	l.mu.Unlock()
}
