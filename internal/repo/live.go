package repo

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// ident is what identifies a version of a chart: both strings exactly.
type ident struct{ name, version string }

func (id ident) String() string { return id.name + "-" + id.version }

// live is a chart that is built from a directory.
type live struct {
	dir   string
	place place
	// external charts lie outside the SOURCEs; they are built into the charts that
	// name them by a file:// path, but not published.
	external bool

	// stale asks for a look at the directory; changed says that an event was seen,
	// so that file times are not enough to tell that nothing changed.
	stale, changed bool

	dirs        []string // to watch, as last listed
	noted       []string // the same, as entered in Repository.watched
	fingerprint [32]byte
	newest      time.Time // the newest change in it
	read        time.Time // when it was last looked at
	err         error     // why it can't be used as it stands
	warnings    []string
	// summary is the last good one: it stays while err is set.
	*summary

	mu     sync.Mutex
	loaded *pkgr.Chart // kept while other charts are built from it
}

// summary is what the plan needs to know of a chart, without its files.
type summary struct {
	meta     *chart.Metadata
	lock     *chart.Lock
	vendored []vendored
	// own is the content of the chart's own files, bare the same without its lock.
	own, bare [32]byte
}

// vendored is one chart in charts/, in the order of pkgr.Chart.Subcharts.
type vendored struct {
	name, version string
	key           [32]byte
}

func summarise(c *pkgr.Chart) *summary {
	s := &summary{
		meta: c.Metadata, lock: c.Lock,
		own:  c.WithSubcharts(nil).ContentKey(),
		bare: withoutLock(c).WithSubcharts(nil).ContentKey(),
	}
	for _, sub := range c.Subcharts {
		s.vendored = append(s.vendored, vendored{sub.Metadata.Name, sub.Metadata.Version, sub.ContentKey()})
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

// refresh looks at the directory and, when it changed, reads the chart. Errors
// are kept in l.err; the last good summary stays.
func (l *live) refresh(limits pkgr.Limits, onDir func(string), now time.Time) (read bool) {
	defer func() {
		if p := recover(); p != nil {
			l.err = fmt.Errorf("reading the chart failed: %v", p)
		}
	}()
	force := l.changed || l.err != nil || !settled(l.newest, l.read)
	l.stale, l.changed = false, false
	tree, err := pkgr.List(l.dir, l.place.root, limits, onDir)
	if err != nil {
		l.err = err
		return false
	}
	l.dirs = tree.Dirs
	if !force && l.summary != nil && tree.Fingerprint == l.fingerprint {
		return false
	}
	c, err := tree.Load()
	l.fingerprint, l.newest, l.read, l.err = tree.Fingerprint, tree.Newest, now, err
	if err != nil {
		return true
	}
	l.summary, l.warnings = summarise(c), c.Warnings
	l.mu.Lock()
	l.loaded = c
	l.mu.Unlock()
	return true
}

// content is the chart with its files, read again when they are not in memory.
// A chart that is no longer as it was summarised is an error: the change will be
// noticed and the chart planned anew.
func (l *live) content(limits pkgr.Limits) (*pkgr.Chart, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded != nil {
		return l.loaded, nil
	}
	tree, err := pkgr.List(l.dir, l.place.root, limits, nil)
	if err != nil {
		return nil, err
	}
	c, err := tree.Load()
	if err != nil {
		return nil, err
	}
	if s := summarise(c); s.own != l.own || !slices.Equal(s.vendored, l.vendored) {
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
