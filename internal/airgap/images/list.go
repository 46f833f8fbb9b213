package images

import (
	"cmp"
	"maps"
	"slices"
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
	Sources  []Origin `json:"sources"`
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
		e.Sources = append(e.Sources, i.Origin)
		if i.AppVersionTag {
			reason := "no tag: the chart's appVersion is listed, which is a guess"
			l.undecided[Undecided{Origin: i.Origin, Value: ref, Reason: reason}] = true
		}
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
		slices.SortFunc(e.Sources, compareOrigins)
		e.Sources = slices.Compact(e.Sources)
		list = append(list, e)
	}
	return list
}

// Undecided is what looked like an image and could not be decided, sorted like the
// sources of an image.
func (l *List) Undecided() []Undecided {
	list := slices.AppendSeq(make([]Undecided, 0, len(l.undecided)), maps.Keys(l.undecided))
	slices.SortFunc(list, func(a, b Undecided) int {
		return cmp.Or(compareOrigins(a.Origin, b.Origin), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

func compareOrigins(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.File, b.File), cmp.Compare(a.Key, b.Key), cmp.Compare(a.From, b.From))
}
