package repo

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// chartDir is a chart that is built from a directory.
type chartDir struct {
	resolve.Chart
	// roots confine the chart's links: they may lead anywhere in them.
	roots []string
	// source is the number of the SOURCE that the chart is in.
	source int
	// external charts lie outside the SOURCEs; they are built into the charts that
	// name them by a file:// path, but not published.
	external bool

	// stale says that the pass looks at the directory; changed says that an event was
	// seen, so that file times are not enough to tell that nothing changed.
	stale, changed bool

	// ignored are the directories that .helmignore leaves out, as last listed; charts in
	// them are charts of the SOURCE. scanned are those that the last scan has looked into.
	ignored, scanned []string

	dirs        []string // to watch, as last listed
	fingerprint [32]byte
	newest      time.Time // the newest change in it
	read        time.Time // when it was last looked at
	warnings    []string
	unseen      error // the shortage that the last look met, where it returned unseen

	mu     sync.Mutex
	loaded *pkgr.Chart // kept for who packages it, and while other charts are built from it
	held   int64       // what loaded takes of room
	room   *room       // nil: without bound
}

// summarise returns what has to be known of a chart to resolve it.
func summarise(c *pkgr.Chart) resolve.Content {
	s := resolve.Content{
		Metadata: c.Metadata, Lock: c.Lock,
		Key: c.WithSubcharts(nil).ContentKey(),
		// A lock records what Helm would have downloaded, which is not what goes in when
		// a dependency is built from its live source; and it holds the time of writing.
		BareKey: c.WithoutLock().WithSubcharts(nil).ContentKey(),
	}
	for _, sub := range c.Subcharts {
		s.Vendored = append(s.Vendored, resolve.Vendored{Name: sub.Metadata.Name, Version: sub.Metadata.Version, Key: sub.ContentKey()})
	}
	for _, u := range c.Unread {
		if s.Unread == nil {
			s.Unread = map[string]string{}
		}
		s.Unread[u.Dependency] = u.Err.Error()
	}
	return s
}

// refresh looks at the directory and, when it changed, reads the chart. Errors are kept
// in d.Err; the last good Content stays. A shortage of the moment changes nothing.
func (d *chartDir) refresh(checker *pkgr.Checker, onDir func(string), now time.Time) (saw sight) {
	defer func() {
		if p := recover(); p != nil {
			d.Err, saw = fmt.Errorf("reading the chart failed: %v", p), anew
		}
	}()
	force := d.changed || d.Err != nil || !fileid.Settled(d.newest, d.read)
	d.changed = false
	tree, err := checker.List(d.Dir, d.roots, onDir)
	if err == nil {
		d.dirs, d.ignored = tree.Dirs, tree.Ignored
		if !force && d.Metadata != nil && tree.Fingerprint == d.fingerprint {
			return same
		}
		var c *pkgr.Chart
		if c, err = tree.Load(); err == nil {
			d.Content, d.warnings = summarise(c), c.Warnings
			d.mu.Lock()
			d.keep(c)
			d.mu.Unlock()
		}
	}
	switch {
	case store.Passing(err):
		d.changed = true // its times say nothing of what was not read
		d.unseen = err
		return unseen
	case tree == nil:
		d.Err = err
		return same
	}
	d.fingerprint, d.newest, d.read, d.Err = tree.Fingerprint, tree.Newest, now, err
	return anew
}

// leavesOut reports whether path lies in a directory that is none of the chart's.
func (d *chartDir) leavesOut(path string) bool {
	return slices.ContainsFunc(d.ignored, func(dir string) bool { return within(dir, path) })
}

// content is the chart with its files, read again when they are not in memory.
// A chart that is no longer as it was summarised is an error: the change will be
// noticed and the chart planned anew.
func (d *chartDir) content(checker *pkgr.Checker) (*pkgr.Chart, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.loaded != nil {
		return d.loaded, nil
	}
	tree, err := checker.List(d.Dir, d.roots, nil)
	if err != nil {
		return nil, err
	}
	c, err := tree.Load()
	if err != nil {
		return nil, err
	}
	if s := summarise(c); s.Key != d.Key || !slices.Equal(s.Vendored, d.Vendored) || !maps.Equal(s.Unread, d.Unread) {
		return nil, errChanged
	}
	d.keep(c)
	return c, nil
}

// keep keeps the files in memory, in place of what was kept, if there is room. The caller
// holds mu.
func (d *chartDir) keep(c *pkgr.Chart) {
	d.room.free(d.held)
	d.loaded, d.held = nil, 0
	if size := c.Size(); d.room.take(size) {
		d.loaded, d.held = c, size
	}
}

// release forgets the files.
func (d *chartDir) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room.free(d.held)
	d.loaded, d.held = nil, 0
}

// maxLoaded is how many bytes of charts' files are kept in memory. All charts of a usual
// tree are read once; of a large one most are read again when they are packaged, which
// takes far less time than packaging.
const maxLoaded = 32 << 20

// room is how many bytes may be taken, and how many are.
type room struct {
	limit int64
	taken atomic.Int64
}

// take takes n bytes, if they are left.
func (r *room) take(n int64) bool {
	if r == nil || r.taken.Add(n) <= r.limit {
		return true
	}
	r.taken.Add(-n)
	return false
}

// free gives n bytes back.
func (r *room) free(n int64) {
	if r != nil {
		r.taken.Add(-n)
	}
}
