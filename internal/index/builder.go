package index

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Builder keeps an index in its encoded form, chart by chart. It is not safe for
// concurrent use; what Encode returns is immutable and may be shared.
type Builder struct {
	// Empty is when an index without entries was generated; zero is Epoch.
	Empty time.Time
	// ContextPath is in the index as ChartMuseum's serverInfo.contextPath; empty: there is
	// none. It is to be set before the first Encode.
	ContextPath string

	format Format
	charts map[string]*block
	// order is the charts by name; blocks without pieces were deleted since the last
	// Encode, and when added is true the new ones are at the end.
	order    []*block
	added    bool
	versions int
	// last is what Encode returned; nil when something changed since.
	last        *Encoded
	compressors sync.Pool
	work        work
}

// work counts what the last Encode had to make anew.
type work struct {
	pieces   int // pieces that became YAML
	segments int // segments compressed, of either form
}

// NewBuilder makes a Builder of an empty index.
func NewBuilder(f Format) *Builder {
	return &Builder{format: f, charts: make(map[string]*block)}
}

// Set makes entries all the versions of the chart name, none of them live; no
// entries delete the chart. They may come in any order and are not kept.
func (b *Builder) Set(name string, entries []*Entry) {
	b.SetAll([]Chart{{Name: name, Entries: entries}})
}

// SetAll is Set for many charts of different names, on as many processors as there
// are.
func (b *Builder) SetAll(charts []Chart) {
	pieces := make([][]*piece, len(charts))
	parallel(len(charts), func(i int) {
		c := &charts[i]
		c.Sort()
		if len(c.Entries) > 0 {
			pieces[i] = makePieces(c.Name, c.Entries)
		}
	})
	for i, c := range charts {
		if len(c.Entries) == 0 {
			b.remove(c.Name)
			continue
		}
		b.put(c.Name, c.Entries, pieces[i])
	}
}

func (b *Builder) put(name string, entries []*Entry, pieces []*piece) {
	c := b.charts[name]
	if c == nil {
		c = &block{name: name}
		b.charts[name] = c
		b.order, b.added = append(b.order, c), true
	}
	if keep(c.pieces, pieces) {
		return
	}
	b.last = nil
	b.versions += len(entries) - c.versions
	c.pieces, c.versions, c.newest = pieces, len(entries), time.Time{}
	for _, e := range entries {
		if e.Created.After(c.newest) {
			c.newest = e.Created
		}
	}
}

func (b *Builder) remove(name string) {
	if c := b.charts[name]; c != nil {
		b.last = nil
		b.versions -= c.versions
		c.pieces = nil
		delete(b.charts, name)
	}
}

// sorted brings order up to date and returns it.
func (b *Builder) sorted() []*block {
	b.order = slices.DeleteFunc(b.order, func(c *block) bool { return c.pieces == nil })
	if b.added {
		slices.SortFunc(b.order, func(x, y *block) int { return strings.Compare(x.name, y.name) })
	}
	b.added = false
	return b.order
}
