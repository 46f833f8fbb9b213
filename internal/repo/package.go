package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// PackageOptions say how single charts are packaged.
type PackageOptions struct {
	// Options.Sources are where dependencies on this repository are looked for;
	// none: in the directory that each chart stands in.
	Options
	// Version and AppVersion replace those in Chart.yaml; empty: they stay.
	Version, AppVersion string
}

// Package makes archives of chart directories in the directory dest, with their
// dependencies resolved as a repository of the same sources would. It returns the
// paths of the archives and the charts that could not be packaged.
func Package(ctx context.Context, dirs []string, dest string, o PackageOptions) (paths []string, failures []Failure, err error) {
	if o.Options, err = o.Options.withDefaults(); err != nil {
		return nil, nil, err
	}
	own, err := resolve.NewOwn(append(slices.Clone(o.OwnURLs), o.URL)...)
	if err != nil {
		return nil, nil, err
	}
	if err := prepareDestination(dest); err != nil {
		return nil, nil, fmt.Errorf("destination %q: %w (name a directory that can be written to)", dest, err)
	}
	for _, dir := range dirs {
		if ctx.Err() != nil {
			return paths, failures, ctx.Err()
		}
		path, err := packageOne(ctx, dir, dest, o, own)
		if err != nil {
			failures = append(failures, Failure{Path: dir, Reason: err.Error(), Since: o.Now().UTC()})
			continue
		}
		paths = append(paths, path)
	}
	return paths, failures, nil
}

// prepareDestination makes dest, and tries whether it can be written to: that is
// no fault of a chart.
func prepareDestination(dest string) error {
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dest, ".chartserve-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// single packages one chart. Dependencies are looked for in sources that are scanned
// only when something depends on them.
type single struct {
	opts    *PackageOptions
	sources *sources
	charts  *chartSet
	given   *archiveSet[*sourceArchive]
	judge   *judge
	graph   *graph
	maker   *maker
	tally   tally
	short   shortage
	scanned bool
	names   map[string]bool // that were looked for
}

// packageOne packages the chart in one directory and returns the archive's path.
func packageOne(ctx context.Context, dir, dest string, o PackageOptions, own resolve.Own) (string, error) {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("no such directory: name the one that holds Chart.yaml")
	case err != nil:
		return "", err
	case !fi.IsDir():
		return "", errors.New("not a directory: name the one that holds Chart.yaml")
	}
	real, err := realPath(dir)
	if err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp("", "chartserve-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	downloads, err := store.Open(scratch, o.store())
	if err != nil {
		return "", err
	}
	defer downloads.Close()
	s := newSingle(&o, own, downloads, real)
	defer s.sources.roots.close()
	defer s.graph.fetcher.wait()
	return s.make(ctx, s.charts.add(real, filepath.Clean(dir)), dir, dest)
}

// newSingle is for the chart in the directory real. Its links may lead anywhere in a
// source that it lies in, if that was named.
func newSingle(o *PackageOptions, own resolve.Own, downloads *store.Store, real string) *single {
	s := &single{opts: o, names: map[string]bool{}, sources: &sources{patterns: o.Sources, exclude: o.Exclude}}
	if len(o.Sources) == 0 {
		s.sources.patterns = []string{filepath.Dir(real)}
	} else {
		s.sources.list, _, _ = expandSources(o.Sources) // scan says what is wrong with them
	}
	ignore := func(string) {}
	s.judge = &judge{
		opts: &o.Options, checker: pkgr.NewChecker(o.Limits), tally: &s.tally, short: &s.short,
		created: func(_ ident, _ string, own time.Time) time.Time { return own },
	}
	s.charts = newChartSet(&o.Options, s.sources, s.judge, ignore)
	s.given = newArchiveSet[*sourceArchive](ignore)
	none := newArchiveSet[*storedArchive](ignore)
	s.graph = &graph{
		charts: s.charts, own: own, fetcher: newFetcher(&o.Options, downloads, s.judge.checker, func() {}),
		archives: func(name string) []*resolve.Archive { return archivesOf(s.given, none, name) },
	}
	s.maker = &maker{opts: &o.Options, store: downloads, roots: &s.sources.roots, charts: s.charts, judge: s.judge, tally: &s.tally}
	return s
}

func (s *single) make(ctx context.Context, l *live, dir, dest string) (string, error) {
	o := s.opts
	n, err := s.resolve(ctx, l)
	if err != nil {
		return "", err
	}
	if err := cmp.Or(s.short.met(), n.Err); err != nil {
		return "", err
	}
	c, err := s.maker.newBuilder().assemble(n)
	if err != nil {
		return "", err
	}
	warnings, err := c.CheckLimits(o.Limits)
	if err != nil {
		return "", err
	}
	for _, text := range slices.Concat(l.warnings, n.Warnings, warnings) {
		o.Logger.Warn(text, "path", dir)
	}
	version := o.Version
	if o.BuildMetadata != "" {
		version = o.withMetadata(cmp.Or(version, c.Metadata.Version))
	}
	if c, err = c.Rewrite(o.Rewrite); err != nil {
		return "", err
	}
	if c, err = c.Override(version, o.AppVersion); err != nil {
		return "", err
	}
	return writeArchive(pkgr.NewPacker(o.Timestamp), c, dest)
}

// resolve finds what l is built from. What it turns out to need is looked at, and what
// has to be fetched is waited for.
func (s *single) resolve(ctx context.Context, l *live) (*resolve.Node, error) {
	in := s.graph.input()
	for {
		res, err := s.graph.settle(ctx, in, []*resolve.Chart{&l.Chart})
		if err != nil {
			return nil, err
		}
		found, err := s.find(ctx, &in, res.Names)
		switch {
		case err != nil:
			return nil, err
		case found:
		case !s.graph.fetcher.busy():
			return res.Nodes[&l.Chart], nil
		default:
			s.graph.fetcher.wait()
		}
	}
}

// find adds the charts of those names in the sources to in, and reads the archives of
// the sources. It reports whether any of the names is new.
func (s *single) find(ctx context.Context, in *resolve.Input, names []string) (bool, error) {
	fresh := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.names[name] })
	if len(fresh) == 0 {
		return false, nil
	}
	if err := s.scan(ctx); err != nil {
		return false, err
	}
	archives := s.graph.input().Archives // the last one remembers that there were none
	in.Archives = archives
	for _, name := range fresh {
		s.names[name] = true
		for _, l := range s.named(name) {
			in.Charts = append(in.Charts, &l.Chart)
		}
	}
	return true, nil
}

