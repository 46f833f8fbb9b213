package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
)

// The media types of Docker's clients.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// ErrManifest is a manifest that no client could use. What it wraps says why.
var ErrManifest = errors.New("manifest invalid")

// Manifest is an image manifest or an image index, in OCI's form or Docker's.
type Manifest struct {
	SchemaVersion int                   `json:"schemaVersion"`
	MediaType     string                `json:"mediaType"`
	ArtifactType  string                `json:"artifactType"`
	Config        *ocispec.Descriptor   `json:"config"`
	Layers        []ocispec.Descriptor  `json:"layers"`
	Manifests     *[]ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor   `json:"subject"`
	Annotations   map[string]string     `json:"annotations"`
}

// ParseManifest reads a manifest that was sent as mediaType, which is empty where the
// client did not say. The error is an ErrManifest.
func ParseManifest(mediaType string, data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := m.check(mediaType); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return m, nil
}

func (m *Manifest) check(mediaType string) error {
	switch {
	case m.MediaType == "":
		m.MediaType = mediaType
	case mediaType != "" && mediaType != m.MediaType:
		return fmt.Errorf("it was sent as %s and says that it is %s", mediaType, m.MediaType)
	}
	if m.SchemaVersion != 2 {
		return fmt.Errorf("schemaVersion %d: only 2 is taken", m.SchemaVersion)
	}
	// A document that can be read as both means different things to different clients
	// (CVE-2021-41190).
	switch m.MediaType {
	case ocispec.MediaTypeImageManifest, dockerManifest:
		if m.Config == nil || m.Manifests != nil {
			return errors.New("an image manifest has config and layers, and no manifests")
		}
	case ocispec.MediaTypeImageIndex, dockerIndex:
		if m.Manifests == nil || m.Config != nil || m.Layers != nil {
			return errors.New("an index has manifests, and neither config nor layers")
		}
	case "":
		return errors.New("nothing says its media type: send Content-Type")
	default:
		return fmt.Errorf("media type %s: write %s or %s", m.MediaType, ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex)
	}
	for _, d := range m.all() {
		if !layout.IsDigest(d.Digest) || d.Size < 0 {
			return fmt.Errorf("digest %q, size %d: a descriptor has a sha256 or sha512 digest, and a size", d.Digest, d.Size)
		}
	}
	return nil
}

// all are the descriptors of m.
func (m *Manifest) all() []ocispec.Descriptor {
	all := slices.Clone(m.Layers)
	if m.Manifests != nil {
		all = append(all, *m.Manifests...)
	}
	for _, d := range []*ocispec.Descriptor{m.Config, m.Subject} {
		if d != nil {
			all = append(all, *d)
		}
	}
	return all
}

// kind is the artifact type that a list of referrers gives of m.
func (m *Manifest) kind() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

// blobs are the config and the layers that a registry has to have, each once. Of an index
// there are none: one whose platforms were mirrored in part is taken.
func (m *Manifest) blobs() []ocispec.Descriptor {
	var all []ocispec.Descriptor
	if m.Config != nil {
		all = append(all, *m.Config)
	}
	type blob struct {
		digest digest.Digest
		size   int64
	}
	seen := map[blob]bool{}
	return slices.DeleteFunc(append(all, m.Layers...), func(d ocispec.Descriptor) bool {
		b := blob{d.Digest, d.Size}
		if seen[b] || elsewhere(d.MediaType) {
			return true
		}
		seen[b] = true
		return false
	})
}

// elsewhere reports whether layers of a media type may be left where they are.
func elsewhere(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.oci.image.layer.nondistributable.") ||
		strings.HasPrefix(mediaType, "application/vnd.docker.image.rootfs.foreign.")
}
