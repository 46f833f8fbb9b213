package values

import (
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxDepth    = 20        // of keys that are compared one by one
	maxCompared = 1_000_000 // values, with aliases followed
	maxWhole    = 64 << 10  // bytes of two values in which it is looked up where they differ
)

// Change is a key that two values.yaml do not have alike.
type Change struct {
	// Path and Anchor are as in Key. In a list Path is such as 'hosts[0].name', and
	// Anchor is the list's.
	Path, Anchor string
	// Before and After are the values, as Key's Default; a key that is new has no
	// Before, and one that is gone no After. For an object that is new or gone as a whole
	// there is one Change. Where both are long and begin alike, they begin with "…".
	Before, After string
	// LineBefore and LineAfter are where the key is, from 1; 0 where it is not.
	LineBefore, LineAfter int
}

// Compare returns how the values of after differ from those of before: at most most
// changes, in the order of after, with what is gone at the end of its object. more is
// how many there are besides. Comments, the order of keys and the quotes around texts
// make no difference. Lists of one length are compared item by item. Errors are those
// of Read, of either file.
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

// entry is a key with its value, or an item of a list, which is both.
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
		at, now := at.child(key.Value), entry{key, value}
		if old, ok := was[key.Value]; ok {
			c.values(old, now, at, depth)
		} else {
			c.add(at, entry{}, now)
		}
	}
	for key, value := range pairs(before) {
		if _, ok := is[key.Value]; !ok {
			c.add(at.child(key.Value), entry{key, value}, entry{})
		}
	}
}

// values compares the values of one key. Lists of one length are compared item by item.
func (c *comparison) values(before, after entry, at path, depth int) {
	old, now := before.value, after.value
	switch {
	case depth+1 < maxDepth && isObject(old) && isObject(now):
		c.objects(old, now, at, depth+1)
	case depth+1 < maxDepth && old.Kind == yaml.SequenceNode && now.Kind == yaml.SequenceNode && len(old.Content) == len(now.Content):
		for i := range old.Content {
			c.values(entry{old.Content[i], old.Content[i]}, entry{now.Content[i], now.Content[i]}, at.item(i), depth+1)
		}
	case !c.same(old, now):
		c.add(at, before, after)
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
	if change.Before == change.After && before.key != nil && after.key != nil {
		change.Before, change.After = apart(before.value, after.value)
	}
	c.changes = append(c.changes, change)
}

// apart writes two values that look alike in short: what aliases stand for, from shortly
// before where they differ.
func apart(before, after *yaml.Node) (string, string) {
	was, is := whole(target(before)), whole(target(after))
	n := 0
	for n < len(was) && n < len(is) && was[n] == is[n] {
		n++
	}
	n = max(n-maxShort/4, 0)
	for n > 0 && n < len(was) && !utf8.RuneStart(was[n]) {
		n--
	}
	dots := ""
	if n > 0 {
		dots = "…"
	}
	return dots + clean(cut(was[n:], maxShort)), dots + clean(cut(is[n:], maxShort))
}

// target is what an alias stands for, and else n.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// whole writes a value on one line as short does, up to what is worth comparing.
func whole(n *yaml.Node) string {
	s := shortener{most: maxWhole}
	s.node(n)
	return s.Builder.String()
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
	a, b = target(a), target(b)
	pair := [2]*yaml.Node{a, b}
	equal, known := c.equal[pair]
	if !known {
		c.equal[pair] = true
		equal = c.same(a, b)
		c.equal[pair] = equal
	}
	return equal
}
