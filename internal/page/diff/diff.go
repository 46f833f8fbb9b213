// Package diff compares two versions of a chart for people: metadata, dependencies,
// values by key and files line by line; and any two texts, such as rendered manifests.
//
// What it returns are plain structs for a template and for plain text. All texts in them
// are as in the charts, which are anybody's: who shows them escapes them. Sizes are
// bounded, and what was left out is counted or marked.
package diff

import (
	"cmp"

	"chartserve/internal/chart"
	"chartserve/internal/page/values"
	"chartserve/internal/pkgr"
)

const valuesFile = "values.yaml"

// Side is one of the two versions.
type Side struct {
	Metadata *chart.Metadata // nil has no fields
	Files    []pkgr.File     // Name may be below charts/
}

// Of returns the side of a chart, with the files of its sub-charts, each below
// charts/NAME. Of several with one name, which aliases need, the second is charts/NAME-2.
func Of(c *pkgr.Chart) Side {
	return Side{Metadata: c.Metadata, Files: files(c, "")}
}

func files(c *pkgr.Chart, prefix string) (all []pkgr.File) {
	for _, f := range c.Files {
		all = append(all, pkgr.File{Name: prefix + f.Name, Data: f.Data})
	}
	seen := map[string]int{}
	for _, sub := range c.Subcharts {
		name := sub.Metadata.Name
		seen[name]++
		all = append(all, files(sub, prefix+"charts/"+nth(name, seen[name])+"/")...)
	}
	return all
}

// Options bounds what is listed. Zero fields have the defaults.
type Options struct {
	Values int // keys of values.yaml; zero is 1,000
	Files  int // zero is 1,000
	Lines  int // of a file; zero is 5,000
	Total  int // lines of all files; zero is 50,000
}

func (o Options) orDefaults() Options {
	o.Values = cmp.Or(max(o.Values, 0), 1_000)
	o.Files = cmp.Or(max(o.Files, 0), 1_000)
	o.Lines = cmp.Or(max(o.Lines, 0), 5_000)
	o.Total = cmp.Or(max(o.Total, 0), 50_000)
	return o
}

// Kind is what happened to something.
type Kind string

// The kinds.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
	Renamed Kind = "renamed" // a file with the same bytes
)

// Difference is what two versions of a chart do not have alike.
type Difference struct {
	Metadata     []Field
	Dependencies []Dependency
	Values       []values.Change
	MoreValues   int // besides Values
	// ValuesProblem says why there are no Values, although values.yaml may differ; "" where
	// both were read.
	ValuesProblem string
	Files         []File // by name
	MoreFiles     int    // besides Files
}

// Field is something with one value that changed. Lists are on one line, and long texts
// are cut with "…". "" means that it is not there.
type Field struct{ Name, Before, After string }

// Compare returns the difference. It changes nothing of either side.
func Compare(before, after Side, o Options) *Difference {
	o = o.orDefaults()
	d := &Difference{
		Metadata:     metadata(before.Metadata, after.Metadata),
		Dependencies: dependencies(before.Metadata, after.Metadata),
	}
	was, is := byName(before.Files), byName(after.Files)
	var err error
	d.Values, d.MoreValues, err = values.Compare(was[valuesFile], is[valuesFile], o.Values)
	if err != nil {
		d.ValuesProblem = err.Error()
	}
	d.Files = changedFiles(was, is)
	if n := len(d.Files) - o.Files; n > 0 {
		d.Files, d.MoreFiles = d.Files[:o.Files], n
	}
	left := bounds{lines: o.Total, bytes: maxBytes, input: maxInput}
	for i := range d.Files {
		f := &d.Files[i]
		if !f.Binary && f.Kind != Renamed {
			f.Text = left.compare(string(was[f.Name]), string(is[f.Name]), o.Lines)
		}
	}
	return d
}

// byName returns contents by name; of several the last.
func byName(files []pkgr.File) map[string][]byte {
	all := make(map[string][]byte, len(files))
	for _, f := range files {
		all[f.Name] = f.Data
	}
	return all
}
