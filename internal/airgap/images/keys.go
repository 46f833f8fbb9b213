package images

import "strings"

// keys are keys of values, true, and all that is above them, false.
type keys map[string]bool

func (k keys) add(key string) {
	for above := range above(key) {
		if _, there := k[above]; !there {
			k[above] = false
		}
	}
	k[key] = true
}

// near reports whether one of the keys is path, or above or below it.
func (k keys) near(path string) bool {
	_, ok := k[path]
	for above := range above(path) {
		ok = ok || k[above]
	}
	return ok
}

// near reports whether one of two paths is the other, or above it.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b || strings.HasPrefix(b, a) && (b[len(a)] == '.' || b[len(a)] == '[')
}

// above yields what is above a path: "a[0]" and "a" for "a[0].b".
func above(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			i := strings.LastIndexAny(path, ".[")
			if i < 0 {
				return
			}
			if path = path[:i]; !yield(path) {
				return
			}
		}
	}
}
