package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Fetch downloads the archive of the newest version of the chart name that meets the
// constraint, from the repository at an HTTP or HTTPS address or at oci://host/path.
// The version is the one that Helm would take: one that is spelled exactly as the
// constraint, else the newest, and prereleases only where the constraint asks for
// them.
//
// Credentials stand in the address or in Options.Logins. The bytes have the digest
// that the index or the manifest names; where an index names none, nothing is
// compared. Errors name the repository, the chart, the constraint, and what there is
// instead; their kinds are those of this package.
func (c *Client) Fetch(ctx context.Context, repository, name string, constraint *semver.Constraints) ([]byte, error) {
	from := c.fetchHTTP
	if isOCI(repository) {
		from = c.fetchOCI
	}
	data, err := from(ctx, repository, name, constraint)
	if err != nil {
		return nil, fmt.Errorf("chart %s %q from %s: %w", name, constraint, chart.ShowAddress(repository), err)
	}
	return data, nil
}

func (c *Client) fetchHTTP(ctx context.Context, repository, name string, constraint *semver.Constraints) ([]byte, error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, err
	}
	f, fresh, err := c.index(ctx, at, c.opts.IndexAge)
	if err != nil {
		return nil, err
	}
	e, err := choose(f, name, constraint)
	if err != nil {
		return nil, err
	}
	data, err := c.fetchEntry(ctx, at, e)
	if err == nil || fresh || !(errors.Is(err, ErrDigest) || gone(err)) {
		return data, err
	}
	// The repository may have replaced the archive since its index was read: live
	// ones, such as another chartserve, do that at every edit.
	f, _, again := c.index(ctx, at, 0)
	if again != nil {
		return nil, err
	}
	now, again := choose(f, name, constraint)
	if again != nil || (now.Version == e.Version && now.URL == e.URL && now.Digest == e.Digest) {
		return nil, err
	}
	return c.fetchEntry(ctx, at, now)
}

// fetchEntry downloads what an entry of an index leads to.
func (c *Client) fetchEntry(ctx context.Context, at address, e *index.Entry) ([]byte, error) {
	want, err := readDigest(e.Digest)
	if err != nil {
		return nil, err
	}
	data, where, err := c.follow(ctx, at, e)
	digest := chart.Digest(data)
	switch {
	case err != nil:
		return nil, err
	case want == "" && !isOCI(e.URL):
		c.opts.Logger.Warn("the index names no digest for a chart: the download can't be verified",
			"chart", e.Name, "version", e.Version, "url", where)
	case want != "" && digest != want:
		return nil, fmt.Errorf("%s: %w: its SHA-256 is %s, the index has %s", where, ErrDigest, digest, want)
	}
	return data, nil
}

// follow downloads from an entry's URL, which may lead to a registry, as in some
// public indexes. where is the address for errors.
func (c *Client) follow(ctx context.Context, at address, e *index.Entry) (data []byte, where string, err error) {
	if isOCI(e.URL) {
		r, err := c.registryAt(e.URL)
		if err != nil {
			return nil, "", err
		}
		version := ""
		if r.Reference.Reference == "" {
			version = e.Version
		}
		data, err = c.pull(ctx, r, version)
		return data, r.String(), err
	}
	target, err := at.resolve(e.URL)
	if err != nil {
		return nil, "", err
	}
	data, _, err = c.read(ctx, request{address: target, limit: c.opts.MaxArchive, exact: true, progress: c.opts.Progress})
	return data, "GET " + target.String(), err
}

// readDigest returns a digest of an index as 64 small hex digits; empty stays empty.
func readDigest(s string) (string, error) {
	digest, ok := chart.ParseDigest(s)
	if s != "" && !ok {
		return "", fmt.Errorf("%w: the index has %.80q, which is not a SHA-256", ErrDigest, s)
	}
	return digest, nil
}
