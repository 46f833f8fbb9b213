package repo

import (
	"slices"

	"golang.org/x/sync/errgroup"

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

func newCatalog(f index.Format, contextPath string) *catalog {
	b := index.NewBuilder(f)
	b.ContextPath = contextPath
	return &catalog{builder: b}
}

// set makes the named charts' parts anew. chart returns one as it is published and as the
// index takes it.
func (c *catalog) set(names []string, jobs int, chart func(name string) (*Chart, index.Chart)) {
	charts, encoded := make([]*Chart, len(names)), make([]index.Chart, len(names))
	var g errgroup.Group
	g.SetLimit(jobs)
	for i, name := range names {
		g.Go(func() error {
			charts[i], encoded[i] = chart(name)
			return nil
		})
	}
	_ = g.Wait() // there are no errors
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
