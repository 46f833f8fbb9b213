package oci

import (
	"iter"
	"slices"
	"strings"
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
	hints   map[digest.Digest]string // the ETag of the archive whose image was made last with it
	reading sync.Mutex               // held by who reads an archive
}

// maxImages bounds the images that are remembered, some 600 bytes each with their hints.
// When there are more all are dropped.
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
	if s, m := c.find(v, name, d); s != nil && m.manifest.digest == d {
		return s.manifest(v, m)
	}
	return nil
}

// Blob returns the archive, provenance or config of a chart that has a digest; nil: there is none.
func (c *Charts) Blob(v *repo.View, name string, d digest.Digest) *Found {
	if d.Algorithm() != digest.SHA256 {
		return nil
	}
	if s := c.sourceOf(v, name, d.Encoded()); s != nil {
		return &Found{Digest: d, Size: s.archive.Size, File: s.archive}
	}
	s, m := c.find(v, name, d)
	switch {
	case s == nil:
	case m.prov.digest == d:
		return &Found{Digest: d, Size: m.prov.size, File: s.prov}
	case m.config.digest == d:
		return &Found{Digest: d, Size: m.config.size, Make: s.config}
	}
	return nil
}

// find returns an archive of a chart of which something has that digest; nil: there is none.
// It looks at what was made last with it before it looks through all.
func (c *Charts) find(v *repo.View, name string, d digest.Digest) (*source, *image) {
	c.mu.Lock()
	hint := c.hints[d]
	c.mu.Unlock()
	if hint != "" {
		if s := c.sourceOf(v, name, strings.Trim(hint, `"`)); s != nil {
			if m, err := c.image(v, s); err == nil && m.has(d) {
				return s, m
			}
		}
	}
	for s, m := range c.imagesOf(v, name) {
		if m.has(d) {
			return s, m
		}
	}
	return nil, nil
}

// sourceOf is an archive of a chart by its SHA-256, in hex; nil: the View has none.
func (c *Charts) sourceOf(v *repo.View, name, sum string) *source {
	f, ok := v.Blob(sum)
	if !ok {
		return nil
	}
	for _, version := range versionsOf(v, name) {
		if version.Archive.ETag == f.ETag {
			return currentOf(v, version)
		}
	}
	if !f.Immutable { // it is current, and another archive has its version
		return nil
	}
	s := replacedOf(v, f)
	if m, err := c.image(v, s); err != nil || m.name != name {
		return nil
	}
	return s
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
