package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/remote"
)

// Filter selects versions of charts. The zero value selects all but prereleases.
type Filter struct {
	// Charts are the charts to take, and their versions; none: all charts.
	Charts []Pick
	// Exclude are globs (path.Match) of names of charts that are left out.
	Exclude []string
	// Latest is how many versions of each chart to take, newest first; 0: all.
	Latest int
	// Since leaves out what was created before; zero: nothing. Versions whose
	// repository tells no time, or 1980 for want of one, are taken.
	Since time.Time
	// Devel takes prereleases too, as Helm's flag of that name does. Without it a
	// version with a "-" is taken only where a constraint names one.
	Devel bool
	// best takes one version for each Pick: the one that Helm would take for such a
	// dependency.
	best bool
}

// Pick is a chart, and which versions of it.
type Pick struct {
	Name string
	// Constraint is as in a chart's dependencies; empty: any version.
	Constraint string
}

func (p Pick) String() string {
	if p.Constraint == "" {
		return p.Name
	}
	return p.Name + "@" + p.Constraint
}

// ParsePick reads NAME or NAME@CONSTRAINT.
func ParsePick(s string) (Pick, error) {
	name, constraint, at := strings.Cut(s, "@")
	p := Pick{strings.TrimSpace(name), strings.TrimSpace(constraint)}
	if p.Name == "" || strings.ContainsAny(p.Name, "/*? ") || (at && p.Constraint == "") {
		return p, errors.New("write NAME or NAME@CONSTRAINT, such as nova@^1.2.0")
	}
	if _, err := p.constraint(false); err != nil {
		return p, err
	}
	return p, nil
}

func (p Pick) constraint(devel bool) (*semver.Constraints, error) {
	// Its bounds on the length are wanted here as well.
	c, err := (&chart.Dependency{Name: p.Name, Version: cmp.Or(p.Constraint, "*")}).Constraint()
	if err != nil {
		return nil, err
	}
	c.IncludePrerelease = c.IncludePrerelease || devel
	return c, nil
}

// Check returns what is wrong with the filter, and how it would be right.
func (f *Filter) Check() error {
	if f.Latest < 0 {
		return fmt.Errorf("latest %d: write 0 (all versions) or more", f.Latest)
	}
	for _, glob := range f.Exclude {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return fmt.Errorf("exclude %q: not a glob of chart names (close each [)", glob)
		}
	}
	for _, p := range f.Charts {
		if _, err := ParsePick(p.String()); err != nil {
			return fmt.Errorf("chart %q: %w", p, err)
		}
	}
	return nil
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

// prereleases returns how many versions are left out because they are prereleases, and
// the charts that have no other version.
func (f *Filter) prereleases(all []candidate) (left int, charts []string) {
	if f.Devel || f.best {
		return 0, nil
	}
	without, with := *f, *f
	without.Latest, with.Latest, with.Devel = 0, 0, true
	taken, has := map[[2]string]bool{}, map[string]bool{}
	for _, c := range without.apply(all) {
		taken[[2]string{c.Name, c.Version}], has[c.Name] = true, true
	}
	for _, c := range with.apply(all) {
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

// offers reports whether any version of the chart can be selected.
func (f *Filter) offers(name string) bool {
	for _, glob := range f.Exclude {
		if out, _ := path.Match(glob, name); out {
			return false
		}
	}
	return len(f.Charts) == 0 || slices.ContainsFunc(f.Charts, func(p Pick) bool { return p.Name == name })
}

// versions selects among the versions of one chart, newest first.
func (f *Filter) versions(name string, all []candidate) []candidate {
	picks := f.picks(name)
	taken := make([]bool, len(all))
	for _, p := range picks {
		n := 0
		for _, i := range f.order(p, all) {
			if f.Latest > 0 && n == f.Latest || f.best && n == 1 {
				break
			}
			taken[i] = true
			n++
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

// picks are those that are about the chart; without any, all its versions.
func (f *Filter) picks(name string) []Pick {
	var picks []Pick
	for _, p := range f.Charts {
		if p.Name == name {
			picks = append(picks, p)
		}
	}
	if len(picks) == 0 {
		return []Pick{{Name: name}}
	}
	return picks
}

// order returns which versions meet the pick, the best first. A version that the
// pick names exactly is the only one that does, and a build ("1.0.0+a") is met by no
// other build. A dependency, though, gets one of those, as Helm installs it
// (IndexFile.Get, pkg/repo/v1).
func (f *Filter) order(p Pick, all []candidate) []int {
	constraint, err := p.constraint(f.Devel)
	if err != nil {
		return nil // Check has refused it
	}
	named := chart.Exact(p.Constraint)
	exact := slices.ContainsFunc(all, func(c candidate) bool { return c.Version == named })
	if v, err := semver.NewVersion(named); err == nil && v.Metadata() != "" && !f.best {
		exact = true
	}
	var list []int
	for i, c := range all {
		switch v, err := semver.NewVersion(c.Version); {
		case err != nil || c.Created.Before(f.Since) && index.IsDate(c.Created):
		case exact && c.Version == named, !exact && constraint.Check(v):
			list = append(list, i)
		}
	}
	return list
}
