package layout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// mentioned are the digests in a manifest, wherever they stand in it: configs, layers,
// manifests of an index, the subject, and what annotations name. What is no JSON has none.
func mentioned(data []byte) (all []digest.Digest) {
	tokens := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := tokens.Token()
		if err != nil {
			return all
		}
		if text, ok := token.(string); ok && IsDigest(digest.Digest(text)) {
			all = append(all, digest.Digest(text))
		}
	}
}

// children are the manifests of an index.
func children(data []byte) (all []digest.Digest) {
	var f struct {
		Manifests []struct{ Digest digest.Digest }
	}
	if json.Unmarshal(data, &f) != nil {
		return nil
	}
	for _, m := range f.Manifests {
		if IsDigest(m.Digest) {
			all = append(all, m.Digest)
		}
	}
	return all
}

// marker finds which blobs of a name are in use.
type marker struct {
	ctx  context.Context
	l    *Layout
	name string
	dir  string // of the blobs
	// blobs are those that are there: a manifest may mention any number of others.
	blobs map[digest.Digest]use
}

type use int8

const (
	unused use = iota
	used       // by a manifest
	read       // it is a manifest in use, and what it mentions is used
)

// newMarker finds the blobs of a name.
func (l *Layout) newMarker(ctx context.Context, name string) (*marker, error) {
	m := &marker{ctx: ctx, l: l, name: name, blobs: map[digest.Digest]use{}}
	var err error
	if m.dir, err = blobsOf(name); err != nil {
		return nil, err
	}
	return m, l.eachBlob(ctx, m.dir, func(_ string, d digest.Digest, _ fs.FileInfo) error {
		m.blobs[d] = unused
		return nil
	})
}

// mark marks the manifests of entries, what they mention, and the manifests of an index with
// theirs. The error is that one can't be read, or that of ctx.
func (m *marker) mark(all []*Manifest) error {
	var todo []digest.Digest
	for _, e := range all {
		if m.ctx.Err() != nil {
			return context.Cause(m.ctx)
		}
		if err := m.find(e.Digest); err != nil {
			return err
		}
		todo = append(todo[:0], e.Digest)
		for len(todo) > 0 {
			d := todo[len(todo)-1]
			more, err := m.read(d)
			if err != nil {
				return err
			}
			todo = append(todo[:len(todo)-1], more...)
		}
	}
	return nil
}

// since is when a blob came; zero: it is not there.
func (m *marker) since(d digest.Digest) (t time.Time) {
	if fi, err := m.l.files.Stat(blobIn(m.dir, d)); err == nil {
		t = fi.ModTime()
	}
	return t
}

// find is an error if an entry's manifest is there, and is no blob.
func (m *marker) find(d digest.Digest) error {
	if _, there := m.blobs[d]; there {
		return nil
	}
	_, err := m.l.files.Stat(blobIn(m.dir, d))
	switch {
	case err == nil:
		m.blobs[d] = unused // it came in this moment
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// read marks a manifest and what it mentions, and returns the manifests of an index.
func (m *marker) read(d digest.Digest) (more []digest.Digest, err error) {
	if state, there := m.blobs[d]; !there || state == read {
		return nil, nil
	}
	m.blobs[d] = read
	data, err := m.l.files.ReadFile(blobIn(m.dir, d), maxRead)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, other := range mentioned(data) {
		if state, there := m.blobs[other]; there && state == unused {
			m.blobs[other] = used
		}
	}
	return slices.DeleteFunc(children(data), m.isLarge), nil
}

// maxRead bounds a manifest that is read, in bytes: another tool's may be larger than MaxManifest.
const maxRead = 4 * MaxManifest

// isLarge reports whether a blob is no manifest, whatever an index says: a layer has any size.
func (m *marker) isLarge(d digest.Digest) bool {
	fi, err := m.l.files.Stat(blobIn(m.dir, d))
	return err == nil && fi.Size() > maxRead
}

// reached splits entries: those that stay have their manifest marked, or their subject.
func (m *marker) reached(all []*Manifest) (stay, left []*Manifest) {
	for _, e := range all {
		if m.blobs[e.Digest] != unused || m.blobs[e.Subject] != unused {
			stay = append(stay, e)
		} else {
			left = append(left, e)
		}
	}
	return stay, left
}
