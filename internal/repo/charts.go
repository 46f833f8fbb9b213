package repo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"chartserve/internal/resolve"
	"chartserve/internal/roots"
)

// chartSet is the charts that are known: those of the SOURCEs, and those elsewhere that
// are built into them. The owner's goroutine changes it.
type chartSet struct {
	opts    *Options
	sources *sources
	judge   *judge       // whose checker reads charts too
	onDir   func(string) // hears of each directory before it is listed
	// changed is told the name of a chart that is not what it was.
	changed func(name string)

	byDir   map[string]*chartDir
	watched map[string][]*chartDir // directories to the charts that look into them
	room    room                   // for the files of charts
}

func newChartSet(o *Options, s *sources, j *judge, changed func(string)) *chartSet {
	return &chartSet{
		opts: o, sources: s, judge: j, onDir: func(string) {}, changed: changed,
		byDir: map[string]*chartDir{}, watched: map[string][]*chartDir{}, room: room{limit: maxLoaded},
	}
}

// merge takes over which charts a scan has found, and returns those that have to be
// looked at: the new ones, or all. Charts that were not found are forgotten, but for
// those outside the SOURCEs.
func (s *chartSet) merge(found map[string]place, all bool) (look []*chartDir) {
	for dir, at := range found {
		d := s.byDir[dir]
		if d == nil {
			d = &chartDir{Chart: resolve.Chart{Dir: dir}}
			s.byDir[dir] = d
		}
		if d.external {
			d.external, d.changed = false, true
		}
		d.Path, d.source = at.display, at.source
		if isNew := d.Metadata == nil && d.Err == nil; all || isNew {
			look = s.mark(look, d)
		}
	}
	for dir, d := range s.byDir {
		switch _, ok := found[dir]; {
		case ok:
		case !d.external:
			s.drop(d)
		case all:
			look = s.mark(look, d)
		}
	}
	return look
}

// scanIgnored returns which directories the chart in dir leaves out, for a scan to look
// into.
func (s *chartSet) scanIgnored(dir string) []string {
	d := s.byDir[dir]
	if d == nil {
		return nil // not known before somebody has looked at it
	}
	d.scanned = d.ignored
	return d.ignored
}

// unscanned reports whether a chart leaves out directories that the last scan did not
// look into.
func (s *chartSet) unscanned() bool {
	for _, d := range s.byDir {
		if !d.external && !slices.Equal(d.ignored, d.scanned) {
			return true
		}
	}
	return false
}

// mark adds d to the charts that have to be looked at, once.
func (s *chartSet) mark(look []*chartDir, d *chartDir) []*chartDir {
	if d.stale {
		return look
	}
	d.stale = true
	return append(look, d)
}

func (s *chartSet) drop(d *chartDir) {
	delete(s.byDir, d.Dir)
	d.release()
	s.unwatch(d)
	if d.Metadata != nil {
		s.changed(d.Metadata.Name)
	}
}

// owners are the charts that a path belongs to: by a directory that they list, or, where
// the listing failed, by the nearest one above.
func (s *chartSet) owners(path string) []*chartDir {
	for {
		if ls := s.watched[path]; len(ls) > 0 {
			return ls
		}
		up := filepath.Dir(path)
		if up == path {
			return nil
		}
		path = up
	}
}

// refresh looks at charts in parallel, and reads those that changed. What it did before
// ctx ended stays; the error is that of ctx.
func (s *chartSet) refresh(ctx context.Context, charts []*chartDir) error {
	now := s.opts.Now()
	names := make(map[*chartDir]string, len(charts))
	charts = slices.DeleteFunc(charts, func(d *chartDir) bool { return s.byDir[d.Dir] != d }) // dropped meanwhile
	for _, d := range charts {
		d.stale = false
		s.unwatch(d)
		if d.Metadata != nil {
			names[d] = d.Metadata.Name
		}
	}
	return each(ctx, s.opts, "charts read", charts, func(d *chartDir) sight { return s.look(d, now) }, func(d *chartDir, saw sight) {
		s.watch(d)
		if saw == same && d.Err == nil {
			s.judge.tally.reused.Add(1)
		}
		if saw != anew {
			return
		}
		if d.Metadata != nil {
			s.changed(d.Metadata.Name)
		}
		if names[d] != "" {
			s.changed(names[d])
		}
	})
}

