package diff

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"chartserve/internal/chart"
)

// maxField is how many bytes of a field are shown.
const maxField = 2_000

// Dependency is a dependency that changed, which has the Fields that did. All of one
// that is new or gone are there.
type Dependency struct {
	Name   string // or alias
	Kind   Kind
	Fields []Field
}

// metadata compares what Chart.yaml says, in its usual order, but for the version, which
// always differs, and the dependencies.
func metadata(before, after *chart.Metadata) []Field {
	return fields(described(before), described(after))
}

// described are the fields of a chart by name; nil has none.
func described(md *chart.Metadata) []Field {
	if md == nil {
		return nil
	}
	all := []Field{
		{Name: "apiVersion", After: md.APIVersion},
		{Name: "name", After: md.Name},
		{Name: "appVersion", After: md.AppVersion},
		{Name: "kubeVersion", After: md.KubeVersion},
		{Name: "description", After: md.Description},
		{Name: "type", After: md.Type},
		{Name: "deprecated", After: trueOrNone(md.Deprecated)},
		{Name: "home", After: md.Home},
		{Name: "icon", After: md.Icon},
		{Name: "sources", After: strings.Join(md.Sources, ", ")},
		{Name: "keywords", After: strings.Join(md.Keywords, ", ")},
		{Name: "maintainers", After: people(md.Maintainers)},
		{Name: "condition", After: md.Condition},
		{Name: "tags", After: md.Tags},
	}
	for _, name := range slices.Sorted(maps.Keys(md.Annotations)) {
		all = append(all, Field{Name: "annotations." + name, After: md.Annotations[name]})
	}
	return all
}

// fields returns the fields that differ: those of after in its order, then what is gone. The
// values of both sides are in After.
func fields(before, after []Field) (changed []Field) {
	was := map[string]string{}
	for _, f := range before {
		was[f.Name] = f.After
	}
	add := func(name, before, after string) {
		if before != after {
			changed = append(changed, Field{Name: cut(name, maxField), Before: cut(before, maxField), After: cut(after, maxField)})
		}
	}
	for _, f := range after {
		add(f.Name, was[f.Name], f.After)
		delete(was, f.Name)
	}
	for _, f := range before {
		if before, ok := was[f.Name]; ok {
			add(f.Name, before, "")
		}
	}
	return changed
}

func trueOrNone(b bool) string {
	if b {
		return strconv.FormatBool(b)
	}
	return ""
}

func people(maintainers []*chart.Maintainer) string {
	var all []string
	for _, m := range maintainers {
		if m == nil {
			continue
		}
		who := m.Name
		if m.Email != "" {
			who += " <" + m.Email + ">"
		}
		if m.URL != "" {
			who += " (" + m.URL + ")"
		}
		all = append(all, who)
	}
	return strings.Join(all, ", ")
}

// dependencies compares what the charts declare, by alias or name: those of after in its
// order, then what is gone.
func dependencies(before, after *chart.Metadata) (changed []Dependency) {
	was, is := declared(before), declared(after)
	old := map[string][]Field{}
	for _, d := range was {
		old[d.name] = d.fields
	}
	for _, d := range is {
		kind := Changed
		if old[d.name] == nil {
			kind = Added
		}
		if f := fields(old[d.name], d.fields); len(f) > 0 {
			changed = append(changed, Dependency{Name: d.name, Kind: kind, Fields: f})
		}
		delete(old, d.name)
	}
	for _, d := range was {
		if old[d.name] != nil {
			changed = append(changed, Dependency{Name: d.name, Kind: Removed, Fields: fields(d.fields, nil)})
		}
	}
	return changed
}

type declaration struct {
	name   string
	fields []Field
}

func declared(md *chart.Metadata) (all []declaration) {
	if md == nil {
		return nil
	}
	for _, d := range md.Dependencies {
		if d == nil {
			continue
		}
		name := d.Name
		if d.Alias != "" {
			name = d.Alias
		}
		all = append(all, declaration{name: name, fields: []Field{
			{Name: "name", After: d.Name},
			{Name: "version", After: d.Version},
			{Name: "repository", After: d.Repository},
			{Name: "condition", After: d.Condition},
			{Name: "tags", After: strings.Join(d.Tags, ", ")},
			{Name: "alias", After: d.Alias},
		}})
	}
	return all
}
