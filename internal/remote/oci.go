package remote

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

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

// Tags are the versions of the chart at oci://host[:port]/path/chart, newest
// first. What a tag has as "_" is "+" in a version; tags that are no versions, such
// as latest, are left out.
func (c *Client) Tags(ctx context.Context, address string) ([]string, error) {
	r, err := c.registryAt(address)
	if err != nil {
		return nil, err
	}
	versions, err := c.tags(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("tags of %s: %w", r, err)
	}
	return versions, nil
}

func (c *Client) tags(ctx context.Context, r *registryRepository) ([]string, error) {
	var versions []string
	at := r.at("tags", "list")
	for range maxTagPages {
		a, err := c.get(ctx, request{address: at, registry: r, limit: maxManifest})
		if err != nil {
			return nil, err
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return nil, fmt.Errorf("GET %s: not a list of tags: %w", at, err)
		}
		for _, tag := range page.Tags {
			if v := strings.ReplaceAll(tag, "_", "+"); isVersion(v) {
				versions = append(versions, v)
			}
		}
		if len(versions) > maxTags {
			break
		}
		next, more := nextPage(at.url, a.link)
		if !more {
			slices.SortFunc(versions, func(a, b string) int { return chart.CompareVersions(b, a) })
			return slices.Compact(versions), nil
		}
		at.url = next
	}
	return nil, &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("more than the %d tags, or the %d pages of them, that are read", maxTags, maxTagPages)}
}

// isVersion tells versions from tags such as "1.2", which move.
func isVersion(s string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	return err == nil
}

// nextPage is where a list goes on (RFC 8288, in the one form that registries
// use). A list that goes on at another host ends.
func nextPage(at *url.URL, link string) (*url.URL, bool) {
	ref, found := strings.CutPrefix(strings.TrimSpace(link), "<")
	ref, params, closed := strings.Cut(ref, ">")
	if !found || !closed || !strings.Contains(params, "next") {
		return nil, false
	}
	next, err := at.Parse(ref)
	if err != nil || !sameOrigin(next, at) || next.User != nil || next.String() == at.String() {
		return nil, false
	}
	return next, true
}

// Manifest is what the registry has of the chart at oci://host[:port]/path/chart
// in that version. Without a version the address ends in one, ":1.0.0", or in the
// manifest's digest, "@sha256:...". Every digest is compared.
func (c *Client) Manifest(ctx context.Context, address, version string) (*OCIChart, error) {
	r, err := c.registryAt(address)
	if err != nil {
		return nil, err
	}
	o, err := c.manifest(ctx, r, version)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s: %w", r, version, err)
	}
	return o, nil
}

// manifest is what an OCI registry answers for an image.
type manifest struct {
	MediaType   string            `json:"mediaType"`
	Config      descriptor        `json:"config"`
	Layers      []descriptor      `json:"layers"`
	Annotations map[string]string `json:"annotations"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

func (c *Client) manifest(ctx context.Context, r *registryRepository, version string) (*OCIChart, error) {
	ref := cmp.Or(strings.ReplaceAll(version, "+", "_"), r.Reference.Reference)
	named := r.Reference
	named.Reference = ref
	if err := named.ValidateReference(); ref == "" || err != nil {
		return nil, fmt.Errorf("%w: %.100q is no version that a registry can have", ErrAddress, ref)
	}
	at := r.at("manifests", ref)
	a, err := c.get(ctx, request{address: at, registry: r, limit: maxManifest, accept: ociManifest + ", " + dockerManifest})
	switch {
	case gone(err):
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	case err != nil:
		return nil, err
	}
	if digest, ok := strings.CutPrefix(ref, "sha256:"); ok {
		if err := promised(a.body, digest); err != nil {
			return nil, fmt.Errorf("GET %s: %w", at, err)
		}
	}
	var m manifest
	if err := json.Unmarshal(a.body, &m); err != nil {
		return nil, fmt.Errorf("GET %s: %w: not a manifest: %w", at, errNoChart, err)
	}
	return c.readManifest(ctx, r, &m)
}

// readManifest finds the chart in a manifest, and reads its metadata.
func (c *Client) readManifest(ctx context.Context, r *registryRepository, m *manifest) (*OCIChart, error) {
	if m.Config.MediaType != helmConfig {
		return nil, fmt.Errorf("%w: its configuration is %.100q, and that of a chart %q", errNoChart, m.Config.MediaType, helmConfig)
	}
	o := &OCIChart{}
	for _, l := range m.Layers {
		digest, err := readDigest(l.Digest)
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
	if t, err := time.Parse(time.RFC3339, m.Annotations[createdKey]); err == nil {
		o.Created = t
	}
	digest, err := readDigest(m.Config.Digest)
	if err != nil || digest == "" {
		return nil, fmt.Errorf("%w: its configuration has the digest %.80q", errNoChart, m.Config.Digest)
	}
	at := r.at("blobs", "sha256:"+digest)
	a, err := c.get(ctx, request{address: at, registry: r, limit: maxConfig, exact: true})
	if err != nil {
		return nil, err
	}
	if err := promised(a.body, digest); err != nil {
		return nil, fmt.Errorf("GET %s: %w", at, err)
	}
	if o.Metadata, _, err = chart.ParseMetadata(a.body); err != nil {
		return nil, fmt.Errorf("GET %s: %w", at, err)
	}
	return o, nil
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
