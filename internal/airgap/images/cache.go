package images

import (
	"crypto/sha256"
	"sync"
)

// cache remembers what was made of the file of each name the last time: versions of one
// chart, and charts around one library, have most files in common. The zero value is
// empty. It is safe for concurrent use.
type cache[T any] struct {
	mu   sync.Mutex
	last map[string]made[T]
}

type made[T any] struct {
	digest [sha256.Size]byte
	value  T
}

// get returns what make makes of data.
func (c *cache[T]) get(name string, data []byte, make func() T) T {
	digest := sha256.Sum256(data)
	c.mu.Lock()
	last, ok := c.last[name]
	c.mu.Unlock()
	if ok && last.digest == digest {
		return last.value
	}
	value := make()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = map[string]made[T]{}
	}
	c.last[name] = made[T]{digest, value}
	return value
}
