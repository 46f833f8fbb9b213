package images

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// place is a position in the values.
type place struct {
	path string
	// key is the last key of path, in lower case; of a list's element it is the
	// list's. parent is the one before.
	key, parent string
	// container says that this is an element of a list of containers.
	container bool
}

func (p place) below(key string) place {
	return place{path: join(p.path, key), key: strings.ToLower(key), parent: p.key}
}

func (f *finder) value(p place, v any) {
	switch v := v.(type) {
	case table:
		f.table(p, v)
	case []any:
		for i, element := range v {
			below := p
			below.path = fmt.Sprintf("%s[%d]", p.path, i)
			below.container = isContainers(p.key)
			f.value(below, element)
		}
	case string:
		f.text(p, v)
	}
}

// table looks at the mapping as a whole, and then at those of its values that are
// no part of an image.
func (f *finder) table(p place, t table) {
	if p.parent == "images" && p.key == "tags" {
		f.tags(p, t)
		return
	}
	used := f.shapes(p, t)
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if text, ok := t[key].(string); ok && p.container && key == "image" {
			f.whole(p.below(key).path, text)
		} else if !used[key] {
			f.value(p.below(key), t[key])
		}
	}
}

// tags is openstack-helm's images.tags: each value is a whole image, and a
// template prints it as it is.
func (f *finder) tags(p place, t table) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		below := p.below(key)
		switch v := t[key].(type) {
		case string:
			if v != "" {
				f.whole(below.path, v)
			}
		case table, []any:
			f.value(below, v)
		case nil:
		default:
			f.doubt(below.path, fmt.Sprint(v), "not text")
		}
	}
}

// isContainers reports whether a list of that name goes into a pod as it is.
func isContainers(key string) bool {
	return strings.HasSuffix(key, "containers") || strings.HasSuffix(key, "sidecars")
}

// isImage reports whether a key is about an image, such as "image" and "testImage".
func isImage(key string) bool { return strings.HasSuffix(key, "image") }
