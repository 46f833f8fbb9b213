package oci

import (
	"iter"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// Charts finds manifests and blobs of charts in the Views of one repository. It remembers
// digests and sizes, and no bytes. The zero value is empty. All methods may be called at
// once.
//
// Names are those of NAME:TAG, of charts that are current. By digest there are those of
// archives that were replaced or removed as well, for as long as the View has them.
type Charts struct {
	mu      sync.Mutex
	images  map[imageKey]*image
	reading sync.Mutex // held by who reads an archive
}

// maxImages bounds what is remembered: some 400 bytes each. When it is full all is dropped.
const maxImages = 1 << 16

// Found is a manifest or a blob.
type Found struct {
	MediaType string // of a manifest; empty: it is a blob
	Digest    digest.Digest
	Size      int64
	// File is what has the bytes; nil: Make makes them.
	File *repo.File
	Make func() ([]byte, error)
}

// Names are the names of the charts that have tags, sorted.
func Names(v *repo.View) (names []string) {
	for c := range v.Charts() {
		if layout.IsName(c.Name) && slices.ContainsFunc(c.Versions, func(v *repo.Version) bool { return layout.IsTag(Tag(v.Entry.Version)) }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Tags returns the tags of a chart, in no order; none: there is no such chart.
func Tags(v *repo.View, name string) (tags []string) {
	for _, version := range versionsOf(v, name) {
		if tag := Tag(version.Entry.Version); layout.IsTag(tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// Manifest returns the manifest of a chart that has that tag; nil: there is none.
func (c *Charts) Manifest(v *repo.View, name, tag string) (*Found, error) {
	found := v.Chart(name)
	if found == nil {
		return nil, nil
	}
	version := found.Version(versionOf(tag))
	if version == nil {
		return nil, nil
	}
	s := currentOf(v, version)
	m, err := c.image(v, s)
	if err != nil {
		return nil, err
	}
	return s.manifest(v, m), nil
}

// ManifestByDigest returns the manifest of a chart that has that digest; nil: there is none.
func (c *Charts) ManifestByDigest(v *repo.View, name string, d digest.Digest) (*Found, error) {
	for s, m := range c.imagesOf(v, name) {
		if m.manifest.digest == d {
			return s.manifest(v, m), nil
		}
	}
	return nil, nil
}

// Blob returns the archive, provenance or config of a chart that has that digest; nil: there
// is none.
func (c *Charts) Blob(v *repo.View, name string, d digest.Digest) (*Found, error) {
	if f, ok := v.Blob(d.Encoded()); ok && d.Algorithm() == digest.SHA256 && c.has(v, name, f) {
		return &Found{Digest: d, Size: f.Size, File: f}, nil
	}
	for s, m := range c.imagesOf(v, name) {
		switch d {
		case m.prov.digest:
			return &Found{Digest: d, Size: m.prov.size, File: s.prov}, nil
		case m.config.digest:
			return &Found{Digest: d, Size: m.config.size, Make: func() ([]byte, error) {
				md, err := s.metadata()
				if err != nil {
					return nil, err
				}
				return configOf(md)
			}}, nil
		}
	}
	return nil, nil
}

// has reports whether an archive, which the View has, is a chart's of that name.
func (c *Charts) has(v *repo.View, name string, f *repo.File) bool {
	for _, version := range versionsOf(v, name) {
		if version.Archive.ETag == f.ETag {
			return true
		}
	}
	if !f.Immutable { // it is current, under a name that another has before it
		return false
	}
	m, err := c.image(v, replacedOf(v, f))
	return err == nil && m.name == name
}

// imagesOf are those of all archives of a chart that the View has. One that can't be read
// has none.
func (c *Charts) imagesOf(v *repo.View, name string) iter.Seq2[*source, *image] {
	return func(yield func(*source, *image) bool) {
		more := func(s *source) bool {
			m, err := c.image(v, s)
			return err != nil || m.name != name || yield(s, m)
		}
		for _, version := range versionsOf(v, name) {
			if !more(currentOf(v, version)) {
				return
			}
		}
		for _, f := range v.Replaced(name + "-") {
			if !more(replacedOf(v, f)) {
				return
			}
		}
	}
}

func versionsOf(v *repo.View, name string) []*repo.Version {
	if c := v.Chart(name); c != nil {
		return c.Versions
	}
	return nil
}
