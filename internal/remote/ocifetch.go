package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/index"
)

// fetchOCI is Fetch where the repository is oci://host/path: as for Helm, the chart
// is one level below it. A constraint that is a version needs no list of tags.
func (c *Client) fetchOCI(ctx context.Context, repository, name string, constraint *semver.Constraints) ([]byte, error) {
	r, err := c.registryAt(strings.TrimRight(repository, "/") + "/" + name)
	if err != nil {
		return nil, err
	}
	if version := constraint.String(); isVersion(version) {
		data, err := c.ociArchive(ctx, r, version)
		if !errors.Is(err, ErrNotFound) {
			return data, err
		}
	}
	versions, err := c.tags(ctx, r)
	if gone(err) {
		return nil, fmt.Errorf("%w: no chart has that name: %w", ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	var f index.File
	for _, v := range versions {
		f.Entries = append(f.Entries, &index.Entry{Name: name, Version: v})
	}
	e, err := choose(&f, name, constraint)
	if err != nil {
		return nil, err
	}
	return c.ociArchive(ctx, r, e.Version)
}

// ociArchive is the archive of one version; empty: of the one that r names.
func (c *Client) ociArchive(ctx context.Context, r *registryRepository, version string) ([]byte, error) {
	o, err := c.manifest(ctx, r, version)
	if err != nil {
		return nil, err
	}
	var archive memorySink
	if err := c.saveBlob(ctx, r, o.Digest, o.Size, &archive); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

// downloadOCI gets the archive of an entry whose URL leads to a registry, as those
// of some public indexes do. want is its digest, or empty: the manifest has one.
func (c *Client) downloadOCI(ctx context.Context, e *index.Entry, want string) ([]byte, error) {
	r, err := c.registryAt(e.URL)
	if err != nil {
		return nil, err
	}
	version := ""
	if r.Reference.Reference == "" {
		version = e.Version
	}
	data, err := c.ociArchive(ctx, r, version)
	if err != nil || want == "" {
		return data, err
	}
	if err := promised(data, want); err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return data, nil
}
