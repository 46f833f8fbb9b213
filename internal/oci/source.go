package oci

import (
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/repo"
)

// imageKey is the ETags of an archive and of its provenance.
type imageKey struct{ archive, prov string }

// image is what stands for an archive in a registry.
type image struct {
	name                   string
	config, manifest, prov blob
}

func (m *image) has(d digest.Digest) bool {
	return m.manifest.digest == d || m.config.digest == d || m.prov.digest == d
}

// blob is a blob's digest and its size in bytes.
type blob struct {
	digest digest.Digest
	size   int64
}

func blobOf(data []byte) blob { return blob{digest.FromBytes(data), int64(len(data))} }

// as is the descriptor of a blob.
func (b blob) as(mediaType string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: b.digest, Size: b.size}
}

// source is an archive with what an image is made of.
type source struct {
	archive, prov *repo.File // prov is nil where there is none
	current       bool
	metadata      func() (*chart.Metadata, error)
}

func currentOf(v *repo.View, version *repo.Version) *source {
	s := &source{archive: version.Archive, current: true, metadata: version.Entry.Metadata}
	s.prov, _ = v.File(version.Archive.Name + ".prov")
	return s
}

// replacedOf reads what the index once said from the archive.
func replacedOf(v *repo.View, f *repo.File) *source {
	s := &source{archive: f, metadata: func() (*chart.Metadata, error) { return v.Metadata(f) }}
	s.prov, _ = v.File(f.Name + ".prov")
	return s
}

// image makes what stands for an archive, or remembers it.
func (c *Charts) image(v *repo.View, s *source) (*image, error) {
	key := imageKey{archive: s.archive.ETag}
	if s.prov != nil {
		key.prov = s.prov.ETag
	}
	if m := c.remembered(key); m != nil {
		return m, nil
	}
	if !s.current {
		c.reading.Lock()
		defer c.reading.Unlock()
		if m := c.remembered(key); m != nil {
			return m, nil
		}
	}
	m, _, err := s.make(v)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.images == nil || len(c.images) >= maxImages {
		c.images, c.hints = map[imageKey]*image{}, map[digest.Digest]string{}
	}
	c.images[key] = m
	for _, b := range []blob{m.manifest, m.config, m.prov} {
		c.hints[b.digest] = s.archive.ETag
	}
	return m, nil
}

func (c *Charts) remembered(key imageKey) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.images[key]
}

// make makes an image, and the bytes of its manifest.
func (s *source) make(v *repo.View) (*image, []byte, error) {
	md, err := s.metadata()
	if err != nil {
		return nil, nil, err
	}
	config, err := configOf(md)
	if err != nil {
		return nil, nil, err
	}
	m := &image{name: strings.Clone(md.Name), config: blobOf(config)}
	layers := []ocispec.Descriptor{blob{digestOf(s.archive), s.archive.Size}.as(ChartType)}
	if s.prov != nil {
		if m.prov, err = provenanceOf(v, s.prov); err != nil {
			return nil, nil, err
		}
		layers = append(layers, m.prov.as(ProvenanceType))
	}
	manifest, err := manifestOf(md, m.config.as(ConfigType), layers)
	m.manifest = blobOf(manifest)
	return m, manifest, err
}

// config makes the bytes of its config.
func (s *source) config() ([]byte, error) {
	md, err := s.metadata()
	if err != nil {
		return nil, err
	}
	return configOf(md)
}

// manifest is that of the image that was made of s.
func (s *source) manifest(v *repo.View, m *image) *Found {
	return &Found{MediaType: ocispec.MediaTypeImageManifest, Digest: m.manifest.digest, Size: m.manifest.size, Make: func() ([]byte, error) {
		_, data, err := s.make(v)
		return data, err
	}}
}

func digestOf(f *repo.File) digest.Digest {
	return digest.NewDigestFromEncoded(digest.SHA256, strings.Trim(f.ETag, `"`))
}

// provenanceOf reads a provenance that was replaced: its ETag is made of the archive's.
func provenanceOf(v *repo.View, f *repo.File) (blob, error) {
	b := blob{digestOf(f), f.Size}
	if b.digest.Validate() == nil {
		return b, nil
	}
	file, err := v.Open(f)
	if err != nil {
		return b, err
	}
	defer file.Close()
	hex, _, err := chart.DigestOf(file)
	b.digest = digest.NewDigestFromEncoded(digest.SHA256, hex)
	return b, err
}
