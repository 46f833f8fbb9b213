package images

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// List is the images of many charts, each once. The zero value is empty; it is not
// safe for concurrent use.
type List struct {
	entries   map[string]*Entry
	undecided map[Undecided]bool
}

// Entry is one image and all places that name it.
type Entry struct {
	// Image is what Image.Ref gives; Registry, Repository, Tag and Digest are its
	// parts. Tag and Digest can be there both; of several tags for one digest it is
	// the lowest.
	Image      string `json:"image"`
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
	// Disabled says that every place belongs to a sub-chart that is off by default.
	Disabled bool     `json:"disabled,omitempty"`
	Sources  []Source `json:"sources"`
}

// Source is one place that names an image; see Origin.
type Source struct {
	Chart   string `json:"chart"`
	Version string `json:"version"`
	File    string `json:"file"`
	Key     string `json:"key"`
	// From is "values", "annotation", "template" or "rendered".
	From          string `json:"from"`
	Disabled      bool   `json:"disabled,omitempty"`
	AppVersionTag bool   `json:"appVersionTag,omitempty"`
}

// Doubt is an Undecided in the list's JSON form.
type Doubt struct {
	Source
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Add merges what Find or Manifests gave into l. The order of calls makes no
// difference.
func (l *List) Add(found []Image, undecided []Undecided) {
	if l.entries == nil {
		l.entries, l.undecided = map[string]*Entry{}, map[Undecided]bool{}
	}
	for _, i := range found {
		ref := i.Ref()
		e := l.entries[ref]
		if e == nil {
			e = &Entry{Image: ref, Registry: i.Registry, Repository: i.Repository, Tag: i.Tag, Digest: i.Digest, Disabled: true}
			l.entries[ref] = e
		}
		if i.Tag != "" && (e.Tag == "" || i.Tag < e.Tag) {
			e.Tag = i.Tag
		}
		e.Disabled = e.Disabled && i.Disabled
		e.Sources = append(e.Sources, sourceOf(i.Origin, i.AppVersionTag))
	}
	for _, u := range undecided {
		l.undecided[u] = true
	}
}

// Images are sorted by Image, their sources by chart, version, file and key.
func (l *List) Images() []Entry {
	list := make([]Entry, 0, len(l.entries))
	for _, ref := range slices.Sorted(maps.Keys(l.entries)) {
		e := *l.entries[ref]
		e.Sources = slices.Clone(e.Sources)
		slices.SortFunc(e.Sources, compareSources)
		e.Sources = slices.Compact(e.Sources)
		list = append(list, e)
	}
	return list
}

// Undecided is what looked like an image and could not be decided, sorted like the
// sources of an image.
func (l *List) Undecided() []Doubt {
	list := make([]Doubt, 0, len(l.undecided))
	for u := range l.undecided {
		list = append(list, Doubt{Source: sourceOf(u.Origin, false), Value: u.Value, Reason: u.Reason})
	}
	slices.SortFunc(list, func(a, b Doubt) int {
		return cmp.Or(compareSources(a.Source, b.Source), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

func sourceOf(o Origin, appVersionTag bool) Source {
	from := "values"
	switch {
	case o.Rendered:
		from = "rendered"
	case o.annotation():
		from = "annotation"
	case strings.HasPrefix(o.Key, "line "):
		from = "template"
	}
	return Source{
		Chart: o.Chart, Version: o.Version, File: o.File, Key: o.Key, From: from,
		Disabled: o.Disabled, AppVersionTag: appVersionTag,
	}
}

func compareSources(a, b Source) int {
	return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.File, b.File), cmp.Compare(a.Key, b.Key), cmp.Compare(a.From, b.From))
}
