package remote

import (
	"cmp"
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

// request is one thing to ask a server for. It is a GET, or what else method says.
type request struct {
	address
	method string
	header http.Header // besides what the other fields stand for
	body   *payload    // nil: nothing is sent
	limit  int64       // of the body, in bytes
	// exact asks for the bytes as they are. Without it net/http asks for gzip and
	// unpacks it; an archive is gzip already, and some servers mix the two up.
	exact bool
	known Validators // of what is there already; zero: nothing
	// from is where the body goes on, if it is still what ifRange stands for; zero:
	// all of it.
	from    int64
	ifRange string
	// immutable says that the address names the bytes themselves: a download may go
	// on without validators.
	immutable bool
	progress  func(int64)         // nil: nobody is told
	registry  *registryRepository // logs in; nil: credentials are sent at once
}

// writes reports whether the request changes something there.
func (r request) writes() bool { return r.method == http.MethodPost || r.method == http.MethodDelete }

func (r request) String() string {
	return cmp.Or(r.method, http.MethodGet) + " " + r.address.String()
}

// Validators tell one state of a file on a server from another (RFC 9110, section
// 8.8). They mean something to that server only.
type Validators struct {
	ETag, Modified string // as in the headers ETag and Last-Modified; empty: unknown
}

func validators(h http.Header) Validators {
	return Validators{ETag: h.Get("ETag"), Modified: h.Get("Last-Modified")}
}

// exchange makes the request once. Of the answers use gets those that r asks for:
// status 200, 304 with validators, 206 with from, 201 and 202 for what writes. All else
// is an error.
func (c *Client) exchange(ctx context.Context, r request, use func(*http.Response, io.Reader) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.opts.Stall, func() { cancel(errStalled) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), nil)
	if err != nil {
		return cause(ctx, err)
	}
	r.setHeader(req.Header)
	if r.body != nil {
		m := &meter{ctx: ctx, watchdog: watchdog, stall: c.opts.Stall, limiter: c.opts.Limiter, progress: r.progress}
		r.body.attach(req, m)
		defer func() { m.end(err == nil) }()
	}
	resp, err := c.send(r, req)
	if err != nil {
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	watchdog.Reset(c.opts.Stall)
	body := &body{ctx: ctx, r: resp.Body, watchdog: watchdog, stall: c.opts.Stall, limiter: c.opts.Limiter}
	switch {
	case resp.StatusCode == http.StatusOK:
	case resp.StatusCode == http.StatusNotModified && r.known != Validators{}:
	case resp.StatusCode == http.StatusPartialContent && r.from > 0:
	case (resp.StatusCode == http.StatusCreated || resp.StatusCode == http.StatusAccepted) && r.writes():
	default:
		// A small body is read so that the connection can be used again.
		said, _ := io.ReadAll(io.LimitReader(body, maxSaid))
		return c.statusError(r, resp, said)
	}
	if err := use(resp, body); err != nil {
		return cause(ctx, err)
	}
	return nil
}

// send makes the request with the credentials for it.
func (c *Client) send(r request, req *http.Request) (*http.Response, error) {
	if r.registry != nil {
		return r.registry.login(req)
	}
	c.authorize(req, r.user)
	return c.http.Do(req)
}

func (r request) setHeader(h http.Header) {
	for name, values := range r.header {
		h[name] = values
	}
	if r.exact {
		h.Set("Accept-Encoding", "identity")
	}
	if r.known.ETag != "" {
		h.Set("If-None-Match", r.known.ETag)
	}
	if r.known.Modified != "" {
		h.Set("If-Modified-Since", r.known.Modified)
	}
	if r.from > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(r.from, 10)+"-")
		if r.ifRange != "" {
			h.Set("If-Range", r.ifRange)
		}
	}
}

func (c *Client) statusError(r request, resp *http.Response, said []byte) error {
	e := &StatusError{Code: resp.StatusCode, logIn: c.opts.LogIn, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.opts.Now())}
	last := resp.Request.URL
	if last.String() != r.url.String() {
		e.URL = chart.ShowURL(last)
	}
	e.origin = chart.Origin(last)
	// A registry also has tokens for those who have no credentials.
	if e.wrote = r.writes(); e.wrote {
		e.Reason = withoutSecrets(reason(said), resp.Request)
	}
	e.known = resp.Request.Header.Get("Authorization") != "" && (r.registry == nil || r.registry.known)
	return e
}

// requestError is why a request failed, after all its tries.
type requestError struct {
	request string
	tries   int
	err     error
}

func (e *requestError) Error() string {
	if e.tries > 1 {
		return fmt.Sprintf("%s, tried %d times: %v", e.request, e.tries, e.err)
	}
	return e.request + ": " + e.err.Error()
}

func (e *requestError) Unwrap() error { return e.err }

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
