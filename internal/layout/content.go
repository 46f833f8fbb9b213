package layout

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/fileid"
)

// Manifest is an entry of a name: a tag and the manifest that it leads to, or a manifest
// without a tag. It never changes.
type Manifest struct {
	Digest       digest.Digest
	MediaType    string
	ArtifactType string // empty where the manifest has none
	Size         int64  // in bytes
	Tag          string // empty: it is found by its digest alone
	// Subject is the manifest that this one refers to; empty: there is none.
	Subject digest.Digest
	// Archive is the SHA-256, in hex, of the chart's archive that the manifest was pushed
	// with; empty: it is no chart. Entries of one tag may differ in it.
	Archive string

	raw []byte // its descriptor, in which another tool may have written more
}

// Content is what a name's index.json said when it was read. It never changes.
type Content struct {
	// Manifests are all entries, in the order of index.json.
	Manifests []*Manifest

	stamp  fileid.Exact
	find   sync.Once // makes all below
	tags   map[string][]*Manifest
	byHash map[digest.Digest]*Manifest
	refer  map[digest.Digest][]*Manifest
}

func (c *Content) build() {
	c.tags, c.byHash, c.refer = map[string][]*Manifest{}, map[digest.Digest]*Manifest{}, map[digest.Digest][]*Manifest{}
	for _, m := range c.Manifests {
		if m.Tag != "" {
			c.tags[m.Tag] = append(c.tags[m.Tag], m)
		}
		if have := c.byHash[m.Digest]; have == nil || have.Archive != "" && m.Archive == "" {
			c.byHash[m.Digest] = m
		}
	}
	for _, m := range c.Manifests {
		if m.Subject != "" && c.byHash[m.Digest] == m {
			c.refer[m.Subject] = append(c.refer[m.Subject], m)
		}
	}
}

// Tag returns the entries of a tag: one, and more where they differ in Archive.
func (c *Content) Tag(tag string) []*Manifest {
	c.find.Do(c.build)
	return c.tags[tag]
}

// Digest returns an entry of the manifest with that digest, one without an Archive if there is
// one; nil: there is none.
func (c *Content) Digest(d digest.Digest) *Manifest {
	c.find.Do(c.build)
	return c.byHash[d]
}

// Tags are all tags, sorted.
func (c *Content) Tags() []string {
	c.find.Do(c.build)
	return slices.Sorted(maps.Keys(c.tags))
}

// Referrers are the manifests whose subject has that digest, each once.
func (c *Content) Referrers(d digest.Digest) []*Manifest {
	c.find.Do(c.build)
	return c.refer[d]
}

// Content returns what a name has; it is empty where there is none. The error is that
// index.json can't be read, or ErrBroken.
func (l *Layout) Content(name string) (*Content, error) {
	c, fresh, err := l.content(name)
	if fresh {
		l.keep(name, c)
	}
	return c, err
}

// content is Content; fresh reports whether it was read, and is worth keeping.
func (l *Layout) content(name string) (c *Content, fresh bool, err error) {
	folder, err := folderOf(name)
	if err != nil {
		return nil, false, err
	}
	file := path.Join(root, folder, indexFile)
	fi, err := l.files.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &Content{}, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	stamp := fileid.ExactOf(fi)
	l.mu.Lock()
	c = l.parsed[name]
	l.mu.Unlock()
	if c != nil && c.stamp == stamp {
		return c, false, nil
	}
	data, err := l.files.ReadFile(file, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return &Content{}, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	c = &Content{stamp: stamp}
	if c.Manifests, err = decode(data); err != nil {
		return nil, false, fmt.Errorf("%s: %w: %w (repair it, or take %s away)", file, ErrBroken, err, path.Dir(file))
	}
	return c, true, nil
}

// keep remembers the Content of a name, in place of others' where there is too much.
func (l *Layout) keep(name string, c *Content) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(name)
	for other := range l.parsed {
		if l.kept+len(c.Manifests) <= maxKept {
			break
		}
		l.forget(other)
	}
	l.parsed[name] = c
	l.kept += len(c.Manifests)
}

// forget is called with mu held.
func (l *Layout) forget(name string) {
	if c := l.parsed[name]; c != nil {
		l.kept -= len(c.Manifests)
		delete(l.parsed, name)
	}
}
