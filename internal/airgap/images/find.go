package images

import (
	"fmt"
	"maps"
	"strings"

	"chartserve/internal/pkgr"
)

// Find lists the images that c and its sub-charts name in their default values,
// annotations and, where they can be read without rendering, templates, in the order of
// sub-charts and keys. One image is listed once for each key.
func Find(c *pkgr.Chart) (found []Image, undecided []Undecided) {
	f := &finder{root: c}
	f.node(tree(c), nil)
	return f.found, f.undecided
}

// finder collects what it comes by.
type finder struct {
	root      *pkgr.Chart
	found     []Image
	undecided []Undecided
	scope
}

// scope is what is the same for all values of one chart.
type scope struct {
	file, from string
	disabled   bool
	appVersion string
	// tagV is what templates write before appVersion where it is the tag: "", or "v", or
	// "?" for both.
	tagV string
	// registry replaces those of maps that name one: bitnami's global.imageRegistry.
	registry string
	// fallback is the registry of those that don't: global.image.registry.
	fallback string
}

// node looks at a chart, then at those below it. globals are its parent's.
func (f *finder) node(n *node, globals table) {
	f.scope = scope{file: n.dir + valuesFile, from: "values", disabled: n.disabled}
	f.registry, _ = lookup(n.values, "global.imageRegistry").(string)
	f.fallback, _ = lookup(n.values, "global.image.registry").(string)
	if n.chart != nil {
		f.appVersion, f.tagV = n.chart.Metadata.AppVersion, tagPrefix(n.chart)
		f.annotations(n)
		f.templates(n)
	}
	if n.err != nil {
		f.doubt("", "", fmt.Sprintf("the values can't be read: %v", n.err))
	}
	own := maps.Clone(n.values)
	for _, sub := range n.subs {
		delete(own, sub.name)
	}
	if below, ok := own[globalKey].(table); ok {
		own[globalKey] = without(below, globals)
	}
	f.table(place{path: n.path}, own)
	globals, _ = n.values[globalKey].(table)
	for _, sub := range n.subs {
		f.node(sub, globals)
	}
}

// without is t less the keys that a parent's globals have: those were looked at
// there.
func without(t, parent table) table {
	t = maps.Clone(t)
	for key := range parent {
		delete(t, key)
	}
	return t
}

// in sets where things are found from now on; what it returns sets it back.
func (f *finder) in(file, from string) (back func()) {
	before := f.scope
	f.file, f.from = file, from
	return func() { f.scope = before }
}

func (f *finder) origin(key string) Origin {
	md := f.root.Metadata
	return Origin{Chart: md.Name, Version: md.Version, File: f.file, Key: key, From: f.from, Disabled: f.disabled}
}

func (f *finder) add(key string, i Image) {
	i.Origin = f.origin(key)
	f.found = append(f.found, i)
}

func (f *finder) doubt(key, value, reason string) {
	f.undecided = append(f.undecided, Undecided{Origin: f.origin(key), Value: value, Reason: reason})
}

// whole adds an image from text that is a whole reference.
func (f *finder) whole(key, text string) {
	i, err := parseWhole(text)
	if err != nil {
		f.doubt(key, text, err.Error())
		return
	}
	f.add(key, i)
}

// join adds a key to a path of values. As in `helm --set`, a dot in the key itself
// is escaped.
func join(path, key string) string {
	key = strings.ReplaceAll(key, ".", `\.`)
	if path == "" {
		return key
	}
	return path + "." + key
}
