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
const Layout = 2

// ContentKey is a hash over what an archive's bytes depend on besides the
// timestamp: Layout, the names and contents of c's files, and the same of its
// sub-charts. The order of Subcharts doesn't matter.
//
// Each Chart is hashed once: where many charts share sub-charts, and these theirs,
// there are few charts but exponentially many ways through them.
func (c *Chart) ContentKey() [sha256.Size]byte {
	if c.contentKey == nil {
		c = c.WithSubcharts(c.Subcharts)
	}
	return c.contentKey()
}

// setKeys has c hashed as it is now. ownKey is that of a Chart with the same files; nil
// means that there is none.
func (c *Chart) setKeys(ownKey func() [sha256.Size]byte) {
	files, subs := c.Files, c.Subcharts
	if ownKey == nil {
		ownKey = sync.OnceValue(func() [sha256.Size]byte { return sumFiles(files) })
	}
	c.ownKey, c.contentKey = ownKey, ownKey
	if len(subs) > 0 {
		c.contentKey = sync.OnceValue(func() [sha256.Size]byte { return sumAll(ownKey(), subs) })
	}
}

func sumAll(own [sha256.Size]byte, subs []*Chart) [sha256.Size]byte {
	subs = slices.Clone(subs)
	sortCharts(subs)
	h := sha256.New()
	h.Write(own[:])
	for _, s := range subs {
		key := s.ContentKey()
		h.Write(key[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func sumFiles(files []File) [sha256.Size]byte {
	h := sha256.New()
	writeLen(h, Layout)
	for _, f := range files {
		writeLen(h, len(f.Name))
		h.Write([]byte(f.Name))
		writeLen(h, len(f.Data))
		h.Write(f.Data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func writeLen(h hash.Hash, n int) {
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}
