package layout

import (
	"sync"
	"time"
)

// condemned are blobs and entries that a collection found nobody to refer to. The next
// one that is late enough removes them, unless somebody has asked for them since: a client
// that was told that a blob is there does not upload it, and refers to it a moment later.
type condemned struct {
	mu  sync.Mutex
	all map[string]sentence
}

type sentence struct {
	since time.Time
	run   int // of the collection that found it last
}

// spare takes a blob, by its file, or an entry, by its entryKey, out.
func (c *condemned) spare(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, key)
}

// due enters what collection number run has found, and reports whether it has been in there
// for as long as grace.
func (c *condemned) due(key string, run int, now time.Time, grace time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]sentence{}
	}
	s, known := c.all[key]
	if !known {
		s.since = now
	}
	s.run = run
	c.all[key] = s
	return now.Sub(s.since) >= grace
}

// has reports whether nobody has spared it.
func (c *condemned) has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.all[key]
	return ok
}

// end takes out what collection number run has not found.
func (c *condemned) end(run int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, s := range c.all {
		if s.run != run {
			delete(c.all, key)
		}
	}
}

// entryKey tells the entries of all names apart, from each other and from files.
func entryKey(name string, m *Manifest) string {
	return name + "\x00" + m.Tag + "\x00" + m.Archive + "\x00" + string(m.Digest)
}
