package pkgr

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"iter"
	"slices"

	"chartserve/internal/chart"
)

// File is a file of a chart.
type File struct {
	// Name is relative to the chart and slash-separated.
	Name string
	// Data is the content, without a UTF-8 byte order mark, which Helm drops too.
	Data []byte
}

// Chart is a chart in memory. It is immutable and may be shared: many charts can
// have the same sub-chart. (Metadata.Validate writes: it is not for a Chart's.)
type Chart struct {
	// Metadata is Chart.yaml; for apiVersion v1, Dependencies come from
	// requirements.yaml.
	Metadata *chart.Metadata
	// Lock is Chart.lock or requirements.lock; nil without one.
	Lock *chart.Lock
	// Files are what the archive holds but for sub-charts, in its order: Chart.yaml,
	// Chart.lock (v2), values.yaml, values.schema.json, templates/, then the others,
	// among them the requirements files of a v1 chart.
	Files []File
	// Subcharts are the charts in charts/, directories and archives alike, by name
	// and version.
	Subcharts []*Chart
	// Unread is what charts/ holds besides. Archives have none.
	Unread []Unread
	// Warnings are about this chart, not about its sub-charts.
	Warnings []string

	metaWarnings int // how many of Warnings, at the front, are about Chart.yaml
	// ownKey and contentKey hash Files, and all, when first called; nil in a Chart that
	// another package made.
	ownKey, contentKey func() [sha256.Size]byte
}

// Size is how many bytes its files have, with those of its sub-charts.
func (c *Chart) Size() (n int64) {
	for _, f := range c.Files {
		n += int64(len(f.Data))
	}
	for _, s := range c.Subcharts {
		n += s.Size()
	}
	return n
}

// All yields its files and those of its sub-charts, with the names that Pack gives them below
// the chart's directory.
func (c *Chart) All() iter.Seq[File] {
	return func(yield func(File) bool) { c.each("", yield) }
}

func (c *Chart) each(dir string, yield func(File) bool) bool {
	for _, f := range c.Files {
		if !yield(File{Name: dir + f.Name, Data: f.Data}) {
			return false
		}
	}
	subs := c.WithSubcharts(c.Subcharts).Subcharts
	for i, name := range subDirs(subs) {
		if !subs[i].each(dir+"charts/"+name+"/", yield) {
			return false
		}
	}
	return true
}

// WithSubcharts returns a copy of c that has subs in place of its sub-charts.
func (c *Chart) WithSubcharts(subs []*Chart) *Chart {
	d := *c
	d.Subcharts = slices.Clone(subs)
	sortCharts(d.Subcharts)
	d.setKeys(c.ownKey)
	return &d
}

// WithoutLock returns c without Chart.lock or requirements.lock, and c itself where it
// has neither.
func (c *Chart) WithoutLock() *Chart {
	lock := func(f File) bool { return f.Name == chart.LockFile || f.Name == chart.RequirementsLockFile }
	if !slices.ContainsFunc(c.Files, lock) {
		return c
	}
	d := *c
	d.Lock, d.Files = nil, slices.DeleteFunc(slices.Clone(c.Files), lock)
	d.setKeys(nil)
	return &d
}

// sortCharts brings sub-charts into the order of the archive: by name, version
// and, to be independent of the order before, content. Helm has the order of a Go map,
// another one each time.
func sortCharts(subs []*Chart) {
	slices.SortStableFunc(subs, func(a, b *Chart) int {
		if n := cmp.Compare(a.Metadata.Name, b.Metadata.Name); n != 0 {
			return n
		}
		if n := chart.CompareVersions(a.Metadata.Version, b.Metadata.Version); n != 0 {
			return n
		}
		keyA, keyB := a.ContentKey(), b.ContentKey()
		return bytes.Compare(keyA[:], keyB[:])
	})
}
