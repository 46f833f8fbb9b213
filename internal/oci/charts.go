package oci

import (
	"iter"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// Charts remembers digests and sizes of what stands for the charts of one repository, and no
// bytes. The zero value is empty. It may be used by any goroutine.
//
// By digest there are current archives, and those that were replaced or removed for as long
// as the View has them.
type Charts struct {
	mu      sync.Mutex
	images  map[imageKey]*image
	reading sync.Mutex // held by who reads an archive
}

// maxImages bounds what is remembered: some 400 bytes each. When it is full all is dropped.
const maxImages = 1 << 16

// chartNames are the names of the charts that have tags, sorted.
func chartNames(v *repo.View) (names []string) {
	for c := range v.Charts() {
		if layout.IsName(c.Name) && slices.ContainsFunc(c.Versions, hasTag) {
			names = append(names, c.Name)
		}
	}
	return names
}

func hasTag(v *repo.Version) bool { return layout.IsTag(Tag(v.Entry.Version)) }

func tagsOf(v *repo.View, name string) (tags []string) {
	for _, version := range versionsOf(v, name) {
		if hasTag(version) {
			tags = append(tags, Tag(version.Entry.Version))
		}
	}
	return tags
}

func versionsOf(v *repo.View, name string) []*repo.Version {
	if c := v.Chart(name); c != nil {
		return c.Versions
	}
	return nil
}

// versionOf is the version that has a tag; nil: there is none.
func versionOf(v *repo.View, name, tag string) *repo.Version {
	if c := v.Chart(name); c != nil {
		return c.Version(Version(tag))
	}
	return nil
}

// manifest is that of a version.
func (c *Charts) manifest(v *repo.View, version *repo.Version) (*Found, error) {
	s := currentOf(v, version)
	m, err := c.image(v, s)
	if err != nil {
		return nil, err
	}
	return s.manifest(v, m), nil
}

// byDigest is the manifest that has a digest; nil: there is none.
func (c *Charts) byDigest(v *repo.View, name string, d digest.Digest) *Found {
	for s, m := range c.imagesOf(v, name) {
		if m.manifest.digest == d {
			return s.manifest(v, m)
		}
	}
	return nil
}

// Blob returns the archive, provenance or config of a chart that has a digest; nil: there is none.
func (c *Charts) Blob(v *repo.View, name string, d digest.Digest) *Found {
	if f, ok := v.Blob(d.Encoded()); ok && d.Algorithm() == digest.SHA256 && c.has(v, name, f) {
		return &Found{Digest: d, Size: f.Size, File: f}
	}
	for s, m := range c.imagesOf(v, name) {
		switch d {
		case m.prov.digest:
			return &Found{Digest: d, Size: m.prov.size, File: s.prov}
		case m.config.digest:
			return &Found{Digest: d, Size: m.config.size, Make: s.config}
		}
	}
	return nil
}

// has reports whether an archive, which the View has, is a chart's of that name.
func (c *Charts) has(v *repo.View, name string, f *repo.File) bool {
	for _, version := range versionsOf(v, name) {
		if version.Archive.ETag == f.ETag {
			return true
		}
	}
	if !f.Immutable { // it is current, and another archive has its version
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
