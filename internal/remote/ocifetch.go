package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"oras.land/oras-go/v2/errdef"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Tags returns the versions of the chart at oci://host[:port]/path/chart, newest
// first. What a tag has as "_" is "+" in a version; tags that are no versions, such
// as latest, are left out.
func (c *Client) Tags(ctx context.Context, address string) ([]string, error) {
	r, err := c.registryAt(address)
	if err != nil {
		return nil, err
	}
	versions, err := r.versions(ctx)
	if gone(err) {
		err = fmt.Errorf("%w (an oci:// address leads to one chart: it ends in the chart's name)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("tags of %s: %w", r, err)
	}
	return versions, nil
}

func (r *registryRepository) versions(ctx context.Context) ([]string, error) {
	tooMany := &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("more than the %d tags, or the %d pages of them, that are read", maxTags, maxTagPages)}
	var versions []string
	err := r.remote().Tags(ctx, "", func(tags []string) error {
		for _, tag := range tags {
			if v := strings.ReplaceAll(tag, "_", "+"); isVersion(v) {
				versions = append(versions, v)
			}
		}
		if len(versions) > maxTags {
			return tooMany
		}
		return nil
	})
	switch {
	case errors.Is(err, errdef.ErrTooManyPages):
		return nil, tooMany
	case err != nil:
		return nil, err
	}
	slices.SortFunc(versions, func(a, b string) int { return chart.CompareVersions(b, a) })
	return slices.Compact(versions), nil
}

// isVersion reports whether s is a version and not a tag such as "1.2", which moves.
func isVersion(s string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	return err == nil
}

// fetchOCI is Fetch where the repository is oci://host/path: as for Helm, the chart
// is one level below it. A constraint that is a version needs no list of tags.
func (c *Client) fetchOCI(ctx context.Context, repository, name string, constraint *semver.Constraints) ([]byte, error) {
	r, err := c.registryAt(strings.TrimRight(repository, "/") + "/" + name)
	if err != nil {
		return nil, err
	}
	if version := constraint.String(); isVersion(version) {
		data, err := c.pull(ctx, r, version)
		if !errors.Is(err, ErrNotFound) {
			return data, err
		}
	}
	versions, err := r.versions(ctx)
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
	return c.pull(ctx, r, e.Version)
}

// pull downloads the archive of one version; empty: of the one that r names.
func (c *Client) pull(ctx context.Context, r *registryRepository, version string) ([]byte, error) {
	o, err := r.manifest(ctx, version)
	if err != nil {
		return nil, err
	}
	var archive memorySink
	if err := c.blob(ctx, r, o.Digest, o.Size, &archive); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
