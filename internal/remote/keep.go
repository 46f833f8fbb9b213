package remote

import (
	"context"
	"fmt"
	"time"

	"chartserve/internal/index"
)

const (
	// maxFailureAge is for how long a repository whose index can't be had is not
	// asked again. It is short: whoever tries again after half a minute gets a new
	// answer. What it is for: fifty charts that need one dead host wait for it once.
	maxFailureAge = 15 * time.Second
	// maxKept and maxKeptBytes bound the indexes that are kept. The bytes are those
	// of the documents; in memory they take about twice that.
	maxKept      = 32
	maxKeptBytes = 64 << 20
)

// kept is what is known of one repository's index.
type kept struct {
	used  time.Time // guarded by Client.mu, as bytes is
	bytes int

	// turn is held, by the one element that it has room for, by whoever reads or
	// writes the rest. A mutex would not let go of waiters whose context ends.
	turn       chan struct{}
	file       *index.File // nil: none was read yet
	Validators             // of file
	asked      time.Time   // when file or err was last told by the repository
	err        error       // of the last time, nil when that went well
}

// Index is the index of the repository at an HTTP or HTTPS address. It may be as
// old as Options.IndexAge; then the repository is asked whether it has changed,
// and sends it again only if so. The File is shared: callers don't change it.
//
// Entries that Helm would not load are left out, as index.Decode does, and are
// listed in the File.
func (c *Client) Index(ctx context.Context, repository string) (*index.File, error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, err
	}
	f, _, err := c.index(ctx, at, c.opts.IndexAge)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", at, err)
	}
	return f, nil
}

// index is the index of a repository, at most maxAge old. fresh tells that the
// repository was asked just now.
func (c *Client) index(ctx context.Context, at address, maxAge time.Duration) (f *index.File, fresh bool, err error) {
	k := c.keep(at)
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	age := c.opts.Now().Sub(k.asked)
	switch {
	case k.asked.IsZero():
	case k.err != nil && age < min(maxAge, maxFailureAge):
		return nil, false, k.err
	case k.err == nil && age < maxAge:
		return k.file, false, nil
	}
	err = c.ask(ctx, k, at)
	if err == nil || ctx.Err() == nil { // what ended this caller's wait says nothing to others
		k.asked, k.err = c.opts.Now(), err
	}
	if err != nil {
		return nil, true, err
	}
	return k.file, true, nil
}

// keep finds what is kept of a repository.
func (c *Client) keep(at address) *kept {
	key := at.url.String()
	if at.user != nil {
		key = at.user.String() + " " + key // another user may see other charts
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[key]
	if k == nil {
		k = &kept{turn: make(chan struct{}, 1)}
		c.kept[key] = k
	}
	k.used = c.opts.Now()
	return k
}

// ask gets the index, or learns that it is still the one in k. k's turn is held.
func (c *Client) ask(ctx context.Context, k *kept, at address) error {
	var known Validators
	if k.file != nil {
		known = k.Validators
	}
	f, a, err := c.askFor(ctx, at, known)
	if err != nil || a.unchanged {
		return err
	}
	k.file, k.Validators = f, a.Validators
	c.forget(k, a.size)
	return nil
}

// forget notes that k has grown to n bytes, and drops what was not used for the
// longest until the rest is within bounds; never k itself, however large.
func (c *Client) forget(k *kept, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.bytes = n
	for {
		total, oldest := 0, ""
		for key, other := range c.kept {
			total += other.bytes
			if other != k && (oldest == "" || other.used.Before(c.kept[oldest].used)) {
				oldest = key
			}
		}
		if oldest == "" || (total <= maxKeptBytes && len(c.kept) <= maxKept) {
			return
		}
		delete(c.kept, oldest)
	}
}
