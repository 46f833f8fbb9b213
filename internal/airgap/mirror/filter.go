package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/remote"
)

// Selection says in the words of people which versions of charts to take. The zero
// value selects all but prereleases.
type Selection struct {
	// Charts are NAME or NAME@CONSTRAINT, with a constraint as in a chart's
	// dependencies; none: all charts.
	Charts []string `json:"charts,omitempty"`
	// Exclude are globs (path.Match) of names of charts that are left out.
	Exclude []string `json:"exclude,omitempty"`
	// Latest is how many versions of each chart to take, newest first; 0: all.
	Latest int `json:"latest,omitempty"`
	// Since is a date, which means its first moment in UTC, or a time of RFC 3339.
	// Older versions are left out; empty: none. Versions whose repository tells no
	// time, or 1980 for want of one, are taken.
	Since string `json:"since,omitempty"`
	// Devel takes prereleases too, as Helm's flag of that name does. Without it a
	// version with a "-" is taken only where a constraint names one.
	Devel bool `json:"devel,omitempty"`
}

// Filter is a Selection that was read.
type Filter struct {
	charts  []chart.Pick
	exclude []string
	latest  int
	since   time.Time
	devel   bool
	// best takes one version for each pick: the one that Helm would take for such a
	// dependency.
	best bool
}

// Filter reads s. The error is a *chart.Error that names the field, its value and the
// remedy.
func (s *Selection) Filter() (Filter, error) {
	f := Filter{exclude: s.Exclude, latest: s.Latest, devel: s.Devel}
	for i, text := range s.Charts {
		p, err := chart.ParsePick(text)
		if err != nil {
			return f, &chart.Error{Field: fmt.Sprintf("charts[%d]", i), Value: text, Err: err}
		}
		f.charts = append(f.charts, p)
	}
	for i, glob := range s.Exclude {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return f, &chart.Error{Field: fmt.Sprintf("exclude[%d]", i), Value: glob, Err: errors.New("not a glob of chart names (close each [)")}
		}
	}
	if s.Latest < 0 {
		return f, &chart.Error{Field: "latest", Value: strconv.Itoa(s.Latest), Err: errors.New("write 0 (all versions) or more")}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s.Since); err == nil {
			f.since = t.UTC()
		}
	}
	if s.Since != "" && f.since.IsZero() {
		return f, &chart.Error{Field: "since", Value: s.Since, Err: errors.New("write a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z")}
	}
	return f, nil
}

// candidate is a version that a source offers, in the form that the state remembers.
type candidate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Digest is the archive's, Created when it was made; zero: the source doesn't say, nor does it with 1980.
	Digest  string    `json:"digest,omitempty"`
	Created time.Time `json:"created,omitzero"`
	// Ref says where the archive is, in the source's terms; local does in a folder.
	Ref   string `json:"ref"`
	local filePlace
	Deps  []*chart.Dependency `json:"dependencies,omitempty"`
	oci   *remote.OCIChart    // what the registry said in this run; else nil
	// listed is the entry of an index, where its dependencies are of interest.
	listed *index.Entry
}

// apply returns the candidates that the filter selects, by name in the order of
// their first appearance, newest version first; versions of equal precedence stay in
// the order that the source has them in.
func (f *Filter) apply(all []candidate) []candidate {
	var names []string
	byName := map[string][]candidate{}
	for _, c := range all {
		if !f.offers(c.Name) {
			continue
		}
		if _, seen := byName[c.Name]; !seen {
			names = append(names, c.Name)
		}
		byName[c.Name] = append(byName[c.Name], c)
	}
	var selected []candidate
	for _, name := range names {
		versions := byName[name]
		slices.SortStableFunc(versions, func(a, b candidate) int { return chart.ComparePrecedence(b.Version, a.Version) })
		selected = append(selected, f.versions(name, versions)...)
	}
	return selected
}

// leavesOut returns how many versions the filter leaves out that lenient takes, and the
// charts of which it takes none then. How many of each chart are taken is no reason.
func (f Filter) leavesOut(lenient Filter, all []candidate) (left int, charts []string) {
	f.latest, lenient.latest = 0, 0
	taken, has := map[[2]string]bool{}, map[string]bool{}
	for _, c := range f.apply(all) {
		taken[[2]string{c.Name, c.Version}], has[c.Name] = true, true
	}
	for _, c := range lenient.apply(all) {
		if taken[[2]string{c.Name, c.Version}] {
			continue
		}
		if left++; !has[c.Name] {
			has[c.Name] = true
			charts = append(charts, c.Name)
		}
	}
	return left, charts
}

// sameVersion reports whether two texts are spellings of one version, such as 1.2.3
// and v1.2.3: Helm pulls what an index calls by the one and the chart by the other.
func sameVersion(a, b string) bool {
	x, err := semver.NewVersion(a)
	y, err2 := semver.NewVersion(b)
	return a == b || err == nil && err2 == nil && x.String() == y.String()
}

// spellings are the ways to write a version, its own first.
func spellings(version string) []string {
	all := []string{version}
	v, err := semver.NewVersion(version)
	if err != nil {
		return all
	}
	full := fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch())
	rest := strings.TrimPrefix(v.String(), full)
	numbers := []string{full}
	if v.Patch() == 0 {
		numbers = append(numbers, fmt.Sprintf("%d.%d", v.Major(), v.Minor()))
	}
	if v.Patch() == 0 && v.Minor() == 0 {
		numbers = append(numbers, fmt.Sprint(v.Major()))
	}
	for _, n := range numbers {
		all = append(all, n+rest, "v"+n+rest)
	}
	return all
}

// offers reports whether any version of the chart can be selected.
func (f *Filter) offers(name string) bool {
	for _, glob := range f.exclude {
		if out, _ := path.Match(glob, name); out {
			return false
		}
	}
	return len(f.charts) == 0 || slices.ContainsFunc(f.charts, func(p chart.Pick) bool { return p.Name == name })
}

// versions selects among the versions of one chart, newest first.
func (f *Filter) versions(name string, all []candidate) []candidate {
	picks := slices.DeleteFunc(slices.Clone(f.charts), func(p chart.Pick) bool { return p.Name != name })
	if len(picks) == 0 {
		picks = []chart.Pick{{Name: name}}
	}
	most := cmp.Or(f.latest, len(all))
	if f.best {
		most = 1
	}
	taken := make([]bool, len(all))
	for _, p := range picks {
		met := f.order(p, all)
		for _, i := range met[:min(len(met), most)] {
			taken[i] = true
		}
	}
	var selected []candidate
	for i, c := range all {
		if taken[i] {
			selected = append(selected, c)
		}
	}
	return selected
}

// order returns which versions meet the pick, the best first. A version that the
// pick names exactly is the only one that does, and a build ("1.0.0+a") is met by no
// other build. A dependency, though, gets one of those, as Helm installs it
// (IndexFile.Get, pkg/repo/v1).
func (f *Filter) order(p chart.Pick, all []candidate) []int {
	constraint, err := p.Versions(f.devel)
	if err != nil {
		return nil // ParsePick has refused it
	}
	named := chart.Exact(p.Constraint)
	exact := slices.ContainsFunc(all, func(c candidate) bool { return c.Version == named })
	if v, err := semver.NewVersion(named); err == nil && v.Metadata() != "" && !f.best {
		exact = true
	}
	var list []int
	for i, c := range all {
		switch v, err := semver.NewVersion(c.Version); {
		case err != nil || c.Created.Before(f.since) && index.IsDate(c.Created):
		case exact && c.Version == named, !exact && constraint.Check(v):
			list = append(list, i)
		}
	}
	return list
}
