package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"chartserve/internal/chart"
)

// What Helm has in a registry (pkg/registry/constants.go): a manifest with the
// chart's metadata as its configuration, and the archive and its provenance as
// layers.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	helmConfig     = "application/vnd.cncf.helm.config.v1+json"
	helmChart      = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	helmChartOld   = "application/tar+gzip"
	helmProvenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"
)

// Bounds of what a registry may send besides the archives.
const (
	maxManifest = 4 << 20 // bytes, as registries bound it
	maxConfig   = 1 << 20 // bytes, as of a Chart.yaml
	maxTagPages = 1000
	maxTags     = 100_000
)

// OCIChart is one version of a chart in a registry.
type OCIChart struct {
	Metadata *chart.Metadata
	Digest   string    // SHA-256 of the archive, in hex
	Size     int64     // of the archive, in bytes
	ProvSize int64     // of its provenance, in bytes; zero: there is none
	Created  time.Time // as the manifest's annotation has it; zero: it has none

	prov string // SHA-256 of the provenance, in hex
}

// Manifest describes what the registry has of the chart at
// oci://host[:port]/path/chart in that version. Without a version the address ends in
// one, ":1.0.0", or in the manifest's digest, "@sha256:...". Every digest is compared.
func (c *Client) Manifest(ctx context.Context, address, version string) (*OCIChart, error) {
	r, err := c.registryAt(address)
	if err != nil {
		return nil, err
	}
	o, err := r.manifest(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s: %w", r, version, err)
	}
	return o, nil
}

func (r *registryRepository) manifest(ctx context.Context, version string) (*OCIChart, error) {
	named := r.Reference
	named.Reference = cmp.Or(strings.ReplaceAll(version, "+", "_"), r.Reference.Reference)
	if err := named.ValidateReference(); named.Reference == "" || err != nil {
		return nil, fmt.Errorf("%w: %.100q is no version that a registry can have", ErrAddress, named.Reference)
	}
	at := r.address("manifests/" + named.Reference)
	repository := r.remote()
	desc, body, err := repository.FetchReference(ctx, named.Reference)
	switch {
	case gone(err):
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	case err != nil:
		return nil, digestError(err)
	}
	data, err := content.ReadAll(body, desc)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w: %w", at, ErrDigest, err)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("GET %s: %w: not a manifest: %w", at, errNoChart, err)
	}
	o, err := findChart(&m)
	if err != nil {
		return nil, err
	}
	if m.Config.Size > maxConfig {
		return nil, fmt.Errorf("GET %s: its configuration is %w", at, tooLarge(maxConfig))
	}
	if data, err = content.FetchAll(ctx, repository.Blobs(), m.Config); err != nil {
		return nil, digestError(err)
	}
	if o.Metadata, _, err = chart.ParseMetadata(data); err != nil {
		return nil, fmt.Errorf("GET %s: %w", r.address("blobs/"+m.Config.Digest.String()), err)
	}
	return o, nil
}

// digestError returns err where that is a failed request. All else is a finding of
// oras-go, that an answer is not the one that its digest or size promises.
func digestError(err error) error {
	var failed *requestError
	if errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDigest, err)
}

// findChart finds the chart in a manifest.
func findChart(m *ocispec.Manifest) (*OCIChart, error) {
	if m.Config.MediaType != helmConfig {
		return nil, fmt.Errorf("%w: its configuration is %.100q, and that of a chart %q", errNoChart, m.Config.MediaType, helmConfig)
	}
	o := &OCIChart{}
	for _, l := range m.Layers {
		digest, err := readDigest(l.Digest.String())
		switch {
		case l.MediaType != helmChart && l.MediaType != helmChartOld && l.MediaType != helmProvenance:
		case err != nil || digest == "" || l.Size <= 0:
			return nil, fmt.Errorf("%w: a layer of %d bytes with digest %.80q", errNoChart, l.Size, l.Digest)
		case l.MediaType == helmProvenance:
			o.prov, o.ProvSize = digest, l.Size
		case o.Digest != "":
			return nil, fmt.Errorf("%w: it has two archives", errNoChart)
		default:
			o.Digest, o.Size = digest, l.Size
		}
	}
	if o.Digest == "" {
		return nil, fmt.Errorf("%w: it has no archive", errNoChart)
	}
	if digest, err := readDigest(m.Config.Digest.String()); err != nil || digest == "" {
		return nil, fmt.Errorf("%w: its configuration has the digest %.80q", errNoChart, m.Config.Digest)
	}
	if t, err := time.Parse(time.RFC3339, m.Annotations[ocispec.AnnotationCreated]); err == nil {
		o.Created = t
	}
	return o, nil
}

// SaveOCI writes the archive of o into the file archive, and its provenance, if
// there is one, into prov, unless that is nil: each from the file's start, in place
// of what it had. Sizes and digests are those of the manifest, else the error is of
// kind ErrDigest. Downloads go on where they stopped as in Save; Options.MaxArchive
// bounds them.
func (c *Client) SaveOCI(ctx context.Context, address string, o *OCIChart, archive, prov *os.File) error {
	r, err := c.registryAt(address)
	if err != nil {
		return err
	}
	if err = c.blob(ctx, r, o.Digest, o.Size, fileSink{archive}); err == nil && o.ProvSize > 0 && prov != nil {
		err = c.blob(ctx, r, o.prov, o.ProvSize, fileSink{prov})
	}
	if err != nil {
		return fmt.Errorf("chart %s: %w", r, err)
	}
	return nil
}

// blob downloads a blob of that size and SHA-256.
func (c *Client) blob(ctx context.Context, r *registryRepository, digest string, size int64, to sink) error {
	if size > c.opts.MaxArchive {
		return tooLarge(c.opts.MaxArchive)
	}
	at := r.address("blobs/sha256:" + digest)
	d, err := c.download(ctx, request{address: at, registry: r, limit: size, exact: true, immutable: true, progress: c.opts.Progress}, to)
	switch {
	case errors.Is(err, chart.ErrLimit):
		return fmt.Errorf("GET %s: %w: more than the %d bytes that the manifest has", at, ErrDigest, size)
	case err != nil:
		return err
	case d.size != size || d.digest() != digest:
		return fmt.Errorf("GET %s: %w: %d bytes with the SHA-256 %s, the manifest has %d and %s", at, ErrDigest, d.size, d.digest(), size, digest)
	}
	return nil
}
