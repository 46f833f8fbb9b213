package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chartserve/internal/chart"
)

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
