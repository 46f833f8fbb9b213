package pkgr

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"sync"
)

// Layout numbers the form of the archives that this package writes: it enters
// every ContentKey, so that state kept from an older form is not reused. Raise it
// whenever the same chart gives other bytes, be it by a change here or by another
// version of the compressor.
const Layout = 1

// ContentKey is a hash over what an archive's bytes depend on besides the
// timestamp: Layout, the names and contents of c's files, and the same of its
// sub-charts. The order of Subcharts doesn't matter.
//
// Each Chart is hashed once: where many charts share sub-charts, and these theirs,
// there are few charts but exponentially many ways through them.
func (c *Chart) ContentKey() [32]byte {
	if len(c.Subcharts) == 0 {
		return c.ownSum()
	}
	// A copy of a Chart that was given other files or sub-charts must not have the old
	// key.
	if k := c.whole; k != nil && same(k.files, c.Files) && same(k.subs, c.Subcharts) {
		k.once.Do(func() { k.sum = c.sumAll() })
		return k.sum
	}
	return c.sumAll()
}

// key keeps a hash, and what it is of.
type key struct {
	files []File
	subs  []*Chart
	once  sync.Once
	sum   [32]byte
}

// remember makes room for the hashes of c as it is now: of its own files, which all
// copies share that differ in sub-charts only, and of all.
func (c *Chart) remember() {
	if c.own == nil || !same(c.own.files, c.Files) {
		c.own = &key{files: c.Files}
	}
	c.whole = &key{files: c.Files, subs: c.Subcharts}
}

func (c *Chart) ownSum() [32]byte {
	if k := c.own; k != nil && same(k.files, c.Files) {
		k.once.Do(func() { k.sum = c.sumFiles() })
		return k.sum
	}
	return c.sumFiles()
}

// same reports whether a and b are one slice.
func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (c *Chart) sumAll() [32]byte {
	own := c.ownSum()
	subs := slices.Clone(c.Subcharts)
	sortCharts(subs)
	h := sha256.New()
	h.Write(own[:])
	for _, s := range subs {
		key := s.ContentKey()
		h.Write(key[:])
	}
	return [32]byte(h.Sum(nil))
}

func (c *Chart) sumFiles() [32]byte {
	h := sha256.New()
	var b [8]byte
	writeLen(h, &b, Layout)
	for _, f := range c.Files {
		writeLen(h, &b, len(f.Name))
		h.Write([]byte(f.Name))
		writeLen(h, &b, len(f.Data))
		h.Write(f.Data)
	}
	return [32]byte(h.Sum(nil))
}

func writeLen(h hash.Hash, b *[8]byte, n int) {
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
