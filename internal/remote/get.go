package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// request is one GET.
type request struct {
	address
	limit int64 // of the body, in bytes
	// exact asks for the bytes as they are. Without it net/http asks for gzip and
	// unpacks it; an archive is gzip already, and some servers mix the two up.
	exact bool
	// etag and modified are the validators of what is there already; empty: none.
	etag, modified string
}

// answer is what came back: the body, or unchanged.
type answer struct {
	body           []byte
	unchanged      bool
	etag, modified string
}

// get makes the request, more than once where that may help.
func (c *Client) get(ctx context.Context, r request) (*answer, error) {
	for try := 0; ; try++ {
		a, err := c.try(ctx, r)
		if err == nil {
			return a, nil
		}
		wait, worthIt := c.wait(ctx, err, try)
		if !worthIt {
			return nil, failed(r, try, err)
		}
		c.opts.Logger.Warn("a download failed and is tried again", "url", r.String(), "error", err, "in", wait)
		if sleep(ctx, wait) != nil {
			return nil, failed(r, try, fmt.Errorf("%w, after %w", context.Cause(ctx), err))
		}
	}
}

func failed(r request, retries int, err error) error {
	if retries > 0 {
		return fmt.Errorf("GET %s, tried %d times: %w", r, retries+1, err)
	}
	return fmt.Errorf("GET %s: %w", r, err)
}

// try makes the request once.
func (c *Client) try(ctx context.Context, r request) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.opts.Stall, func() { cancel(errStalled) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String(), nil)
	if err != nil {
		return nil, cause(ctx, err)
	}
	r.setHeader(req.Header, c.opts.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, cause(ctx, err)
	}
	defer resp.Body.Close()
	body := &watched{r: resp.Body, alive: func() { watchdog.Reset(c.opts.Stall) }}
	body.alive()
	a := &answer{etag: resp.Header.Get("ETag"), modified: resp.Header.Get("Last-Modified")}
	switch {
	case resp.StatusCode == http.StatusNotModified && r.etag+r.modified != "":
		a.unchanged = true
		return a, nil
	case resp.StatusCode != http.StatusOK:
		// A small body is read so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, body, 4<<10)
		return nil, c.statusError(r, resp)
	}
	if a.body, err = readBody(body, resp.ContentLength, r.limit); err != nil {
		return nil, cause(ctx, err)
	}
	return a, nil
}

func (r request) setHeader(h http.Header, userAgent string) {
	h.Set("User-Agent", userAgent)
	if r.exact {
		h.Set("Accept-Encoding", "identity")
	}
	if r.etag != "" {
		h.Set("If-None-Match", r.etag)
	}
	if r.modified != "" {
		h.Set("If-Modified-Since", r.modified)
	}
	if r.user != nil {
		// By header and not in the URL, where errors and redirects would carry it on.
		password, _ := r.user.Password()
		basic := http.Request{Header: h}
		basic.SetBasicAuth(r.user.Username(), password)
	}
}

func (c *Client) statusError(r request, resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.opts.Now())}
	if last := resp.Request; last != nil && last.URL.String() != r.url.String() {
		e.URL = show(last.URL)
	}
	return e
}

// readBody reads at most limit bytes; announced is the Content-Length, or -1.
func readBody(r io.Reader, announced, limit int64) ([]byte, error) {
	if announced > limit {
		return nil, tooLarge(limit)
	}
	var b bytes.Buffer
	// What is announced need not come: no more than a little is set aside for it.
	b.Grow(int(min(max(announced, 0), 1<<20)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > limit {
		return nil, tooLarge(limit)
	}
	return b.Bytes(), nil
}

// cause is why a request failed: not that its context ended but why that did, and
// without the URL, which net/http repeats in full.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// watched is a body that tells when something came.
type watched struct {
	r     io.Reader
	alive func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.alive()
	}
	return n, err
}
