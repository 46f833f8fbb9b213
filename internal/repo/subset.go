package repo

import (
	"maps"
	"slices"
	"sync"
	"time"

	"chartserve/internal/index"
)

// EmptyView is the View of a repository that nobody has made yet: an index without
// entries, with Options' Version and ContextPath, of Options' Timestamp or else of now.
func EmptyView(o Options, now time.Time) *View {
	b := index.NewBuilder(index.YAML)
	b.ContextPath, b.Empty = o.ContextPath, index.Dates{Epoch: o.Timestamp}.Created(now)
	v := NewView(nil)
	v.contextPath, v.Index = o.ContextPath, b.Encode()
	v.Status = emptyStatus(o.Version, true)
	return v
}

func emptyStatus(version string, ready bool) Status {
	return Status{Version: version, Ready: ready, Failures: []Failure{}, Warnings: []Warning{}, Changes: []Change{}, Sources: []SourceStatus{}}
}

// Subset makes, of Views, those of readers who may see only some of the charts. All
// methods may be called at once.
type Subset struct {
	may func(chart string) bool

	mu       sync.Mutex
	of, last *View // last was made of of
	builder  *index.Builder
	charts   map[string]*Chart // those in builder
}

// NewSubset makes a Subset of the charts that may is true for; it is to give the same
// answer each time.
func NewSubset(may func(chart string) bool) *Subset { return &Subset{may: may} }

// View returns what of has of these charts: their versions, archives and provenance.
// Other files are not in it, nor are archives that were replaced or removed, and its
// Status has the counts alone. Of the index only what has changed since the last call is
// encoded.
func (s *Subset) View(of *View) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == of {
		return s.last
	}
	v := &View{
		reader: of.reader, checker: of.checker, contextPath: of.contextPath, recipes: of.recipes, may: s.may, superseded: of.superseded,
		Status: emptyStatus(of.Status.Version, of.Status.Ready),
	}
	if of.Index != nil {
		s.update(of)
		s.fill(v, of)
	}
	s.of, s.last = of, v
	return v
}

// update brings the builder up to date with of. Views share the charts that did not
// change.
func (s *Subset) update(of *View) {
	if s.builder == nil {
		s.builder, s.charts = index.NewBuilder(index.YAML), map[string]*Chart{}
		s.builder.ContextPath = of.contextPath
	}
	var changed []index.Chart
	seen := map[string]bool{}
	for c := range of.Charts() {
		if !s.may(c.Name) {
			continue
		}
		seen[c.Name] = true
		if s.charts[c.Name] != c {
			s.charts[c.Name] = c
			changed = append(changed, c.indexed())
		}
	}
	maps.DeleteFunc(s.charts, func(name string, _ *Chart) bool {
		if !seen[name] {
			changed = append(changed, index.Chart{Name: name})
		}
		return !seen[name]
	})
	s.builder.SetAll(changed)
}

// indexed is c as the index takes it.
func (c *Chart) indexed() index.Chart {
	out := index.Chart{Name: c.Name, Live: map[string]bool{}}
	for _, v := range c.Versions {
		out.Entries = append(out.Entries, v.Entry)
		out.Live[v.Entry.Version] = v.Live
	}
	return out
}

// fill puts the charts of the builder, and their files, into v.
func (s *Subset) fill(v, of *View) {
	v.Index = s.builder.Encode()
	if of.Index.YAML.ETag == of.Index.JSON.ETag { // all of it is JSON, by its format
		e := *v.Index
		e.YAML = e.JSON
		v.Index = &e
	}
	v.names = slices.Sorted(maps.Keys(s.charts))
	for _, name := range v.names {
		c := s.charts[name]
		v.charts.put(name, c)
		for _, version := range c.Versions {
			a := version.Archive
			v.files.put(a.Name, a)
			v.digests.put(a.digest(), a)
			if prov, ok := of.files.get(a.Name + ".prov"); ok {
				v.files.put(prov.Name, prov)
			}
		}
	}
	v.Status.Charts, v.Status.Archives = v.Index.Charts, v.Index.Versions
}