// look looks at one chart, and reads it where it changed. It may be called from any
// goroutine, for different charts.
func (s *chartSet) look(d *chartDir, now time.Time) sight {
	d.roots, d.room = s.sources.rootsFor(d.Dir), &s.room
	saw := d.refresh(s.judge.checker, s.onDir, now)
	if saw == unseen {
		s.judge.short.note(d.unseen)
	}
	return saw
}

// watch notes which directories lead to d.
func (s *chartSet) watch(d *chartDir) {
	for _, dir := range append([]string{d.Dir}, d.dirs...) {
		if !slices.Contains(s.watched[dir], d) {
			s.watched[dir] = append(s.watched[dir], d)
		}
	}
}

// unwatch is to be called before a look at d, which may find other directories.
func (s *chartSet) unwatch(d *chartDir) {
	for _, dir := range append([]string{d.Dir}, d.dirs...) {
		ds := slices.DeleteFunc(s.watched[dir], func(o *chartDir) bool { return o == d })
		if s.watched[dir] = ds; len(ds) == 0 {
			delete(s.watched, dir)
		}
	}
}

// published are the charts of the SOURCEs in order of precedence: the SOURCE first that
// is named first on the command line, then the path that sorts first.
func (s *chartSet) published() []*chartDir {
	charts := slices.DeleteFunc(slices.Collect(maps.Values(s.byDir)), func(d *chartDir) bool { return d.external })
	slices.SortFunc(charts, byPrecedence)
	return charts
}

func byPrecedence(a, b *chartDir) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.Path, b.Path))
}

// outside is the chart in a directory that a file:// path leads to; nil where there is
// none. A directory that can't be looked at is a chart with an error: nothing else may
// stand in for it.
func (s *chartSet) outside(dir string) *chartDir {
	real, err := roots.Follow(dir, func(link string) {
		s.sources.links[link] = true
		s.onDir(filepath.Dir(link))
	})
	if err != nil {
		return s.unreadable(dir, err)
	}
	if d := s.byDir[real]; d != nil {
		return d
	}
	fi, err := os.Stat(filepath.Join(real, "Chart.yaml"))
	if err != nil || fi.IsDir() {
		s.onDir(real)
		return s.unreadable(dir, err)
	}
	return s.add(real, s.sources.shown(dir))
}

// add reads the chart in a directory that no scan has found. Its links may lead anywhere
// in the SOURCE that it lies in, or in itself.
func (s *chartSet) add(dir, display string) *chartDir {
	d := &chartDir{Chart: resolve.Chart{Dir: dir, Path: display}, external: true}
	s.byDir[dir] = d
	s.look(d, s.opts.Now())
	s.watch(d)
	return d
}

// unreadable is a chart that can't be looked at because of err; nil when that says that
// there is none, or when the directory is not in a SOURCE and may not be read.
func (s *chartSet) unreadable(dir string, err error) *chartDir {
	s.judge.short.note(err)
	switch {
	case err == nil, isGone(err):
		return nil
	case errors.Is(err, fs.ErrPermission) && s.sources.rootOf(dir) == "":
		return nil
	}
	return &chartDir{Chart: resolve.Chart{Dir: dir, Path: s.sources.shown(dir), Err: unnamed(err)}, external: true}
}

// release forgets the charts outside that nothing is built from, and the files of those
// that no other chart is built from.
func (s *chartSet) release(nodes map[*resolve.Chart]*resolve.Node) {
	needed := map[*resolve.Chart]bool{}
	for _, n := range nodes {
		for _, sub := range n.Subs {
			if sub.Node != nil {
				needed[sub.Node.Chart] = true
			}
		}
	}
	for _, d := range s.byDir {
		if d.external && nodes[&d.Chart] == nil {
			s.drop(d)
		} else if !needed[&d.Chart] {
			d.release()
		}
	}
}
