package remote

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// maxListed is how many versions or names an error lists.
const maxListed = 8

// choose returns the version that Helm would take (IndexFile.Get in pkg/repo/v1):
// the one that is named exactly, else the newest. Among builds of one version that
// is the first in the index.
func choose(f *index.File, name string, constraint *semver.Constraints) (*index.Entry, error) {
	versions := versionsOf(f, name)
	if len(versions) == 0 {
		return nil, fmt.Errorf("%w: no chart has that name; %s%s", ErrNotFound, otherNames(f, name), skipped(f))
	}
	exact := chart.Exact(constraint.String())
	for _, e := range versions {
		if e.Version == exact {
			return e, nil
		}
	}
	for _, e := range versions {
		if meets(e, constraint) {
			return e, nil
		}
	}
	var texts []string
	for _, e := range versions {
		texts = append(texts, e.Version)
	}
	return nil, fmt.Errorf("%w: no version meets that; %s%s%s", ErrNotFound, thereAre(texts), prereleaseHint(versions, constraint), skipped(f))
}

// versionsOf returns all versions of a chart, newest first whatever their order in
// the index, as Helm sorts them too when it loads one.
func versionsOf(f *index.File, name string) []*index.Entry {
	from, found := slices.BinarySearchFunc(f.Entries, name, func(e *index.Entry, name string) int {
		return strings.Compare(e.Name, name)
	})
	if !found {
		return nil
	}
	to := from
	for to < len(f.Entries) && f.Entries[to].Name == name {
		to++
	}
	versions := slices.Clone(f.Entries[from:to])
	slices.SortStableFunc(versions, func(a, b *index.Entry) int { return chart.ComparePrecedence(b.Version, a.Version) })
	return versions
}

func meets(e *index.Entry, constraint *semver.Constraints) bool {
	v, err := semver.NewVersion(e.Version)
	return err == nil && constraint.Check(v)
}

// prereleaseHint says when prereleases are all that stands between the
// constraint and a version.
func prereleaseHint(versions []*index.Entry, constraint *semver.Constraints) string {
	lenient := *constraint
	lenient.IncludePrerelease = true
	for _, e := range versions {
		if meets(e, &lenient) {
			return fmt.Sprintf(" (%s is a prerelease: a constraint takes those only when it names one, as >=1.0.0-0 does)", short(e.Version))
		}
	}
	return ""
}

// otherNames lists the charts that there are, those first whose names look alike.
func otherNames(f *index.File, name string) string {
	var alike, others []string
	for i, e := range f.Entries {
		switch a, b := strings.ToLower(e.Name), strings.ToLower(name); {
		case i > 0 && f.Entries[i-1].Name == e.Name:
		case strings.Contains(a, b) || strings.Contains(b, a):
			alike = append(alike, e.Name)
		default:
			others = append(others, e.Name)
		}
	}
	if len(alike)+len(others) == 0 {
		return "there is none at all"
	}
	return thereAre(append(alike, others...))
}

// thereAre is "there are 1.2.0, 1.1.0 and 14 more".
func thereAre(items []string) string {
	text := "there are "
	if len(items) == 1 {
		text = "there is "
	}
	shown := make([]string, 0, maxListed)
	for _, s := range items[:min(maxListed, len(items))] {
		shown = append(shown, short(s))
	}
	text += strings.Join(shown, ", ")
	if more := len(items) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// short cuts a name or version, which may have hundreds of bytes.
func short(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// skipped says that the index has entries that could not be read: what is missed
// may be among them.
func skipped(f *index.File) string {
	if len(f.Skipped) == 0 {
		return ""
	}
	return fmt.Sprintf("; entries that could not be read: %d, such as %v", len(f.Skipped), f.Skipped[0])
}
