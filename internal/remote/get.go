package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"chartserve/internal/chart"
)

// request is one GET, or what else method says.
type request struct {
	address
	method string // empty: GET
	limit  int64  // of the body, in bytes
	// exact asks for the bytes as they are. Without it net/http asks for gzip and
	// unpacks it; an archive is gzip already, and some servers mix the two up.
	exact bool
	// Validators of what is there already; empty: none.
	Validators
	// from is where the body goes on, if it is still what ifRange stands for; zero:
	// all of it.
	from    int64
	ifRange string
	// immutable tells that the address names the bytes themselves: a download may
	// go on without validators.
	immutable bool
	accept    string              // media types; empty: any
	registry  *registryRepository // logs in; nil: credentials are sent at once
}

func (r request) String() string {
	if r.method != "" {
		return r.method + " " + r.address.String()
	}
	return "GET " + r.address.String()
}

// Validators tell one state of a file on a server from another (RFC 9110, section
// 8.8). They mean something to that server only.
type Validators struct {
	ETag, Modified string // as in the headers ETag and Last-Modified; empty: unknown
}

func validators(h http.Header) Validators {
	return Validators{ETag: h.Get("ETag"), Modified: h.Get("Last-Modified")}
}

// answer is what came back: the body, or unchanged.
type answer struct {
	body      []byte
	unchanged bool
	link      string // the header Link
	Validators
}

// get makes the request, more than once where that may help.
func (c *Client) get(ctx context.Context, r request) (*answer, error) {
	a := new(answer)
	err := c.again(ctx, r, func() (bool, error) {
		return false, c.exchange(ctx, r, func(resp *http.Response, body io.Reader) (err error) {
			a.Validators, a.link = validators(resp.Header), resp.Header.Get("Link")
			if a.unchanged = resp.StatusCode == http.StatusNotModified; a.unchanged {
				return nil
			}
			a.body, err = readBody(body, resp.ContentLength, r.limit)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// again calls try until it succeeds or there is no sense in it. A try that tells of
// progress makes up for those before it.
func (c *Client) again(ctx context.Context, r request, try func() (progress bool, err error)) error {
	tries := 0
	for n := 0; ; n++ {
		progress, err := try()
		if err == nil {
			return nil
		}
		tries++
		if progress {
			n = 0
		}
		wait, worthIt := c.wait(ctx, err, n)
		if !worthIt {
			return failed(r, tries, err)
		}
		c.opts.Logger.Warn("a download failed and is tried again", "url", r.address.String(), "error", err, "in", wait)
		if sleep(ctx, wait) != nil {
			return failed(r, tries, fmt.Errorf("%w, after %w", context.Cause(ctx), err))
		}
	}
}

func failed(r request, tries int, err error) error {
	if tries > 1 {
		return fmt.Errorf("%s, tried %d times: %w", r, tries, err)
	}
	return fmt.Errorf("%s: %w", r, err)
}

// exchange makes the request once. Of the answers use gets those that r asks for:
// status 200, 304 with validators, 206 with from. All else is an error.
func (c *Client) exchange(ctx context.Context, r request, use func(*http.Response, io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.opts.Stall, func() { cancel(errStalled) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), nil)
	if err != nil {
		return cause(ctx, err)
	}
	r.setHeader(req.Header)
	resp, err := c.send(r, req)
	if err != nil {
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	watchdog.Reset(c.opts.Stall)
	body := &body{ctx: ctx, r: resp.Body, watchdog: watchdog, stall: c.opts.Stall, limiter: c.limiter}
	switch {
	case resp.StatusCode == http.StatusOK:
	case resp.StatusCode == http.StatusNotModified && r.Validators != Validators{}:
	case resp.StatusCode == http.StatusPartialContent && r.from > 0:
	default:
		// A small body is read so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, body, 4<<10)
		return c.statusError(r, resp)
	}
	if err := use(resp, body); err != nil {
		return cause(ctx, err)
	}
	return nil
}

// send makes the request with the credentials for it.
func (c *Client) send(r request, req *http.Request) (*http.Response, error) {
	if r.registry != nil {
		return r.registry.do(req)
	}
	c.authorize(req, r.user)
	return c.http.Do(req)
}

func (r request) setHeader(h http.Header) {
	if r.accept != "" {
		h.Set("Accept", r.accept)
	}
	if r.exact {
		h.Set("Accept-Encoding", "identity")
	}
	if r.ETag != "" {
		h.Set("If-None-Match", r.ETag)
	}
	if r.Modified != "" {
		h.Set("If-Modified-Since", r.Modified)
	}
	if r.from > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(r.from, 10)+"-")
		if r.ifRange != "" {
			h.Set("If-Range", r.ifRange)
		}
	}
}

func (c *Client) statusError(r request, resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.opts.Now())}
	last := resp.Request.URL
	if last.String() != r.url.String() {
		e.URL = chart.ShowURL(last)
	}
	e.origin = chart.Origin(last)
	// A registry also has tokens for those who have no credentials.
	e.known = resp.Request.Header.Get("Authorization") != "" && (r.registry == nil || r.registry.known)
	return e
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
