package values

import (
	"go.yaml.in/yaml/v3"
)

const (
	maxDepth    = 20        // of keys that are compared one by one
	maxCompared = 1_000_000 // values, with aliases followed
)

// Change is a key that two values.yaml do not have alike.
type Change struct {
	// Path and Anchor are as in Key.
	Path, Anchor string
	// Before and After are the values, as Key's Default; a key that is new has no
	// Before, and one that is gone no After. For an object that is new or gone as a whole
	// there is one Change.
	Before, After string
	// LineBefore and LineAfter are where the key is, from 1; 0 where it is not.
	LineBefore, LineAfter int
}

// Compare returns how the values of after differ from those of before: at most most
// changes, in the order of after, with what is gone at the end of its object. more is
// how many there are besides. Comments, the order of keys and the quotes around texts
// make no difference. Errors are those of Read, of either file.
func Compare(before, after []byte, most int) (changes []Change, more int, err error) {
	b, err := parse(before)
	if err != nil {
		return nil, 0, err
	}
	a, err := parse(after)
	if err != nil {
		return nil, 0, err
	}
	c := &comparison{most: most, equal: map[[2]*yaml.Node]bool{}}
	c.objects(b, a, path{}, 0)
	return c.changes, c.more, nil
}

type comparison struct {
	changes    []Change
	most, more int
	compared   int
	equal      map[[2]*yaml.Node]bool // of what aliases stand for; true while it is compared
}

type entry struct{ key, value *yaml.Node }

func entries(n *yaml.Node) map[string]entry {
	all := map[string]entry{}
	for key, value := range pairs(n) {
		all[key.Value] = entry{key, value}
	}
	return all
}

// objects compares two mappings, either of which may be nil.
func (c *comparison) objects(before, after *yaml.Node, at path, depth int) {
	was, is := entries(before), entries(after)
	for key, value := range pairs(after) {
		old, ok := was[key.Value]
		at := at.child(key.Value)
		switch {
		case !ok:
			c.add(at, entry{}, entry{key, value})
		case isObject(old.value) && isObject(value) && depth+1 < maxDepth:
			c.objects(old.value, value, at, depth+1)
		case !c.same(old.value, value):
			c.add(at, old, entry{key, value})
		}
	}
	for key, value := range pairs(before) {
		if _, ok := is[key.Value]; !ok {
			c.add(at.child(key.Value), entry{key, value}, entry{})
		}
	}
}

func (c *comparison) add(at path, before, after entry) {
	if len(c.changes) >= c.most {
		c.more++
		return
	}
	change := Change{Path: at.String(), Anchor: at.anchor}
	if before.key != nil {
		change.Before, change.LineBefore = short(before.value), before.key.Line
	}
	if after.key != nil {
		change.After, change.LineAfter = short(after.value), after.key.Line
	}
	c.changes = append(c.changes, change)
}

// same reports whether two values are the same to Helm. Where that takes too long they
// are not.
func (c *comparison) same(a, b *yaml.Node) bool {
	if c.compared += 1 + len(a.Content) + len(b.Content); c.compared > maxCompared {
		return false
	}
	if a.Kind == yaml.AliasNode || b.Kind == yaml.AliasNode {
		return c.sameAliased(a, b)
	}
	if typeOf(a) != typeOf(b) {
		return false
	}
	switch a.Kind {
	case yaml.MappingNode:
		was, is := entries(a), entries(b)
		if len(was) != len(is) {
			return false
		}
		for name, old := range was {
			if e, ok := is[name]; !ok || !c.same(old.value, e.value) {
				return false
			}
		}
		return true
	case yaml.SequenceNode:
		if len(a.Content) != len(b.Content) {
			return false
		}
		for i := range a.Content {
			if !c.same(a.Content[i], b.Content[i]) {
				return false
			}
		}
		return true
	}
	return a.Value == b.Value || typeOf(a) == "null"
}

// sameAliased compares what aliases stand for, each pair once.
func (c *comparison) sameAliased(a, b *yaml.Node) bool {
	if a.Kind == yaml.AliasNode {
		a = a.Alias
	}
	if b.Kind == yaml.AliasNode {
		b = b.Alias
	}
	pair := [2]*yaml.Node{a, b}
	equal, known := c.equal[pair]
	if !known {
		c.equal[pair] = true
		equal = c.same(a, b)
		c.equal[pair] = equal
	}
	return equal
}
