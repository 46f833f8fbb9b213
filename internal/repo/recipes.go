package repo

import (
	"cmp"
	"slices"
	"sync"

	"chartserve/internal/chart"
	"chartserve/internal/resolve"
)

// Ingredient is a chart that another is built from.
type Ingredient = resolve.Ingredient

// recipe is what a chart source is built from.
type recipe struct {
	name, version string // as published
	path          string // as its user named it
	// live says that the source is, or would be if it were not broken, what its name and version
	// is published from; others are built into charts alone, or come later in precedence.
	live bool
	from []Ingredient
}

// recipes are those of all chart sources, made by each pass; Views share them. nil: there are
// no sources.
type recipes struct {
	all []recipe // in no order before links

	links  sync.Once // sorts all by path and makes what follows, when somebody asks
	byPath map[string]*recipe
	users  map[string][]*recipe // what is built from a source, by its path
	into   map[string][]use     // what is live, built from a chart of this repository, by its name
}

// use is what a recipe takes of a chart: an index of its from.
type use struct {
	by *recipe
	as int
}

// recipesOf keeps what the nodes of a pass tell. Nodes refer to charts that change with the next
// pass, and are not for readers.
func (r *Repository) recipesOf(nodes map[*resolve.Chart]*resolve.Node) *recipes {
	if len(nodes) == 0 {
		return nil
	}
	out := &recipes{all: make([]recipe, 0, len(nodes))}
	for c, n := range nodes {
		if c.Metadata == nil {
			continue
		}
		x := recipe{name: c.Metadata.Name, version: r.opts.withMetadata(c.Metadata.Version), path: c.Path, from: n.Ingredients}
		x.live = r.planner.live[x.name][x.version] == x.path
		out.all = append(out.all, x)
	}
	return out
}

// inPathOrder are all recipes, by path; none if r is nil.
func (r *recipes) inPathOrder() []recipe {
	if r == nil {
		return nil
	}
	r.links.Do(r.link)
	return r.all
}

// at is the recipe of the source at path; nil: there is none.
func (r *recipes) at(path string) *recipe {
	if r == nil {
		return nil
	}
	r.links.Do(r.link)
	return r.byPath[path]
}

// uses are those of a chart of this repository, in the order of the users' paths.
func (r *recipes) uses(name string) []use {
	if r == nil {
		return nil
	}
	r.links.Do(r.link)
	return r.into[name]
}

// usersOf are the recipes that have the source at path, or would if it were not broken.
func (r *recipes) usersOf(path string) []*recipe {
	r.links.Do(r.link)
	return r.users[path]
}

func (r *recipes) link() {
	slices.SortFunc(r.all, func(a, b recipe) int { return cmp.Compare(a.path, b.path) })
	r.byPath, r.users, r.into = make(map[string]*recipe, len(r.all)), map[string][]*recipe{}, map[string][]use{}
	for n := range r.all {
		r.byPath[r.all[n].path] = &r.all[n]
	}
	for n := range r.all {
		x := &r.all[n]
		for at, i := range x.from {
			if x.live && r.isOwn(i) {
				r.into[i.Name] = append(r.into[i.Name], use{x, at})
			}
			for _, path := range []string{i.From, i.Instead} {
				if path != "" && i.Way != resolve.WayVendored && i.Way != resolve.WayFetched {
					r.users[path] = append(r.users[path], x)
				}
			}
		}
	}
}

// Ingredients are the charts that a version is built from, without what those are built from in
// turn; nil: none. Of a version that is built from a chart in a SOURCE they are as that source
// is now, also while it is broken. Of archives, whether they were uploaded, kept or found, it is
// known what they declare and not what is inside: resolve.WayDeclared.
//
// In a Subset's View, charts that the reader may not see are left out, and so is where sources
// are.
func (v *View) Ingredients(of *Version) []Ingredient {
	if x := v.recipes.at(of.source); x != nil && len(x.from) > 0 {
		return v.visible(x.from)
	}
	return v.visible(of.declared())
}

// declared are the dependencies that the index has of a version.
func (v *Version) declared() (out []Ingredient) {
	md, err := v.Entry.Metadata()
	if err != nil {
		return nil // index wrote it
	}
	for _, d := range md.Dependencies {
		out = append(out, Ingredient{Name: d.Name, Alias: d.Alias, Version: d.Version, Way: resolve.WayDeclared, From: chart.ShowAddress(d.Repository)})
	}
	return out
}

// visible is what v may tell of ingredients.
func (v *View) visible(all []Ingredient) (out []Ingredient) {
	if v.may == nil {
		return all
	}
	for _, i := range all {
		if !v.may(i.Name) {
			continue
		}
		switch i.Way {
		case resolve.WayFile, resolve.WayOwn, resolve.WayArchive, resolve.WayUnmet:
			i.From, i.Instead = "", ""
		}
		out = append(out, i)
	}
	return out
}
