package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"

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
	l    *Layout
	name string
	used map[digest.Digest]bool // true: what it mentions is used too
}

func (m *marker) mark(all []*Manifest) error {
	for _, e := range all {
		if err := m.manifest(e.Digest); err != nil {
			return err
		}
	}
	return nil
}

// manifest marks a manifest, what it mentions, and the manifests of an index with theirs. The
// error is that one can't be read; one that is not there mentions nothing.
func (m *marker) manifest(d digest.Digest) error {
	if m.used[d] {
		return nil
	}
	m.used[d] = true
	file, err := blobOf(m.name, d)
	if err != nil {
		return err
	}
	data, err := m.l.ReadFile(file, maxIndex) // another tool's may be larger than MaxManifest
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, other := range mentioned(data) {
		m.used[other] = m.used[other]
	}
	for _, child := range children(data) {
		if err := m.manifest(child); err != nil {
			return err
		}
	}
	return nil
}

// reached splits entries: those in use have their manifest marked, or their subject.
func (m *marker) reached(all []*Manifest) (used, unused []*Manifest) {
	for _, e := range all {
		_, marked := m.used[e.Digest]
		if _, referrer := m.used[e.Subject]; marked || referrer {
			used = append(used, e)
		} else {
			unused = append(unused, e)
		}
	}
	return used, unused
}
