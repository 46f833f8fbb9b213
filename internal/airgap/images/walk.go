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

func (s *search) value(p place, v any) {
	switch v := v.(type) {
	case table:
		s.table(p, v)
	case []any:
		for i, element := range v {
			if text, ok := element.(string); ok && (p.key == "args" || p.key == "command") {
				s.argument(fmt.Sprintf("%s[%d]", p.path, i), text, v[max(i-1, 0)])
				continue
			}
			below := p
			below.path = fmt.Sprintf("%s[%d]", p.path, i)
			below.container = isContainers(p.key)
			s.value(below, element)
		}
	case string:
		s.text(p, v)
	}
}

// table looks at the mapping as a whole, and then at those of its values that are
// no part of an image.
func (s *search) table(p place, t table) {
	if p.parent == "images" && p.key == "tags" {
		s.tags(p, t)
		return
	}
	if p.key == "env" {
		s.passed(p.below("value").path, stringAt(t, "name"), stringAt(t, "value"))
	}
	used := s.shapes(p, t)
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if text, ok := t[key].(string); ok && p.container && key == "image" {
			s.whole(p.below(key).path, text)
		} else if !used[key] {
			s.value(p.below(key), t[key])
		}
	}
}

// tags is openstack-helm's images.tags: each value is a whole image, and a
// template prints it as it is.
func (s *search) tags(p place, t table) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		below := p.below(key)
		switch v := t[key].(type) {
		case string:
			if v != "" {
				s.whole(below.path, v)
			}
		case table, []any:
			s.value(below, v)
		case nil:
		default:
			s.doubt(below.path, fmt.Sprint(v), "not text")
		}
	}
}

// isContainers reports whether a list of that name goes into a pod as it is.
func isContainers(key string) bool {
	return strings.HasSuffix(key, "containers") || strings.HasSuffix(key, "sidecars")
}

// isImage reports whether a key is about an image, such as "image" and "testImage".
func isImage(key string) bool { return strings.HasSuffix(key, "image") }
