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
	"syscall"
	"time"

	"chartserve/internal/resolve"
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

	byDir   map[string]*live
	watched map[string][]*live // directories to the charts that look into them
}

func newChartSet(o *Options, s *sources, j *judge, changed func(string)) *chartSet {
	return &chartSet{
		opts: o, sources: s, judge: j, onDir: func(string) {}, changed: changed,
		byDir: map[string]*live{}, watched: map[string][]*live{},
	}
}

// merge takes over which charts a scan has found, and returns those that have to be
// looked at: the new ones, or all. Charts that were not found are forgotten, but for
// those outside the SOURCEs.
func (s *chartSet) merge(found map[string]place, all bool) (look []*live) {
	for dir, at := range found {
		l := s.byDir[dir]
		if l == nil {
			l = &live{Chart: resolve.Chart{Dir: dir}}
			s.byDir[dir] = l
		}
		if l.external {
			l.external, l.changed = false, true
		}
		l.Path, l.root, l.source = at.display, at.root, at.source
		if isNew := l.Metadata == nil && l.Err == nil; all || isNew {
			look = s.mark(look, l)
		}
	}
	for dir, l := range s.byDir {
		switch _, ok := found[dir]; {
		case ok:
		case !l.external:
			s.drop(l)
		case all:
			look = s.mark(look, l)
		}
	}
	return look
}

// mark adds l to the charts that have to be looked at, once.
func (s *chartSet) mark(look []*live, l *live) []*live {
	if l.stale {
		return look
	}
	l.stale = true
	return append(look, l)
}

func (s *chartSet) drop(l *live) {
	delete(s.byDir, l.Dir)
	s.unwatch(l)
	if l.Metadata != nil {
		s.changed(l.Metadata.Name)
	}
}

// owners are the charts that a path belongs to: by a directory that they list, or, where
// the listing failed, by the nearest one above.
func (s *chartSet) owners(path string) []*live {
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
func (s *chartSet) refresh(ctx context.Context, charts []*live, p *progress) error {
	now := s.opts.Now()
	names := make(map[*live]string, len(charts))
	charts = slices.DeleteFunc(charts, func(l *live) bool { return s.byDir[l.Dir] != l }) // dropped meanwhile
	for _, l := range charts {
		l.stale = false
		if l.Metadata != nil {
			names[l] = l.Metadata.Name
		}
	}
	return each(ctx, s.opts.Jobs, charts, p, func(l *live) sight { return s.look(l, now) }, func(l *live, saw sight) {
		s.watch(l)
		if saw == same {
			s.judge.tally.reused.Add(1)
		}
		if saw != anew {
			return
		}
		if l.Metadata != nil {
			s.changed(l.Metadata.Name)
		}
		if names[l] != "" {
			s.changed(names[l])
		}
	})
}

// look looks at one chart, and reads it where it changed. It may be called from any
// goroutine, for different charts.
func (s *chartSet) look(l *live, now time.Time) sight {
	saw := l.refresh(s.judge.checker, s.onDir, now)
	if saw == unseen {
		s.judge.short.note(l.unseen)
	}
	return saw
}

// watch notes which directories lead to l.
func (s *chartSet) watch(l *live) {
	s.unwatch(l)
	l.noted = append([]string{l.Dir}, l.dirs...)
	for _, dir := range l.noted {
		if !slices.Contains(s.watched[dir], l) {
			s.watched[dir] = append(s.watched[dir], l)
		}
	}
}

func (s *chartSet) unwatch(l *live) {
	for _, dir := range l.noted {
		ls := slices.DeleteFunc(s.watched[dir], func(o *live) bool { return o == l })
		if s.watched[dir] = ls; len(ls) == 0 {
			delete(s.watched, dir)
		}
	}
	l.noted = nil
}

// published are the charts of the SOURCEs in order of precedence: the SOURCE first that
// is named first on the command line, then the path that sorts first.
func (s *chartSet) published() []*live {
	charts := slices.DeleteFunc(slices.Collect(maps.Values(s.byDir)), func(l *live) bool { return l.external })
	slices.SortFunc(charts, byPrecedence)
	return charts
}

func byPrecedence(a, b *live) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.Path, b.Path))
}

// outside is the chart in a directory that a file:// path leads to; nil where there is
// none. A directory that can't be looked at is a chart with an error: nothing else may
// stand in for it.
func (s *chartSet) outside(dir string) *live {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		watchAbove(dir, s.onDir)
		return s.unreadable(dir, err)
	}
	if l := s.byDir[real]; l != nil {
		return l
	}
	fi, err := os.Stat(filepath.Join(real, "Chart.yaml"))
	if err != nil || fi.IsDir() {
		s.onDir(real)
		return s.unreadable(dir, err)
	}
	return s.add(real, dir)
}

// add reads the chart in a directory that no scan has found. Its links may lead anywhere
// in the SOURCE that it lies in, or in itself.
func (s *chartSet) add(dir, display string) *live {
	l := &live{Chart: resolve.Chart{Dir: dir, Path: display}, root: cmp.Or(s.sources.rootOf(dir), dir), external: true}
	s.byDir[dir] = l
	s.look(l, s.opts.Now())
	s.watch(l)
	return l
}

// unreadable is a chart that can't be looked at because of err; nil when that says that
// there is none, or when the directory is not in a SOURCE and may not be read.
func (s *chartSet) unreadable(dir string, err error) *live {
	var errno syscall.Errno
	s.judge.short.note(err)
	switch {
	case !errors.As(err, &errno), errno == syscall.ENOENT, errno == syscall.ENOTDIR, errno == syscall.ELOOP:
		return nil
	case errors.Is(err, fs.ErrPermission) && s.sources.rootOf(dir) == "":
		return nil
	}
	return &live{Chart: resolve.Chart{Dir: dir, Path: dir, Err: err}, external: true}
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
	for _, l := range s.byDir {
		if l.external && nodes[&l.Chart] == nil {
			s.drop(l)
		} else if !needed[&l.Chart] {
			l.release()
		}
	}
}