// scan finds which charts the sources hold, without reading them, and reads their
// archives, once.
func (s *single) scan(ctx context.Context) error {
	if s.scanned {
		return nil
	}
	s.scanned = true
	charts, archives := s.sources.scan(&s.short, s.charts.onDir)
	s.charts.merge(charts, false)
	for _, f := range s.sources.failures {
		s.opts.Logger.Warn("not looked at for dependencies", "path", f.Path, "reason", f.Reason)
	}
	var found []*sourceArchive
	for path, at := range archives {
		found = append(found, &sourceArchive{judged: judged{path: path, display: at.display}, source: at.source})
	}
	p := newProgress(&s.opts.Options, "archives checked", len(found))
	return each(ctx, s.opts.Jobs, found, p, func(a *sourceArchive) judged {
		next, _ := s.judge.look(a.judged, "", func() (fs.FileInfo, error) { return s.sources.roots.stat(a.path) },
			func() (fs.File, error) { return s.sources.roots.open(a.path) })
		return next
	}, func(a *sourceArchive, next judged) {
		a.judged = next
		s.given.put(a)
	})
}

// maxChartYAML bounds what is read of a chart to learn its name.
const maxChartYAML = 1 << 20

// named are the charts of the sources with that name. Of the others only Chart.yaml is
// read.
func (s *single) named(name string) []*live {
	var found []*live
	for dir, l := range s.charts.byDir {
		data, err := s.sources.roots.read(filepath.Join(dir, "Chart.yaml"), maxChartYAML)
		if s.short.note(err); err != nil || l.external {
			continue
		}
		if md, _, err := chart.ParseMetadata(data); err == nil && md.Name == name {
			if l.Metadata == nil && l.Err == nil {
				s.charts.look(l, s.opts.Now())
			}
			found = append(found, l)
		}
	}
	slices.SortFunc(found, byPrecedence)
	return found
}

// writeArchive puts c's archive into dest, all of it or nothing.
func writeArchive(p *pkgr.Packer, c *pkgr.Chart, dest string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dest, c.Metadata.ArchiveName()))
	if err != nil {
		return "", err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return "", err
	}
	defer f.Cleanup()
	if _, err := p.Pack(f, c); err != nil {
		return "", err
	}
	return path, f.CloseAtomicallyReplace()
}
