package repo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/roots"
	"chartserve/internal/store"
	"chartserve/internal/wholefile"
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
	var own resolve.Own
	if o.Options, own, err = o.Options.check(); err != nil {
		return nil, nil, err
	}
	override := chart.Metadata{APIVersion: "v2", Name: "x", Version: cmp.Or(o.Version, "1.0.0")}
	if err := override.Validate(); err != nil {
		return nil, nil, badOption("version %q: not a semantic version (write MAJOR.MINOR.PATCH, such as 1.2.3)", o.Version)
	}
	if err := prepareDestination(dest); err != nil {
		return nil, nil, fmt.Errorf("destination %q: %w (name a directory that can be written to)", dest, err)
	}
	if o.Output, err = archivesIn(dest, dirs); err != nil {
		return nil, nil, err
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

// archivesIn recognises the archives of the charts in dirs, of any version, and their
// provenance, in the directory dest and in the charts themselves: what Package writes is
// not to be part of what it packages the next time.
func archivesIn(dest string, dirs []string) (func(path string) bool, error) {
	dest, err := realPath(dest)
	if err != nil {
		return nil, err
	}
	var prefixes []string
	places := []string{dest}
	for _, dir := range dirs {
		s, err := newSource(dir, dir)
		if err != nil {
			continue // it is reported when it is packaged, as is what follows
		}
		places = append(places, s.path)
		files := roots.New(s.root)
		data, err := files.Read(filepath.Join(s.path, chart.MetadataFile), maxChartYAML)
		files.Close()
		if err == nil {
			if md, _, err := chart.ParseMetadata(data); err == nil {
				prefixes = append(prefixes, md.Name+"-")
			}
		}
	}
	return func(path string) bool {
		base, isArchive := strings.CutSuffix(strings.TrimSuffix(filepath.Base(path), ".prov"), ".tgz")
		if !isArchive || !slices.Contains(places, filepath.Dir(path)) {
			return false
		}
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			version, ok := strings.CutPrefix(base, prefix)
			_, err := semver.NewVersion(version)
			return ok && err == nil
		})
	}, nil
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
	if len(o.Sources) == 0 {
		o.Sources = []string{filepath.Dir(real)}
	}
	downloads, remove, err := openDownloads(dest, &o.Options)
	if err != nil {
		return "", err
	}
	defer remove()
	r := newRepository(o.Options, own, downloads)
	defer r.sources.close()
	defer r.fetcher.wait()
	// Links of the chart may lead anywhere in a source that it lies in, if that was named.
	r.sources.expand(func(string, error) {}, nil, func(string) {}) // a scan says what is wrong with them
	c, err := r.assembleOne(ctx, r.charts.add(real, filepath.Clean(dir)), o)
	if err != nil {
		return "", err
	}
	return r.maker.writeArchive(c, dest)
}

// openDownloads opens the folder that downloads go to while a chart is packaged, and
// returns what removes it. Where nothing is downloaded it is dest, to read only.
func openDownloads(dest string, o *Options) (*store.Store, func(), error) {
	if o.Fetcher == nil {
		s, err := store.OpenReadOnly(dest, o.store())
		return s, func() { _ = s.Close() }, err
	}
	scratch, err := os.MkdirTemp("", "chartserve-")
	if err != nil {
		return nil, nil, fmt.Errorf("no directory for downloads: %w (TMPDIR names a directory that is writable)", err)
	}
	s, err := store.Open(scratch, o.store())
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(scratch))
	}
	o.hide(s)
	return s, func() { _ = errors.Join(s.Close(), os.RemoveAll(scratch)) }, nil
}

// assembleOne is the chart in a directory with its dependencies, as it is packaged.
func (r *Repository) assembleOne(ctx context.Context, d *chartDir, o PackageOptions) (*pkgr.Chart, error) {
	n, err := r.resolveOne(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(r.short.met(), n.Err); err != nil {
		return nil, err
	}
	version := o.Version
	if o.BuildMetadata != "" {
		version = o.withMetadata(cmp.Or(version, d.Metadata.Version))
	}
	c, warnings, err := newBuilder(r.maker).chart(n, version, o.AppVersion)
	if err != nil {
		return nil, err
	}
	for _, text := range slices.Concat(d.warnings, n.Warnings, warnings) {
		o.Logger.Warn(text, "path", d.Path)
	}
	return c, nil
}

// resolveOne finds what d is built from. The sources are scanned only when something
// depends on what may be in them; what has to be fetched is waited for.
func (r *Repository) resolveOne(ctx context.Context, d *chartDir) (*resolve.Node, error) {
	in := r.graph.input()
	asked := map[string]bool{}
	for {
		res, err := r.graph.settle(ctx, in, []*resolve.Chart{&d.Chart})
		if err != nil {
			return nil, err
		}
		names := slices.DeleteFunc(res.Names, func(name string) bool { return asked[name] })
		switch {
		case len(names) > 0:
			if len(asked) == 0 {
				if err := r.readArchives(ctx); err != nil {
					return nil, err
				}
				in.Archives = r.graph.input().Archives // the last one remembers that there were none
			}
			for _, name := range names {
				asked[name] = true
				in.Charts = append(in.Charts, r.chartsNamed(name)...)
			}
		case !r.fetcher.busy():
			return res.Nodes[&d.Chart], nil
		default:
			r.fetcher.wait()
		}
	}
}

// readArchives finds what the sources hold, and reads their archives.
func (r *Repository) readArchives(ctx context.Context) error {
	w := &work{}
	r.lookAtSources(w, false)
	for _, f := range r.sources.failures {
		r.opts.Logger.Warn("not looked at for dependencies", "path", f.Path, "reason", f.Reason)
	}
	return r.lookAtArchives(ctx, w.archives)
}

// maxChartYAML bounds what is read of a chart to learn its name.
const maxChartYAML = 1 << 20

// chartsNamed are the charts of the sources with that name. Of the others only Chart.yaml
// is read.
func (r *Repository) chartsNamed(name string) (found []*resolve.Chart) {
	for _, d := range r.charts.published() {
		data, err := r.sources.files.Read(filepath.Join(d.Dir, chart.MetadataFile), maxChartYAML)
		if r.short.note(err); err != nil {
			continue
		}
		if md, _, err := chart.ParseMetadata(data); err == nil && md.Name == name {
			if d.Metadata == nil && d.Err == nil {
				r.charts.look(d, r.opts.Now())
			}
			found = append(found, &d.Chart)
		}
	}
	return found
}

// writeArchive puts c's archive into dest, all of it or nothing, and signs it. The archive
// is never beside a provenance of other bytes.
func (m *maker) writeArchive(c *pkgr.Chart, dest string) (string, error) {
	name := c.Metadata.ArchiveName()
	path, err := filepath.Abs(filepath.Join(dest, name))
	if err != nil {
		return "", err
	}
	f, err := wholefile.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Cleanup()
	digest, err := m.packer.Pack(f, c)
	if err != nil {
		return "", err
	}
	before, err := os.ReadFile(path + ".prov")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var prov []byte // nil: what is there stays, if it is of the same bytes
	if s := m.opts.Signer; s != nil && !s.Made(before, name, digest) {
		if prov, err = s.Sign(c.Metadata, name, digest); err != nil {
			return "", err
		}
	}
	if before != nil && !bytes.Contains(before, []byte(digest)) {
		if err := os.Remove(path + ".prov"); err != nil {
			return "", err
		}
	}
	if err := f.CloseAtomicallyReplace(); err != nil || prov == nil {
		return path, err
	}
	return path, wholefile.Write(path+".prov", prov)
}
