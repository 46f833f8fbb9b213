package oci

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
)

// maxReferrers bounds the manifests that one list of referrers is made of, in bytes: their
// annotations are in it.
const maxReferrers = 4 << 20

// Referrers returns the manifests whose subject has that digest, in the order of their
// digests, from behind last on; of one artifact type, if artifactType is not empty. more
// reports whether there are others behind them.
func (r Registry) Referrers(name string, d digest.Digest, artifactType, last string) (all []ocispec.Descriptor, more bool, err error) {
	l, c, err := r.content(name)
	if err != nil {
		return nil, false, err
	}
	list := slices.Clone(c.Referrers(d))
	slices.SortFunc(list, func(a, b *layout.Manifest) int { return cmp.Compare(a.Digest, b.Digest) })
	var size int64
	for _, m := range list {
		other := artifactType != "" && m.ArtifactType != "" && m.ArtifactType != artifactType
		if string(m.Digest) <= last || other || !r.holds(m) {
			continue
		}
		one, err := referrer(l, name, m)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, false, err
		case artifactType != "" && one.ArtifactType != artifactType:
			continue
		}
		if size += m.Size; size > maxReferrers && len(all) > 0 {
			return all, true, nil
		}
		all = append(all, one)
	}
	return all, false, nil
}

// referrer is what a list of referrers says of a manifest.
func referrer(l *layout.Layout, name string, m *layout.Manifest) (ocispec.Descriptor, error) {
	d := ocispec.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size}
	data, err := readManifest(l, name, m)
	if err != nil {
		return d, err
	}
	var said struct {
		ArtifactType string             `json:"artifactType"`
		Config       ocispec.Descriptor `json:"config"`
		Annotations  map[string]string  `json:"annotations"`
	}
	err = json.Unmarshal(data, &said)
	d.ArtifactType, d.Annotations = cmp.Or(said.ArtifactType, said.Config.MediaType), said.Annotations
	return d, err
}
