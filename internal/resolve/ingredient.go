package resolve

import (
	"cmp"
	"strings"

	"chartserve/internal/chart"
)

// Ingredient is a chart that another is built from: what meets one dependency, or what only
// charts/ has.
type Ingredient struct {
	// Name is the chart's own; Alias is the name that it gets in the other, empty: its own.
	Name, Alias string
	// Version is the chart's. Of WayDeclared and WayUnmet it is the constraint.
	Version string
	Way     Way
	// From is where the chart was found: a directory or an archive in a SOURCE as its user
	// named it, the name of an archive in the repository folder, "charts/", or the address of
	// a repository, without credentials. Of WayUnmet it is the source that can't be used, if
	// there is one.
	From string
	// Instead is the source in whose place an archive is used, because it can't be built;
	// empty: there is none.
	Instead string
}

// Way is how a dependency is met.
type Way string

const (
	// WayFile is a chart source that a file:// path leads to.
	WayFile Way = "file"
	// WayOwn is a chart source of this repository, WayArchive an archive of it.
	WayOwn     Way = "own"
	WayArchive Way = "archive"
	// WayVendored is what charts/ holds.
	WayVendored Way = "vendored"
	// WayFetched is from a remote repository.
	WayFetched Way = "fetched"
	// WayUnmet is a dependency that nothing meets, or not yet, or that can't be built.
	WayUnmet Way = "unmet"
	// WayDeclared is a dependency of an archive that was made elsewhere: whether and how it is
	// met is not known.
	WayDeclared Way = "declared"
)

// vendoredIn is Ingredient.From of WayVendored.
const vendoredIn = "charts/"

// ingredient says how a dependency of n is met: by s, unless there is an error.
func (r *resolver) ingredient(n *Node, w need, s Sub, err error) Ingredient {
	out := Ingredient{Name: w.Name, Alias: w.Alias, Version: s.Version}
	_, own := r.Own.Means(w.Repository)
	switch {
	case err != nil:
		out.Version, out.Way, out.From = w.Version, WayUnmet, chart.ShowAddress(w.Repository)
		if source := r.meant(n, w); source != nil {
			out.From = source.Path
		}
	case s.Node != nil:
		out.Way, out.From = WayOwn, s.Node.Chart.Path
		if strings.HasPrefix(w.Repository, "file://") {
			out.Way = WayFile
		}
	case s.Archive != nil && own:
		out.Way, out.From = WayArchive, cmp.Or(s.Archive.Path, s.Archive.Location)
		if source := r.meant(n, w); source != nil && w.accepts(source.Metadata.Version) && r.isBroken(source) {
			out.Instead = source.Path
		}
	case s.Archive != nil:
		out.Way, out.From = WayFetched, w.want().Shown()
	default:
		out.Way, out.From = WayVendored, vendoredIn
	}
	return out
}

// meant is the chart source that a dependency of n is about, also one that can't be built or
// has another version; nil: there is none.
func (r *resolver) meant(n *Node, w need) (source *Chart) {
	if w.err != nil {
		return nil
	}
	if dir, ok := pathOf(n.Chart, w); ok {
		return r.at(dir)
	}
	part, own := r.Own.Means(w.Repository)
	if !own {
		return nil
	}
	if source = r.source(w, part); source != nil {
		return source
	}
	for _, c := range r.named(w.Name, part) {
		if fits := w.accepts(c.Metadata.Version); source == nil || fits && !w.accepts(source.Metadata.Version) {
			source = c
		}
	}
	return source
}

// isBroken reports whether c is known not to be buildable. It resolves nothing: what is only
// looked at here must not be part of a cycle.
func (r *resolver) isBroken(c *Chart) bool {
	n := r.result.Nodes[c]
	return c.Err != nil || n != nil && n.done && n.Err != nil
}
