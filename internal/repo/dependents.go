package repo

import "chartserve/internal/resolve"

// Dependent is a chart that is built from another, directly.
type Dependent struct {
	// Chart is the one that is built. Its Path is that of its source; it has no digest.
	Chart ChartVersion
	// As is the other one in it.
	As Ingredient
}

// Dependents are the live charts that are built from a chart of this repository, also those that
// can't be built because of it, in the order of their paths; nil: there are none. What is
// vendored or fetched is not of this repository.
//
// In a Subset's View charts that the reader may not see are left out, and so is where sources
// are.
func (v *View) Dependents(name string) (out []Dependent) {
	if !v.sees(name) {
		return nil
	}
	for _, u := range v.recipes.uses(name) {
		if v.sees(u.by.name) {
			out = append(out, Dependent{v.shown(u.by), v.visible(u.by.from[u.as : u.as+1])[0]})
		}
	}
	return out
}

// Rebuilds are the charts that are built again when the source of a chart is edited: the chart
// itself and, transitively, all that are built from it, each behind those that it is built from;
// nil: nothing is. A chart that is broken is built as soon as that mends it.
//
// In a Subset's View charts that the reader may not see are left out, and so is where sources
// are; what is built through them is there.
func (v *View) Rebuilds(name string) (out []ChartVersion) {
	if v.recipes == nil || !v.sees(name) {
		return nil
	}
	affected, all := map[*recipe]bool{}, v.recipes.inPathOrder()
	for n := range all {
		if all[n].name == name {
			v.recipes.affect(affected, &all[n])
		}
	}
	for _, version := range v.Chart(name).all() { // an archive in a SOURCE has no recipe
		v.recipes.affect(affected, v.recipes.usersOf(version.source)...)
	}
	for _, x := range v.recipes.inOrder(affected) {
		if x.live && v.sees(x.name) {
			out = append(out, v.shown(x))
		}
	}
	return out
}

// isOwn reports whether an ingredient is a chart or an archive of this repository. link asks, once
// it has byPath.
func (r *recipes) isOwn(i Ingredient) bool {
	switch i.Way {
	case resolve.WayFile, resolve.WayOwn, resolve.WayArchive:
		return true
	}
	return i.Way == resolve.WayUnmet && r.byPath[i.From] != nil
}

// affect adds recipes, and all that are built from them.
func (r *recipes) affect(affected map[*recipe]bool, more ...*recipe) {
	for len(more) > 0 {
		x := more[len(more)-1]
		if more = more[:len(more)-1]; !affected[x] {
			affected[x] = true
			more = append(more, r.usersOf(x.path)...)
		}
	}
}

// inOrder returns recipes, each behind those that it is built from. Charts in a cycle are in the
// order of their paths.
func (r *recipes) inOrder(some map[*recipe]bool) (out []*recipe) {
	seen := map[*recipe]bool{}
	var visit func(x *recipe)
	visit = func(x *recipe) {
		if x == nil || !some[x] || seen[x] {
			return
		}
		seen[x] = true
		for _, i := range x.from {
			visit(r.at(i.From))
			visit(r.at(i.Instead))
		}
		out = append(out, x)
	}
	for n := range r.all {
		visit(&r.all[n])
	}
	return out
}

// shown is a recipe's chart as v may tell of it.
func (v *View) shown(x *recipe) ChartVersion {
	c := ChartVersion{Name: x.name, Version: x.version, Path: x.path}
	if v.may != nil {
		c.Path = ""
	}
	return c
}

// sees reports whether v may name a chart.
func (v *View) sees(name string) bool { return v.may == nil || v.may(name) }
