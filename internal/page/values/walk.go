package values

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// walk fills a Table.
type walk struct {
	Options
	table  *Table
	bytes  int // of the texts in table
	text   *source
	schema *schema
}

// object lists the keys of n, which is a mapping or nil, and those that only r has.
// refs are the references that r and what is above it came by.
func (w *walk) object(n *yaml.Node, r *rule, at path, level int, refs []string) {
	known := map[string]bool{}
	for key, value := range pairs(n) {
		if isMerge(key) {
			continue
		}
		name := key.Value
		known[name] = true
		w.key(key, value, r, at.child(name), name, level, refs)
	}
	for _, name := range r.names() {
		if !known[name] {
			w.key(nil, nil, r, at.child(name), name, level, refs)
		}
	}
}

// key lists one key, and what is in it, of an object with the rule of. key and value
// are nil where only the schema has it.
func (w *walk) key(key, value *yaml.Node, of *rule, at path, name string, level int, refs []string) {
	r := w.schema.rule(of.property(name))
	cyclic := key == nil && slices.ContainsFunc(r.refs, func(ref string) bool { return slices.Contains(refs, ref) })
	nested := level+1 < w.Depth && !cyclic && (isObject(value) || len(r.properties) > 0)
	w.list(func() Key {
		k := Key{Path: at.String(), Anchor: at.anchor, Level: level, Schema: r.Rule, Types: r.types}
		k.Schema.Required = of.required[name]
		switch {
		case key != nil:
			k.Line = key.Line
			w.describe(&k, key, value, at, nested)
		case len(k.Types) == 0 && len(r.properties) > 0:
			k.Types = []string{"object"}
		}
		return k
	})
	if !nested {
		return
	}
	if !isObject(value) {
		value = nil
	}
	w.object(value, r, at, level+1, slices.Concat(refs, r.refs))
}

// describe adds what values.yaml says.
func (w *walk) describe(k *Key, key, value *yaml.Node, at path, nested bool) {
	c := w.text.comment(key, value, at.plain)
	k.Comment, k.Example = c.text, c.example
	if !isObject(value) || !nested {
		k.Default = short(value)
	}
	if c.fallback != "" {
		k.Default = c.fallback
	}
	switch {
	case len(k.Types) > 0:
	case c.kind != "":
		k.Types = []string{c.kind}
	default:
		k.Types = []string{typeOf(value)}
	}
}

// list adds the key that of makes, or counts it where the table is full.
func (w *walk) list(of func() Key) {
	if len(w.table.Keys) >= w.Keys || w.bytes > maxBytes {
		w.table.More++
		return
	}
	k := of()
	w.bytes += len(k.Path) + len(k.Anchor) + len(k.Default) + len(k.Comment) + len(k.Example) + k.Schema.size()
	w.table.Keys = append(w.table.Keys, k)
}

// isObject reports whether n is a mapping with keys of its own.
func isObject(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.MappingNode && len(n.Content) > 0
}

// pairs yields the keys and values of a mapping, or nothing for nil. Of keys that are
// there twice the last counts, as in Helm. Keys that are no scalars are left out.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil {
			return
		}
		last := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			last[n.Content[i].Value] = i
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind == yaml.ScalarNode && last[key.Value] == i && !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

// isMerge reports whether a key is <<, which lays what is elsewhere into its object.
func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

// names are the keys that the schema has for an object, sorted.
func (r *rule) names() []string {
	names := map[string]bool{}
	for _, properties := range r.properties {
		for name := range properties {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
