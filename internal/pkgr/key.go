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
func (c *Chart) ContentKey() [32]byte {
	own := c.ownSum()
	if len(c.Subcharts) == 0 {
		return own
	}
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

// ownKey keeps the hash of a chart's own files, which is the same for all copies
// that differ in sub-charts only.
type ownKey struct {
	files []File // what the hash is of
	once  sync.Once
	sum   [32]byte
}

func (c *Chart) ownSum() [32]byte {
	// A copy of a Chart that was given other Files must not have the old key.
	if c.own == nil || !sameSlice(c.own.files, c.Files) {
		return c.sumFiles()
	}
	c.own.once.Do(func() { c.own.sum = c.sumFiles() })
	return c.own.sum
}

// sameSlice tells whether a and b are one slice.
func sameSlice(a, b []File) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
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
