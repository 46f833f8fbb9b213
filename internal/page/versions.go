package page

import (
	"cmp"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

const (
	// versionsPerPage bounds the versions that a page has.
	versionsPerPage = 500
	// maxReplaced bounds the replaced archives that it has.
	maxReplaced = 100
)

// versions are all versions of a chart.
type versions struct {
	Subject
	Rows []release
	pager
	Form     comparison
	Replaced []replaced
	More     int // besides Replaced
}

// release is a version with what the page says of it.
type release struct {
	*repo.Version
	Before string // the version before it; empty: it is the first
	Prov   string // the name of its provenance; empty: it is not signed
}

// comparison is the form that asks for the difference of two versions.
type comparison struct {
	URL     string
	Choices []choice
	Known   []string // the newest versions
	All     bool     // there are no others
}

type choice struct{ Name, Label, Chosen string }

// compare is the form of a chart, with the versions that are chosen at first.
func compare(s Subject, from, to string) comparison {
	c := comparison{URL: s.Base() + "diff/", All: len(s.Chart.Versions) <= versionsPerPage}
	c.Choices = []choice{{"from", "Compare", from}, {"to", "with", to}}
	for _, v := range s.Chart.Versions[:min(len(s.Chart.Versions), versionsPerPage)] {
		c.Known = append(c.Known, v.Entry.Version)
	}
	return c
}

// replaced is an archive that had a name that another one has, or that was removed.
type replaced struct {
	*repo.File
	Digest string
}

// Versions is a page, of the number at from 0, of the versions of a chart, whose newest one
// is s's.
func Versions(s Subject, at int) Page {
	s.Tab, s.Title = "versions", s.Chart.Name+": versions"
	p := versions{Subject: s, Form: compare(s, older(s.Chart, s.Version).Entry.Version, s.Version.Entry.Version)}
	if !s.Static {
		p.Replaced = replacedOf(s.View, s.Chart.Name)
	}
	if n := len(p.Replaced) - maxReplaced; n > 0 {
		p.Replaced, p.More = p.Replaced[:maxReplaced], n
	}
	all, place := turnTo(at, s.Chart.Versions, s.perPage(versionsPerPage), func(page int) template.URL {
		return template.URL("page=" + strconv.Itoa(page+1))
	})
	p.pager = place
	before := s.Chart.Versions[(place.Number-1)*s.perPage(versionsPerPage)+1:]
	for i, v := range all {
		r := release{Version: v}
		if i < len(before) {
			r.Before = before[i].Entry.Version
		}
		if prov, signed := s.View.File(v.Archive.Name + ".prov"); signed {
			r.Prov = prov.Name
		}
		p.Rows = append(p.Rows, r)
	}
	return Page{"versions", p}
}

// Below is the path of the chart's page below the repository's address.
func (p versions) Below() string { return "chart/" + url.PathEscape(p.Chart.Name) + "/" }

// DiffURL is the URL of the difference of two versions of the chart. Among files it is there of
// a version and the one before it.
func (s Subject) DiffURL(from, to string) string {
	if s.Static {
		return s.VersionURL(s.Chart.Name, to) + "changes/"
	}
	return s.Base() + "diff/?" + url.Values{"from": {from}, "to": {to}}.Encode()
}

// FileURL is the URL of a file of the repository.
func (f Frame) FileURL(name string) string { return f.Root + index.FileURL("", name) }

// older is the version of c that comes before v; v itself where it is the first.
func older(c *repo.Chart, v *repo.Version) *repo.Version {
	at := slices.Index(c.Versions, v)
	return c.Versions[min(at+1, len(c.Versions)-1)]
}

// replacedOf are the archives of a chart that were replaced or removed not long ago, by
// name.
func replacedOf(v *repo.View, name string) (all []replaced) {
	for _, f := range v.Replaced(name + "-") {
		if !ofLonger(v, name, path.Base(f.Name)) {
			all = append(all, replaced{f, path.Base(path.Dir(f.Name))})
		}
	}
	slices.SortFunc(all, func(a, b replaced) int {
		return cmp.Or(strings.Compare(path.Base(a.Name), path.Base(b.Name)), strings.Compare(a.Digest, b.Digest))
	})
	return all
}

// ofLonger reports whether file is of another chart whose name begins with name and a dash.
func ofLonger(v *repo.View, name, file string) bool {
	for i := len(name) + 1; i < len(file); i++ {
		if file[i] == '-' && v.Chart(file[:i]) != nil {
			return true
		}
	}
	return false
}
