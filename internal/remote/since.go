package remote

import (
	"context"
	"fmt"

	"chartserve/internal/index"
)

// IndexSince is the index of the repository at an HTTP or HTTPS address, unless it
// is still the one that known stands for: then f is nil. now is to be known the
// next time. Unlike Index it asks each time and keeps nothing.
//
// The document is in memory while it is read, once, and twice for a moment when
// the server doesn't tell its length or packs it.
func (c *Client) IndexSince(ctx context.Context, repository string, known Validators) (f *index.File, now Validators, err error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, Validators{}, err
	}
	f, a, err := c.askFor(ctx, at, known)
	switch {
	case err != nil:
		return nil, Validators{}, fmt.Errorf("repository %s: %w", at, err)
	case a.unchanged && a.Validators == Validators{}:
		return nil, known, nil // a 304 need not repeat them all
	}
	return f, a.Validators, nil
}

// asked is what askFor learned besides the index.
type asked struct {
	unchanged bool // there is no index then
	size      int  // of the document, in bytes
	Validators
}

// askFor gets the index of a repository, unless it is the known one.
func (c *Client) askFor(ctx context.Context, at address, known Validators) (*index.File, asked, error) {
	target, err := at.resolve("index.yaml")
	if err != nil {
		return nil, asked{}, err
	}
	a, err := c.get(ctx, request{address: target, limit: c.opts.MaxIndex, Validators: known})
	switch {
	case gone(err):
		return nil, asked{}, fmt.Errorf("%w (no chart repository is there)", err)
	case err != nil:
		return nil, asked{}, err
	case a.unchanged:
		return nil, asked{unchanged: true, Validators: a.Validators}, nil
	}
	f, err := index.Decode(a.body)
	if err != nil {
		return nil, asked{}, fmt.Errorf("GET %s: %w", target, err)
	}
	if len(f.Skipped) > 0 {
		c.opts.Logger.Debug("entries of an index are left out", "url", target.String(),
			"entries", len(f.Skipped), "first", f.Skipped[0])
	}
	return f, asked{size: len(a.body), Validators: a.Validators}, nil
}

// target is what ref means in the repository. Without a repository it has to be an
// address by itself.
func target(repository, ref string) (address, error) {
	if repository == "" {
		repository = ref
	}
	at, err := parseRepository(repository)
	if err != nil {
		return address{}, err
	}
	return at.resolve(ref)
}

// Resolve is the absolute address that ref, an entry's URL, means in the
// repository; ref is one by itself when the repository is empty. It is for people
// and for comparing: it has no credentials, and "..." in place of a query, which
// may be a key.
func (c *Client) Resolve(repository, ref string) (string, error) {
	if isOCI(ref) {
		r, err := c.registryAt(ref)
		if err != nil {
			return "", err
		}
		return r.String(), nil
	}
	to, err := target(repository, ref)
	if err != nil {
		return "", err
	}
	return to.String(), nil
}
