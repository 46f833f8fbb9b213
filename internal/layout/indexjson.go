package layout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Annotations of an entry, beside that of its tag.
const (
	subjectKey = "chartserve.subject"
	archiveKey = "chartserve.archive"
)

var archiveForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// decode reads an index.json. What has no digest, or one that blobs can't have, is left out.
func decode(data []byte) ([]*Manifest, error) {
	var f struct {
		SchemaVersion int               `json:"schemaVersion"`
		Manifests     []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.SchemaVersion != 2 {
		return nil, fmt.Errorf("schemaVersion is %d: only 2 is an image index", f.SchemaVersion)
	}
	all := make([]*Manifest, 0, len(f.Manifests))
	for i, raw := range f.Manifests {
		var d v1.Descriptor
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("manifests[%d]: %w", i, err)
		}
		if IsDigest(d.Digest) && d.Size >= 0 {
			all = append(all, manifestOf(d, raw))
		}
	}
	return all, nil
}

func manifestOf(d v1.Descriptor, raw []byte) *Manifest {
	m := &Manifest{Digest: d.Digest, MediaType: d.MediaType, ArtifactType: d.ArtifactType, Size: d.Size}
	if tag := d.Annotations[v1.AnnotationRefName]; IsTag(tag) {
		m.Tag = tag
	}
	if subject := digest.Digest(d.Annotations[subjectKey]); IsDigest(subject) {
		m.Subject = subject
	}
	if archive := d.Annotations[archiveKey]; archiveForm.MatchString(archive) {
		m.Archive = archive
	}
	m.raw = raw
	return m
}

// written is m with its descriptor, on one line.
func (m Manifest) written() *Manifest {
	d := v1.Descriptor{Digest: m.Digest, MediaType: m.MediaType, ArtifactType: m.ArtifactType, Size: m.Size, Annotations: map[string]string{}}
	for key, value := range map[string]string{v1.AnnotationRefName: m.Tag, subjectKey: string(m.Subject), archiveKey: m.Archive} {
		if value != "" {
			d.Annotations[key] = value
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and a number
	}
	m.raw = data
	return &m
}

// encode is an index.json of these entries, one a line.
func encode(all []*Manifest) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"schemaVersion":2,"mediaType":%q,"manifests":[`, v1.MediaTypeImageIndex)
	for i, m := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(m.raw)
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

// layoutText is what oci-layout holds.
func layoutText() []byte {
	return fmt.Appendf(nil, "{%q:%q}\n", "imageLayoutVersion", v1.ImageLayoutVersion)
}
