package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/roots"
)

// scanner walks SOURCEs and collects what stands there, without reading any of
// it: a directory with a Chart.yaml is a chart and is not descended into, but for what
// its .helmignore leaves out; a .tgz outside a chart is an archive; dot-directories are
// left alone.
type scanner struct {
	*sources
	// onDir is told of each directory before it is listed.
	onDir func(dir string)
	// ignored returns which directories the chart in dir leaves out.
	ignored func(dir string) []string
	short   *shortage

	charts   map[string]place
	archives map[string]place
	visited  map[string]bool
}

// place says where a chart or an archive was found.
type place struct {
	display string
	source  int
	// signed says that there may be a provenance file beside an archive.
	signed bool
}

func newScanner(s *sources, short *shortage, onDir func(string), ignored func(string) []string) *scanner {
	return &scanner{
		sources: s, short: short, onDir: onDir, ignored: ignored,
		charts: map[string]place{}, archives: map[string]place{}, visited: map[string]bool{},
	}
}

// add adds what stands in s, the i-th source.
func (sc *scanner) add(i int, s source) {
	if s.err != nil {
		sc.fail(s.name, s.err)
		return
	}
	if isArchiveName(s.path) {
		if fi, err := os.Stat(s.path); err == nil && fi.Mode().IsRegular() {
			sc.addArchive(s.path, place{display: s.name, source: i, signed: true})
			return
		}
	}
	sc.dir(i, s, s.path)
}

func (sc *scanner) dir(i int, s source, dir string) {
	if sc.visited[dir] || sc.output(dir) {
		return
	}
	sc.visited[dir] = true
	sc.onDir(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			sc.incomplete = true
			sc.fail(s.display(dir), fmt.Errorf("directory can't be read: %w (make it readable, or leave it out with --exclude)", unnamed(err)))
		}
		return
	}
	signed := map[string]bool{} // names that are there with .prov behind them too
	for _, e := range entries {
		if e.Name() == chart.MetadataFile || strings.EqualFold(e.Name(), chart.MetadataFile) && slices.ContainsFunc(entries, isChartPart) {
			sc.charts[dir] = place{display: s.display(dir), source: i}
			for _, below := range sc.ignored(dir) {
				sc.entry(i, s, below, fs.ModeDir, false)
			}
			return
		}
		if archive, ok := strings.CutSuffix(e.Name(), ".prov"); ok {
			signed[archive] = true
		}
	}
	for _, e := range entries {
		sc.entry(i, s, filepath.Join(dir, e.Name()), e.Type(), signed[e.Name()])
	}
}

// isChartPart reports whether a file makes a directory look like a chart's.
func isChartPart(e fs.DirEntry) bool {
	switch e.Name() {
	case "templates", "charts", "values.yaml", "values.schema.json", chart.IgnoreFile, chart.LockFile, chart.RequirementsFile, chart.RequirementsLockFile:
		return true
	}
	return false
}

// entry looks at one name in a directory that is not a chart.
func (sc *scanner) entry(i int, s source, p string, typ fs.FileMode, signed bool) {
	if isHidden(filepath.Base(p)) || sc.excluded(s, p) {
		return
	}
	display := s.display(p)
	if typ&fs.ModeSymlink != 0 {
		target, err := roots.Follow(p, sc.onLink)
		var fi fs.FileInfo
		if err == nil {
			fi, err = os.Stat(target)
		}
		switch {
		case isGone(err):
			return // nothing of ours
		case err != nil:
			sc.incomplete = true
			sc.fail(display, fmt.Errorf("link can't be followed: %w (mend it, or leave it out with --exclude)", unnamed(err)))
			return
		case !fi.IsDir() && !isArchiveName(p):
			return
		}
		if sc.files.Of(target) == "" {
			sc.fail(display, roots.Outside(target))
			return
		}
		p, typ, signed = target, fi.Mode().Type(), true // what is beside the target was not listed
	}
	switch {
	case typ.IsDir():
		sc.dir(i, s, p)
	case typ.IsRegular() && isArchiveName(p):
		sc.addArchive(p, place{display: display, source: i, signed: signed})
	}
}

func (sc *scanner) addArchive(p string, at place) {
	if _, known := sc.archives[p]; !known && !sc.output(p) {
		sc.archives[p] = at
	}
}

// excluded matches the globs against the base name and the path in the source.
func (sc *scanner) excluded(s source, p string) bool {
	rel, err := filepath.Rel(s.path, p)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	for _, g := range sc.exclude {
		g = strings.TrimSuffix(g, "/")
		if ok, _ := path.Match(g, path.Base(rel)); ok {
			return true
		}
		if ok, _ := path.Match(g, rel); ok {
			return true
		}
	}
	return false
}

// onLink notes a link on the way to something, or what is missing there.
func (sc *scanner) onLink(path string) {
	sc.links[path] = true
	sc.onDir(filepath.Dir(path))
}

// unexpanded is told why a SOURCE is none.
func (sc *scanner) unexpanded(pattern string, err error) {
	sc.incomplete = true
	sc.fail(pattern, err)
}

func (sc *scanner) fail(display string, err error) {
	sc.short.note(err)
	sc.failures = append(sc.failures, Failure{Path: display, Reason: err.Error()})
}
