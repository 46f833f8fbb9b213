package oci

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// Contents has what was pushed to a repository; a *repo.Repository is one.
type Contents interface {
	// Content is called with false. The error is fs.ErrNotExist where there is nothing.
	Content(make bool) (*layout.Layout, error)
}

// Registry is one repository as a registry's clients read it: the charts of its View, and
// what was pushed to it.
//
// The View decides about charts. A manifest that was pushed with a chart has its tag only
// while that version's archive is the one that it was pushed with; by digest it is there for
// as long as the View has that archive, be it replaced. Otherwise it is as if it had never
// been pushed: the tag has the manifest that is made of the View. A tag that is a chart's
// version is never another manifest's. So it is with an index.json that is broken, for a name
// that is a chart; the log says so.
//
// Errors are those of the folder.
type Registry struct {
	Charts *Charts
	View   *repo.View
	Pushed Contents
	Log    *slog.Logger // nil: nothing is logged
}

// Found is a manifest or a blob. One of File, Disk and Make has the bytes.
type Found struct {
	MediaType string // of a manifest; empty: it is a blob
	Digest    digest.Digest
	Size      int64 // in bytes

	File *repo.File             // of the View
	Disk *os.File               // open, and the caller's to close
	Make func() ([]byte, error) // for what is small
}

// Close closes what is open.
func (f *Found) Close() {
	if f != nil && f.Disk != nil {
		_ = f.Disk.Close() // it was only read
	}
}

// layout returns what was pushed; nil: nothing was.
func (r Registry) layout() (*layout.Layout, error) {
	l, err := r.Pushed.Content(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return l, err
}

// content returns what was pushed by a name.
func (r Registry) content(name string) (*layout.Layout, *layout.Content, error) {
	l, err := r.layout()
	if err != nil || l == nil {
		return nil, &layout.Content{}, err
	}
	c, err := l.Content(name)
	if err != nil {
		c = &layout.Content{}
	}
	return l, c, err
}

// excuse is the error of content for what has an answer without it, as a chart has: nil for an
// index.json that is broken, and the log says so.
func (r Registry) excuse(name string, answers bool, err error) error {
	if !answers || !errors.Is(err, layout.ErrBroken) {
		return err
	}
	if r.Log != nil {
		r.Log.Error("what was pushed with a chart can't be read; the chart itself is served", "name", name, "error", err)
	}
	return nil
}

// holds reports whether a manifest that was pushed is there by its digest.
func (r Registry) holds(m *layout.Manifest) bool {
	if m.Archive == "" {
		return true
	}
	_, ok := r.View.Blob(m.Archive)
	return ok
}

// Names are those of the charts that have tags, and the others that have manifests,
// or whose manifests can't be read.
func (r Registry) Names() (charts, others []string, err error) {
	charts = chartNames(r.View)
	l, err := r.layout()
	if err != nil || l == nil {
		return charts, nil, err
	}
	err = l.Each(func(name string, c *layout.Content, err error) {
		_, isChart := slices.BinarySearch(charts, name)
		if !isChart && (err != nil || slices.ContainsFunc(c.Manifests, func(m *layout.Manifest) bool { return m.Archive == "" })) {
			others = append(others, name)
		}
	})
	return charts, others, err
}

// Tags returns the tags of a name, sorted; nil: it has no manifests at all.
func (r Registry) Tags(name string) ([]string, error) {
	tags := tagsOf(r.View, name)
	_, c, err := r.content(name)
	if err = r.excuse(name, tags != nil, err); err != nil {
		return nil, err
	}
	for _, m := range c.Manifests {
		switch {
		case m.Archive != "": // it counts as a version of the View
		case m.Tag != "":
			tags = append(tags, m.Tag)
		case tags == nil:
			tags = []string{}
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags), nil
}

// Manifest returns the manifest that a tag has; nil: there is none.
func (r Registry) Manifest(name, tag string) (*Found, error) {
	version := versionOf(r.View, name, tag)
	l, c, err := r.content(name)
	if err = r.excuse(name, version != nil, err); err != nil {
		return nil, err
	}
	archive := ""
	if version != nil {
		archive = digestOf(version.Archive).Encoded()
	}
	for _, m := range c.Tag(tag) {
		if m.Archive == archive {
			return found(l, name, m)
		}
	}
	if version == nil {
		return nil, nil
	}
	return r.Charts.manifest(r.View, version)
}

// ManifestByDigest returns the manifest that has a digest; nil: there is none.
func (r Registry) ManifestByDigest(name string, d digest.Digest) (*Found, error) {
	l, c, err := r.content(name)
	if err != nil {
		err = r.excuse(name, r.Charts.byDigest(r.View, name, d) != nil, err)
	}
	if err != nil {
		return nil, err
	}
	if c.Digest(d) != nil {
		for _, m := range c.Manifests { // several tags may have it, as a chart's and otherwise
			if m.Digest == d && r.holds(m) {
				return found(l, name, m)
			}
		}
	}
	return r.Charts.byDigest(r.View, name, d), nil
}

// found is a manifest that was pushed.
func found(l *layout.Layout, name string, m *layout.Manifest) (*Found, error) {
	f := &Found{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size}
	if m.Size > maxMade {
		return f.open(l, name)
	}
	f.Make = func() ([]byte, error) { return readManifest(l, name, m) }
	return f, nil
}

// maxMade bounds a manifest that is read at once.
const maxMade = 64 << 10

func readManifest(l *layout.Layout, name string, m *layout.Manifest) ([]byte, error) {
	file, err := l.OpenBlob(name, m.Digest)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return chart.ReadAtMost(file, m.Size)
}

// Blob returns the blob that has a digest; nil: there is none.
func (r Registry) Blob(name string, d digest.Digest) (*Found, error) {
	if f := r.Charts.Blob(r.View, name, d); f != nil {
		return f, nil
	}
	l, err := r.layout()
	if err != nil || l == nil {
		return nil, err
	}
	return (&Found{Digest: d}).open(l, name)
}

// open opens what was pushed; nil: it is not there.
func (f *Found) open(l *layout.Layout, name string) (*Found, error) {
	file, err := l.OpenBlob(name, f.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	fi, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f.Disk, f.Size = file, fi.Size()
	return f, nil
}
