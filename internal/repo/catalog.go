package repo

import (
	"slices"

	"chartserve/internal/index"
)

// catalog is what is published, in the forms that a View has: the encoded index, and the
// charts with their versions. A change costs as much as the names
// that it concerns.
type catalog struct {
	builder *index.Builder
	encoded *index.Encoded
	charts  table[*Chart]
	names   []string // of charts, sorted; Views share it
}

func newCatalog(f index.Format) *catalog { return &catalog{builder: index.NewBuilder(f)} }

// set makes the named charts' parts anew. versions returns a chart's versions, newest
// first.
func (c *catalog) set(names []string, jobs int, versions func(name string) []*Version) {
	charts, encoded := make([]*Chart, len(names)), make([]index.Chart, len(names))
	parallel(jobs, len(names), func(i int) {
		charts[i] = &Chart{Name: names[i], Versions: versions(names[i])}
		encoded[i] = charts[i].forIndex()
	})
	c.builder.SetAll(encoded)
	shared := true
	for _, chart := range charts {
		at, known := slices.BinarySearch(c.names, chart.Name)
		exists := len(chart.Versions) > 0
		if known != exists && shared {
			c.names, shared = slices.Clone(c.names), false
		}
		switch {
		case exists && !known:
			c.names = slices.Insert(c.names, at, chart.Name)
		case !exists && known:
			c.names = slices.Delete(c.names, at, at+1)
		}
		if exists {
			c.charts.put(chart.Name, chart)
		} else {
			c.charts.remove(chart.Name)
		}
	}
}

// encode assembles the index, with its compressed forms or without.
func (c *catalog) encode(compressed bool) {
	if compressed {
		c.encoded = c.builder.Encode()
	} else {
		c.encoded = c.builder.EncodeIdentity()
	}
}
