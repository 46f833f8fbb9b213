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
	own, err := newAddresses(o.OwnURLs, o.URL)
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
	looked      map[string]*live
}

// packageOne packages the chart in one directory and gives the archive's path.
func packageOne(ctx context.Context, dir, dest string, o PackageOptions, own addresses) (string, error) {
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
	if len(o.Sources) == 0 {
		o.Sources = []string{filepath.Dir(real)}
	}
	scratch, err := os.MkdirTemp("", "chartserve-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	f, err := openFolder(scratch)
	if err != nil {
		return "", err
	}
	defer f.close()
	r := &Repository{opts: o.Options, own: own, ctx: ctx, folder: f, checker: pkgr.NewChecker(o.Limits)}
	r.forget()
	s := &single{Repository: r, looked: map[string]*live{}}
	return s.make(real, dir, dest, o)
}

func (s *single) make(real, dir, dest string, o PackageOptions) (string, error) {
	l := s.look(real, filepath.Clean(dir))
	n := newResolver(s, s.own).resolve(l)
	if n.err != nil {
		return "", n.err
	}
	b := &builder{limits: o.Limits, open: s.openArchive, memo: map[any]*content{}}
	c, err := b.assemble(n)
	if err != nil {
		return "", err
	}
	warnings, err := c.CheckLimits(o.Limits)
	if err != nil {
		return "", err
	}
	for _, text := range slices.Concat(l.warnings, n.warnings, warnings) {
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

// look reads the chart in a directory.
func (s *single) look(real, display string) *live {
	if l := s.looked[real]; l != nil {
		return l
	}
	l := &live{dir: real, place: place{display: display, root: filepath.Dir(real)}}
	s.looked[real] = l
	l.refresh(s.opts.Limits, nil, s.opts.Now())
	return l
}

// at implements universe.
func (s *single) at(dir string) *live {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(real, "Chart.yaml")); err != nil {
		return nil
	}
	return s.look(real, dir)
}

// named implements universe. Of the charts in the sources only Chart.yaml is
// read, but for those that are wanted.
func (s *single) named(name string) []*live {
	s.scan()
	var found []*live
	for dir, l := range s.lives {
		data, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
		if err != nil {
			continue
		}
		if md, _, err := chart.ParseMetadata(data); err == nil && md.Name == name {
			found = append(found, s.look(dir, l.place.display))
		}
	}
	slices.SortFunc(found, byDisplay)
	return found
}

// archives implements universe.
func (s *single) archives(name string) []*archive {
	s.scan()
	if err := s.refresh(s.ctx, s.unread); err != nil {
		return nil
	}
	s.unread = &work{}
	return s.Repository.archives(name)
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
