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
// dependencies resolved as a repository of the same sources would. It gives the
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

// single packages one chart. It finds dependencies in sources that are looked at
// only when something depends on them.
type single struct {
	*Repository       // of the sources, with an empty folder for downloads
	scanned     bool  // the sources were scanned
	unread      *work // archives in the sources that were not read yet
	names       map[string]bool
}

// packageOne packages the chart in one directory and gives the archive's path.
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
	named := len(o.Sources) > 0
	if !named {
		o.Sources = []string{filepath.Dir(real)}
	}
	scratch, err := os.MkdirTemp("", "chartserve-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	folder, err := store.Open(scratch, o.Options.store())
	if err != nil {
		return "", err
	}
	defer folder.Close()
	r := &Repository{opts: o.Options, own: own, store: folder, checker: pkgr.NewChecker(o.Limits)}
	r.fetcher = newFetcher(r)
	defer r.fetcher.wait()
	defer r.roots.close()
	r.forget()
	if named {
		r.sources, _, _ = expandSources(o.Sources) // scan says what is wrong with them
	}
	s := &single{Repository: r, names: map[string]bool{}}
	return s.make(ctx, s.look(real, filepath.Clean(dir)), dir, dest, o)
}

func (s *single) make(ctx context.Context, l *live, dir, dest string, o PackageOptions) (string, error) {
	n, err := s.resolve(ctx, l)
	if err != nil {
		return "", err
	}
	if n.Err != nil {
		return "", n.Err
	}
	c, err := s.newBuilder().assemble(n)
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

// resolve finds what l is built from. What it turns out to need is looked at, and
// what has to be fetched is waited for.
func (s *single) resolve(ctx context.Context, l *live) (*resolve.Node, error) {
	target := []*resolve.Chart{&l.Chart}
	in := resolve.Input{Dirs: map[string]*resolve.Chart{}, Fetching: s.fetcher != nil, Own: s.own}
	for {
		res, err := s.settle(ctx, in, target, s.outside)
		if err != nil {
			return nil, err
		}
		if found, err := s.find(ctx, &in, res.Names); found || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if !s.fetcher.busy() {
			return res.Nodes[&l.Chart], nil
		}
		s.fetcher.wait()
	}
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
	if _, _, err := p.Pack(f, c); err != nil {
		return "", err
	}
	return path, f.CloseAtomicallyReplace()
}

// look reads the chart that is to be packaged. It may lie in no source; its links may
// lead anywhere in a source that it lies in, if that was named.
func (s *single) look(real, display string) *live {
	l := &live{Chart: resolve.Chart{Dir: real, Path: display}, root: s.rootFor(real), external: true}
	s.lives[real] = l
	l.refresh(s.checker, nil, s.opts.Now())
	return l
}

// find adds the charts and archives of those names in the sources to in. It reports
// whether any of the names is new.
func (s *single) find(ctx context.Context, in *resolve.Input, names []string) (bool, error) {
	fresh := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.names[name] })
	if len(fresh) == 0 {
		return false, nil
	}
	s.scan()
	if err := s.refresh(ctx, s.unread); err != nil {
		return false, err
	}
	s.unread = &work{}
	in.Archives = s.archivesNamed()
	for _, name := range fresh {
		s.names[name] = true
		for _, l := range s.named(name) {
			in.Charts = append(in.Charts, &l.Chart)
		}
	}
	return true, nil
}

// maxChartYAML bounds what is read of a chart to learn its name.
const maxChartYAML = 1 << 20

// named are the charts of the sources with that name. Of the others only Chart.yaml is
// read.
func (s *single) named(name string) []*live {
	var found []*live
	for dir, l := range s.lives {
		data, err := s.roots.read(filepath.Join(dir, "Chart.yaml"), maxChartYAML)
		if err != nil {
			continue
		}
		if md, _, err := chart.ParseMetadata(data); err == nil && md.Name == name && !l.external {
			if l.Metadata == nil && l.Err == nil {
				l.refresh(s.checker, nil, s.opts.Now())
			}
			found = append(found, l)
		}
	}
	slices.SortFunc(found, byPrecedence)
	return found
}

// scan finds what the sources hold, without reading it, once.
func (s *single) scan() {
	if s.scanned {
		return
	}
	s.scanned, s.unread = true, &work{}
	s.lookAtSources(s.unread, false)
	s.unread.lives = nil // only what is wanted is read
	for _, f := range s.scanFailures {
		s.opts.Logger.Warn("not looked at for dependencies", "path", f.Path, "reason", f.Reason)
	}
}
