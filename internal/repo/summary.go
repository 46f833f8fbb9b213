package repo

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"strings"
	"time"
)

// summary is what a list needs of the newest version of a chart and its Entry does not have.
type summary struct {
	library bool
	search  string
}

// maxSearch bounds Chart.Search, in bytes.
const maxSearch = 8 << 10

// Changed is when the chart last got new bytes: the newest Entry.Created of its versions. A
// version whose archive is replaced has a new one; bytes that come back have that of their first
// publication, and archives of others that of their Chart.yaml. Zero: it is not known.
func (c *Chart) Changed() (at time.Time) {
	for _, v := range c.all() {
		if v.Entry.Created.After(at) {
			at = v.Entry.Created
		}
	}
	return at
}

// IsLibrary reports whether the newest version is of the type library, which is there for other
// charts and can't be installed.
func (c *Chart) IsLibrary() bool { return c.summary().library }

// Search is where a search looks: name, app version, keywords, maintainers' names and description
// of the newest version, in lines, in lower case as by strings.ToLower. It is made when it is
// asked for first, and bounded; Views share it with the charts that did not change.
func (c *Chart) Search() string { return c.summary().search }

func (c *Chart) summary() *summary {
	if s := c.lazily.Load(); s != nil {
		return s
	}
	s := &summary{}
	if len(c.Versions) > 0 {
		e := c.Versions[0].Entry
		var record struct {
			Type        string
			Keywords    []string
			Maintainers []struct{ Name string }
		}
		_ = json.Unmarshal(e.Record, &record) // index wrote it
		lines := append([]string{c.Name, e.AppVersion}, record.Keywords...)
		for _, m := range record.Maintainers {
			lines = append(lines, m.Name)
		}
		text := strings.Join(append(lines, e.Description), "\n")
		if len(text) > maxSearch {
			text = strings.Clone(text[:maxSearch]) // the rest is not to be held
		}
		s.library, s.search = record.Type == "library", strings.ToLower(text)
	}
	c.lazily.Store(s) // two that are made at once are the same
	return s
}

// Broken are the names of the charts that something in a SOURCE or in the repository folder can't
// be published of as it stands. A name that can't be read is taken to be that of the directory.
func (v *View) Broken() map[string]bool {
	broken := make(map[string]bool, len(v.Status.Failures))
	for _, f := range v.Status.Failures {
		broken[f.chart()] = true
	}
	return broken
}

// FailuresOf are what is wrong with a chart that is Broken.
func (v *View) FailuresOf(name string) (of []Failure) {
	for _, f := range v.Status.Failures {
		if f.chart() == name {
			of = append(of, f)
		}
	}
	return of
}

// chart is the name of the chart that it is about.
func (f Failure) chart() string { return cmp.Or(f.Name, filepath.Base(f.Path)) }
