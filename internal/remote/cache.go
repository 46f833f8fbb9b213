package remote

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"chartserve/internal/index"
)

const (
	// maxFailureAge is for how long a repository whose index can't be had is not
	// asked again. It is short: whoever tries again after half a minute gets a new
	// answer. What it is for: fifty charts that need one dead host wait for it once.
	maxFailureAge = 15 * time.Second
	// maxCached and maxCachedBytes bound the indexes that Fetch has in memory. The
	// bytes are those of the documents; in memory they take about twice that.
	maxCached      = 32
	maxCachedBytes = 64 << 20
)

// cachedIndex is the index of one repository, or why it could not be had.
type cachedIndex struct {
	used  time.Time // guarded by Client.mu, as bytes is
	bytes int64

	// turn is held by whoever reads or writes the rest. A mutex would not let go of
	// waiters whose context ends.
	turn       *semaphore.Weighted
	file       *index.File // nil: none was read yet
	validators Validators  // of file
	asked      time.Time   // when the repository last answered with file or err
	err        error       // of the last time, nil when that went well
}

// index returns the index of a repository, at most maxAge old; callers don't change
// it. fresh reports whether the repository was asked just now.
func (c *Client) index(ctx context.Context, at address, maxAge time.Duration) (f *index.File, fresh bool, err error) {
	k := c.cached(at)
	if k.turn.Acquire(ctx, 1) != nil {
		return nil, false, context.Cause(ctx)
	}
	defer k.turn.Release(1)
	age := c.opts.Now().Sub(k.asked)
	switch {
	case k.asked.IsZero():
	case k.err != nil && age < min(maxAge, maxFailureAge):
		return nil, false, k.err
	case k.err == nil && age < maxAge:
		return k.file, false, nil
	}
	err = c.renew(ctx, k, at)
	if err == nil || ctx.Err() == nil { // what ended this caller's wait says nothing to others
		k.asked, k.err = c.opts.Now(), err
	}
	if err != nil {
		return nil, true, err
	}
	return k.file, true, nil
}

// cached returns the cachedIndex of a repository, which may be empty yet.
func (c *Client) cached(at address) *cachedIndex {
	key := at.url.String()
	if at.user != nil {
		key = at.user.String() + " " + key // another user may see other charts
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.indexes[key]
	if k == nil {
		k = &cachedIndex{turn: semaphore.NewWeighted(1)}
		c.indexes[key] = k
	}
	k.used = c.opts.Now()
	return k
}

// renew reads the index, or learns that it is still the one in k. k's turn is held.
func (c *Client) renew(ctx context.Context, k *cachedIndex, at address) error {
	f, d, err := c.readIndex(ctx, at, k.validators)
	if err != nil || d.unchanged {
		return err
	}
	k.file, k.validators = f, validators(d.header)
	c.evict(k, d.size)
	return nil
}

// evict notes that k has grown to n bytes, and drops those that were not used for the
// longest until the rest is within bounds; never k itself, however large.
func (c *Client) evict(k *cachedIndex, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.bytes = n
	recent := slices.SortedFunc(maps.Keys(c.indexes), func(a, b string) int { return c.indexes[b].used.Compare(c.indexes[a].used) })
	kept, total := 1, n
	for _, key := range recent {
		switch other := c.indexes[key]; {
		case other == k:
		case kept == maxCached || total+other.bytes > maxCachedBytes:
			delete(c.indexes, key)
		default:
			kept, total = kept+1, total+other.bytes
		}
	}
}
