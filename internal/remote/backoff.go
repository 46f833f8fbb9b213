package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retry calls try until it succeeds or there is no sense in it. A try that made
// progress makes up for those before it.
func (c *Client) retry(ctx context.Context, r request, try func() (progress bool, err error)) error {
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
			return &requestError{r.String(), tries, err}
		}
		c.opts.Logger.Warn("a request failed and is tried again", "url", r.address.String(), "error", err, "in", wait)
		select {
		case <-ctx.Done():
			return &requestError{r.String(), tries, fmt.Errorf("%w, after %w", context.Cause(ctx), err)}
		case <-time.After(wait):
		}
	}
}

// wait returns the time between the failure err and the next try, and reports whether
// there is to be one. try counts from 0.
func (c *Client) wait(ctx context.Context, err error, try int) (time.Duration, bool) {
	if try >= c.opts.Retries || ctx.Err() != nil || !passing(err) {
		return 0, false
	}
	wait := min(c.opts.Backoff, c.opts.MaxWait)
	for range try {
		wait += min(wait, c.opts.MaxWait-wait)
	}
	// Half of it is left to chance: those whom one failure has hit together shall
	// not come back together.
	wait -= rand.N(wait/2 + 1)
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > wait {
		wait = status.RetryAfter
	}
	if wait > c.opts.MaxWait {
		return 0, false
	}
	// Contexts go by the system's clock, whatever Options.Now says.
	if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
		return 0, false
	}
	return wait, true
}

// retryAfter reads a Retry-After header: seconds or a date (RFC 9110, section
// 10.2.3). Zero: there is none, or nothing that can be read, or it has passed.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now).Round(time.Second))
	}
	return 0
}
