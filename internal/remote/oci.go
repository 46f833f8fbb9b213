package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"chartserve/internal/chart"
)

// What Helm keeps in a registry (pkg/registry/constants.go): a manifest with the
// chart's metadata as its configuration, and the archive and its provenance as
// layers.
const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	helmConfig     = "application/vnd.cncf.helm.config.v1+json"
	helmChart      = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	helmChartOld   = "application/tar+gzip"
	helmProvenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"
	createdKey     = "org.opencontainers.image.created"
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

// promised compares a digest, in hex.
func promised(body []byte, digest string) error {
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != digest {
		return fmt.Errorf("%w: its SHA-256 is %s, and not %s", ErrDigest, got, digest)
	}
	return nil
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
	if err = c.saveBlob(ctx, r, o.Digest, o.Size, fileSink{archive}); err == nil && o.ProvSize > 0 && prov != nil {
		err = c.saveBlob(ctx, r, o.prov, o.ProvSize, fileSink{prov})
	}
	if err != nil {
		return fmt.Errorf("chart %s: %w", r, err)
	}
	return nil
}

// saveRef is Save for an address in a registry, which has a tag or a digest.
func (c *Client) saveRef(ctx context.Context, address string, f *os.File, limit int64) (int64, string, error) {
	o, err := c.Manifest(ctx, address, "")
	switch {
	case err != nil:
		return 0, "", err
	case o.Size > limit:
		return 0, "", fmt.Errorf("chart %s: %w", chart.ShowAddress(address), tooLarge(limit))
	}
	if err := c.SaveOCI(ctx, address, o, f, nil); err != nil {
		return 0, "", err
	}
	return o.Size, o.Digest, nil
}

func (c *Client) saveBlob(ctx context.Context, r *registryRepository, digest string, size int64, to sink) error {
	if size > c.opts.MaxArchive {
		return tooLarge(c.opts.MaxArchive)
	}
	at := r.at("blobs", "sha256:"+digest)
	got, sum, err := c.save(ctx, request{address: at, registry: r, limit: size, exact: true, immutable: true}, to)
	switch {
	case errors.Is(err, chart.ErrLimit):
		return fmt.Errorf("GET %s: %w: more than the %d bytes that the manifest has", at, ErrDigest, size)
	case err != nil:
		return err
	case got != size || sum != digest:
		return fmt.Errorf("GET %s: %w: %d bytes with the SHA-256 %s, the manifest has %d and %s", at, ErrDigest, got, sum, size, digest)
	}
	return nil
}
