package oci

import (
	"encoding/json"
	"errors"
	"fmt"
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

// descriptor is what is read of those of layers and manifests.
type descriptor struct {
	MediaType string        `json:"mediaType"`
	Digest    digest.Digest `json:"digest"`
	Size      int64         `json:"size"`
}

func short(d *ocispec.Descriptor) descriptor { return descriptor{d.MediaType, d.Digest, d.Size} }

func (d descriptor) check() error {
	if !layout.IsDigest(d.Digest) || d.Size < 0 {
		return fmt.Errorf("digest %q, size %d: a descriptor has a sha256 or sha512 digest, and a size", d.Digest, d.Size)
	}
	return nil
}

// descriptors is a list of them, which is read up to the first bad one: a manifest of "{}"
// alone would take a hundred times its size.
type descriptors []descriptor

func (list *descriptors) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return errors.New("layers and manifests are lists")
	}
	*list = descriptors{}
	for decoder.More() {
		var d descriptor
		err := decoder.Decode(&d)
		if err == nil {
			err = d.check()
		}
		if err != nil {
			return err
		}
		*list = append(*list, d)
	}
	return nil
}

// Manifest is an image manifest or an image index, in OCI's form or Docker's.
type Manifest struct {
	SchemaVersion int                 `json:"schemaVersion"`
	MediaType     string              `json:"mediaType"`
	ArtifactType  string              `json:"artifactType"`
	Config        *ocispec.Descriptor `json:"config"`
	Layers        descriptors         `json:"layers"`
	Manifests     *descriptors        `json:"manifests"`
	Subject       *ocispec.Descriptor `json:"subject"`
	Annotations   map[string]string   `json:"annotations"`
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
	for _, d := range []*ocispec.Descriptor{m.Config, m.Subject} {
		if d != nil {
			if err := short(d).check(); err != nil {
				return err
			}
		}
	}
	return nil
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
func (m *Manifest) blobs() []descriptor {
	var all []descriptor
	seen := map[descriptor]bool{}
	add := func(d descriptor) {
		if elsewhere(d.MediaType) {
			return
		}
		d.MediaType = ""
		if !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	if m.Config != nil {
		add(short(m.Config))
	}
	for _, d := range m.Layers {
		add(d)
	}
	return all
}

// elsewhere reports whether layers of a media type may be left where they are.
func elsewhere(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.oci.image.layer.nondistributable.") ||
		strings.HasPrefix(mediaType, "application/vnd.docker.image.rootfs.foreign.")
}
