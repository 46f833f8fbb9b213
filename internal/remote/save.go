package remote

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
)

// Save writes the file at ref, an entry's URL in the repository, into f: from its
// start, in place of what it had, with at most limit bytes. It returns
// the SHA-256, in hex, of what was written. ref is an address by itself when the
// repository is empty. What a registry has is for SaveOCI.
//
// Memory stays the same whatever the size. Where a connection was cut, the next
// try goes on from there if the server has ranges and still has the same file,
// else it starts again; a try that brings new bytes doesn't count against
// Options.Retries. After an error f holds a part.
func (c *Client) Save(ctx context.Context, repository, ref string, f *os.File, limit int64) (digest string, err error) {
	to, err := target(repository, ref)
	if err != nil {
		return "", err
	}
	d, err := c.download(ctx, request{address: to, limit: limit, exact: true, progress: c.opts.Progress}, fileSink{f})
	if err != nil {
		return "", err
	}
	return d.digest(), nil
}

// Get returns the file at ref, byte for byte; ref is as for Save. Options.MaxArchive
// bounds it.
func (c *Client) Get(ctx context.Context, repository, ref string) ([]byte, error) {
	to, err := target(repository, ref)
	if err != nil {
		return nil, err
	}
	data, _, err := c.read(ctx, request{address: to, limit: c.opts.MaxArchive, exact: true, progress: c.opts.Progress})
	return data, err
}

// Size returns the length of the file at ref in bytes, by a HEAD request; -1 when the
// server doesn't announce it. ref is as for Save.
func (c *Client) Size(ctx context.Context, repository, ref string) (int64, error) {
	to, err := target(repository, ref)
	if err != nil {
		return 0, err
	}
	size := int64(-1)
	r := request{address: to, method: http.MethodHead, exact: true}
	err = c.retry(ctx, r, func() (bool, error) {
		return false, c.exchange(ctx, r, func(resp *http.Response, _ io.Reader) error {
			size = resp.ContentLength
			return nil
		})
	})
	var status *StatusError
	if errors.As(err, &status) && (status.Code == http.StatusMethodNotAllowed || status.Code == http.StatusNotImplemented) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return size, nil
}

// target returns the address that ref means in the repository. Without a repository
// it has to be an address by itself.
func target(repository, ref string) (address, error) {
	repository = cmp.Or(repository, ref)
	at, err := parseRepository(repository)
	if err != nil {
		return address{}, err
	}
	return at.resolve(ref)
}

// Resolve returns the absolute address that ref, an entry's URL, means in the
// repository; ref is one by itself when the repository is empty. It is for people
// and for comparing: it has no credentials, and "..." in place of a query, which
// may be a key.
func Resolve(repository, ref string) (string, error) {
	to, err := target(repository, ref)
	if err != nil {
		return "", err
	}
	return to.String(), nil
}
