package images

import (
	"crypto/sha256"
	"sync"
)

// cache remembers what was made of the file of each name the last time: versions of one
// chart, and charts around one library, have most files in common. Names that nobody has
// asked for among the last maxCached are forgotten. The zero value is empty. It is safe for
// concurrent use.
type cache[T any] struct {
	mu           sync.Mutex
	last, before map[string]made[T] // before: the last maxCached of an earlier time
}

type made[T any] struct {
	digest [sha256.Size]byte
	value  T
}

// maxCached is more files than a chart and its libraries have, of which openstack-helm's
// take most: 200.
const maxCached = 500

// get returns what make makes of data.
func (c *cache[T]) get(name string, data []byte, make func() T) T {
	digest := sha256.Sum256(data)
	c.mu.Lock()
	last, ok := c.last[name]
	if !ok {
		last, ok = c.before[name]
	}
	c.mu.Unlock()
	if !ok || last.digest != digest {
		last = made[T]{digest, make()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || len(c.last) >= maxCached {
		c.last, c.before = map[string]made[T]{}, c.last
	}
	c.last[name] = last
	return last.value
}
