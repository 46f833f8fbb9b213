package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Fetch gives the archive of the newest version of the chart name that meets the
// constraint, from the repository at an HTTP or HTTPS address, or at oci://host/path. The version is the
// one that Helm would take: one that is spelled exactly as the constraint, else
// the newest, and prereleases only where the constraint asks for them.
//
// The bytes have the digest that the index names; where it names none, nothing is
// compared. Errors name the repository, the chart, the constraint, and what there
// is instead; their kinds are those of this package.
func (c *Client) Fetch(ctx context.Context, repository, name string, constraint *semver.Constraints) ([]byte, error) {
	if isOCI(repository) {
		data, err := c.fetchOCI(ctx, repository, name, constraint)
		if err != nil {
			return nil, fmt.Errorf("chart %s %q from %s: %w", name, constraint, chart.ShowAddress(repository), err)
		}
		return data, nil
	}
	at, err := parseRepository(repository)
	if err == nil {
		var data []byte
		if data, err = c.fetch(ctx, at, name, constraint); err == nil {
			return data, nil
		}
		return nil, fmt.Errorf("chart %s %q from %s: %w", name, constraint, at, err)
	}
	return nil, fmt.Errorf("chart %s %q: %w", name, constraint, err)
}

func (c *Client) fetch(ctx context.Context, at address, name string, constraint *semver.Constraints) ([]byte, error) {
	f, fresh, err := c.index(ctx, at, c.opts.IndexAge)
	if err != nil {
		return nil, err
	}
	e, err := choose(f, name, constraint)
	if err != nil {
		return nil, err
	}
	data, err := c.download(ctx, at, e)
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
	return c.download(ctx, at, now)
}

// Download gives the archive of an entry of the repository's index, byte for byte.
// Digests are compared as in Fetch.
func (c *Client) Download(ctx context.Context, repository string, e *index.Entry) ([]byte, error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, err
	}
	data, err := c.download(ctx, at, e)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s from %s: %w", e.Name, e.Version, at, err)
	}
	return data, nil
}

func (c *Client) download(ctx context.Context, at address, e *index.Entry) ([]byte, error) {
	want, err := readDigest(e.Digest)
	if err != nil {
		return nil, err
	}
	if isOCI(e.URL) {
		return c.downloadOCI(ctx, e, want)
	}
	target, err := at.resolve(e.URL)
	if err != nil {
		return nil, err
	}
	var archive memorySink
	_, got, err := c.save(ctx, request{address: target, limit: c.opts.MaxArchive, exact: true}, &archive)
	switch {
	case err != nil:
		return nil, err
	case want == "":
		c.opts.Logger.Warn("the index names no digest for a chart: the download can't be verified",
			"chart", e.Name, "version", e.Version, "url", target.String())
	case got != want:
		return nil, fmt.Errorf("GET %s: %w: its SHA-256 is %s, the index has %s", target, ErrDigest, got, want)
	}
	return archive.Bytes(), nil
}

// readDigest returns a digest of an index as 64 small hex digits; empty stays empty.
func readDigest(s string) (string, error) {
	digest, ok := chart.ParseDigest(s)
	if s != "" && !ok {
		return "", fmt.Errorf("%w: the index has %.80q, which is not a SHA-256", ErrDigest, s)
	}
	return digest, nil
}
