package remote

import (
	"context"
	"fmt"

	"chartserve/internal/index"
)

// IndexSince returns the index of the repository at an HTTP or HTTPS address, unless
// it is still the one that known stands for: then f is nil. now is to be known the
// next time. Each call asks the repository.
//
// Entries that Helm would not load are left out, as index.Decode does, and are
// listed in the File. The document is in memory while it is read, once where the
// server announces its length.
func (c *Client) IndexSince(ctx context.Context, repository string, known Validators) (f *index.File, now Validators, err error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, Validators{}, err
	}
	f, d, err := c.readIndex(ctx, at, known)
	if err != nil {
		return nil, Validators{}, fmt.Errorf("repository %s: %w", at, err)
	}
	now = validators(d.header)
	if d.unchanged && now == (Validators{}) {
		now = known // a 304 need not repeat them all
	}
	return f, now, nil
}

// readIndex asks for the index of a repository; nil when it is the known one.
func (c *Client) readIndex(ctx context.Context, at address, known Validators) (*index.File, *download, error) {
	target, err := at.resolve("index.yaml")
	if err != nil {
		return nil, nil, err
	}
	data, d, err := c.read(ctx, request{address: target, limit: c.opts.MaxIndex, known: known})
	switch {
	case gone(err):
		return nil, nil, fmt.Errorf("%w (no chart repository is there)", err)
	case err != nil:
		return nil, nil, err
	case d.unchanged:
		return nil, d, nil
	}
	f, err := index.Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("GET %s: %w", target, err)
	}
	if len(f.Skipped) > 0 {
		c.opts.Logger.Debug("entries of an index are left out", "url", target.String(),
			"entries", len(f.Skipped), "first", f.Skipped[0])
	}
	return f, d, nil
}
