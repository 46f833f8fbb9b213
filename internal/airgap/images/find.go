package images

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/pkgr"
)

// Finder finds the images that charts name. The zero value goes by their default
// values. It is safe for concurrent use.
type Finder struct {
	// Values are laid over those of the charts, the later over the earlier.
	Values []Values
	// Renderer renders charts as well; nil: nothing is rendered.
	Renderer *Renderer

	values cache[parsedValues]
	parsed cache[*source]
}

// Values are laid over a chart's own.
type Values struct {
	// Chart is the name of the chart they are for; empty: all.
	Chart string
	Table map[string]any
	// File is where they come from, for the Renderer.
	File string
}

// FindIn is Find, and looks as well at what the Renderer, if there is one, makes of the
// archive at path, which is c's. With an error the rest is found.
func (f *Finder) FindIn(ctx context.Context, c *pkgr.Chart, path string) (found []Image, undecided []Undecided, err error) {
	found, undecided = f.Find(c)
	if f.Renderer == nil || c.Metadata.Type == "library" { // Helm renders no library
		return found, undecided, nil
	}
	var files []string
	for _, v := range f.Values {
		if v.isFor(c) {
			files = append(files, v.File)
		}
	}
	manifests, err := f.Renderer.Render(ctx, path, files...)
	if err != nil {
		return found, undecided, err
	}
	rendered, doubts := Manifests(c, manifests)
	found, undecided = settle(found, undecided, rendered)
	return append(found, rendered...), append(undecided, doubts...), nil
}

func (v Values) isFor(c *pkgr.Chart) bool { return v.Chart == "" || v.Chart == c.Metadata.Name }

// Find lists the images that c and its sub-charts name in their values, annotations
// and, where they can be read without rendering, templates, in the order of sub-charts
// and keys. One image is listed once for each key.
func (f *Finder) Find(c *pkgr.Chart) (found []Image, undecided []Undecided) {
	all := &sources{files: map[*pkgr.Chart][]templateFile{}, defines: map[string]placed{}}
	all.add(c, "", &f.parsed)
	for _, nulls := range []nulls{nullDeletes, nullIsNothing} {
		root, more := f.tree(c, nulls)
		s := &search{
			root: c, sources: all, reader: &reader{all.defines, map[string]paths{}}, left: maxNodes,
			printed: map[lineID]bool{}, lineReads: map[lineID][]string{}, included: map[string]bool{},
		}
		s.evaluate(root)
		s.look(root, nil)
		nodes := root.all()
		for _, n := range nodes {
			s.judge(n, nodes)
		}
		found, undecided = append(found, s.found...), append(undecided, s.undecided...)
		if !more {
			break
		}
	}
	return unique(found), unique(undecided)
}

// Missing returns the names of the dependencies that c has not with it: nothing is known of
// their images.
func Missing(c *pkgr.Chart) (names []string) {
	for _, d := range c.Metadata.Dependencies {
		if sub, _ := folder.Vendored(c, d); sub == nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// unique removes what is there already.
func unique[T comparable](list []T) []T {
	seen := map[T]bool{}
	return slices.DeleteFunc(list, func(v T) bool {
		was := seen[v]
		seen[v] = true
		return was
	})
}

// search is one look at a chart. It collects what it comes by.
type search struct {
	root      *pkgr.Chart
	sources   *sources
	reader    *reader
	found     []Image
	undecided []Undecided
	// printed are lines of templates that some chart's values decided.
	printed map[lineID]bool
	// lineReads are the values that lines read.
	lineReads map[lineID][]string
	// included are the defines that are rendered.
	included map[string]bool
	// left may yet be spent on templates, in nodes.
	left int
	scope
}

// scope is what is the same for all values of one chart.
type scope struct {
	file, from string
	// prefix begins each key: the object of a manifest.
	prefix     string
	node       *node
	appVersion string
	// registry replaces those of maps that name one: bitnami's global.imageRegistry.
	registry string
	// fallback is the registry of those that don't: global.image.registry.
	fallback string
}

// look looks at a chart, then at those below it. globals are its parent's.
func (s *search) look(n *node, globals table) {
	s.scope = scope{node: n}
	s.registry, _ = lookup(n.values, "global.imageRegistry").(string)
	s.fallback, _ = lookup(n.values, "global.image.registry").(string)
	if n.chart != nil {
		s.appVersion = n.chart.Metadata.AppVersion
		s.annotations(n)
		s.templates(n)
	}
	s.file, s.from = n.dir+valuesFile, "values"
	if n.err != nil {
		s.doubt("", "", fmt.Sprintf("the values can't be read: %v", n.err))
	}
	own := maps.Clone(n.values)
	for _, sub := range n.subs {
		delete(own, sub.name)
	}
	if below, ok := own[globalKey].(table); ok {
		own[globalKey] = without(below, globals)
	}
	s.table(place{path: n.path}, own)
	globals, _ = n.values[globalKey].(table)
	for _, sub := range n.subs {
		s.look(sub, globals)
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

func (s *search) origin(key string) Origin {
	md := s.root.Metadata
	return Origin{Chart: md.Name, Version: md.Version, File: s.file, Key: s.prefix + key, From: s.from, Disabled: s.node != nil && s.node.disabled}
}

func (s *search) add(key string, i Image) {
	guessed := i.AppVersionTag
	i.Origin = s.origin(key)
	i.AppVersionTag = guessed
	s.found = append(s.found, i)
	s.account(key)
}

// account remembers that a key was reported, one way or the other.
func (s *search) account(key string) {
	if s.from == "values" && s.node != nil {
		if s.node.keys == nil {
			s.node.keys = keys{}
		}
		s.node.keys.add(s.node.relative(key))
	}
}

func (s *search) doubt(key, value, reason string) {
	s.account(key)
	if s.from == "values" && s.settled(key, value) {
		return
	}
	s.undecided = append(s.undecided, Undecided{Origin: s.origin(key), Value: value, Reason: reason})
}

// whole adds an image from text that is a whole reference.
func (s *search) whole(key, text string) {
	i, err := parseWhole(text)
	if err != nil {
		s.doubt(key, text, err.Error())
		return
	}
	s.add(key, i)
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
