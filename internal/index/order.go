package index

import (
	"bytes"
	"cmp"
	"slices"

	"chartserve/internal/chart"
)

// Chart is all the versions of one chart. Each entry's Name is Name, and each
// version is there once.
type Chart struct {
	Name    string
	Entries []*Entry
	// Live has the versions, spelled exactly, whose source is there now. It decides
	// on the order alone; nil means none.
	Live map[string]bool
}

// Sort puts the entries in the order that they have in the index: newest first, and
// of versions of equal precedence, such as 1.0.0+a and 1.0.0+b, the live one, then
// the one that was published last. Helm takes the first. The list may be replaced by
// another, the one that it was is not changed.
func (c *Chart) Sort() {
	if !slices.IsSortedFunc(c.Entries, c.compare) {
		c.Entries = slices.SortedFunc(slices.Values(c.Entries), c.compare)
	}
}

func (c *Chart) compare(a, b *Entry) int {
	if n := chart.ComparePrecedence(b.Version, a.Version); n != 0 {
		return n
	}
	if live := c.Live[a.Version]; live != c.Live[b.Version] {
		if live {
			return -1
		}
		return 1
	}
	// The same version twice has no business here, but must not make the bytes
	// depend on the order of arrival.
	return cmp.Or(b.Created.Compare(a.Created), chart.CompareVersions(b.Version, a.Version), bytes.Compare(a.Record, b.Record))
}
