package gen

import (
	"fmt"
	"strings"
)

// manner is how the authors of some charts write values.yaml. Its shares are out
// of 1,000 keys. They were counted in the 80 charts of openstack-helm and in 360
// public ones; the tests of values hold them.
type manner struct {
	// deepest is the level below which no mapping begins, nested the share of keys
	// with a mapping, camel the spelling of keys.
	deepest, nested int
	camel           bool
	// comment is the share of keys with a comment above, example how many of 100
	// lines of comments are keys that are commented out.
	comment, example int
	// blank is the share of keys of the first two levels with a blank line above.
	blank int
	// The shares of {} and [], block sequences, quoted texts and texts beyond 120
	// bytes.
	empty, list, quoted, long int
	// The shares of flow collections, block texts and anchors with an alias.
	flow, literal, folded, anchor int
}

// configured writes as openstack-helm does: deep, few comments, files of other
// programs as block texts.
func configured(r *source) manner {
	m := manner{deepest: 7, nested: 230, comment: 120, example: 50, blank: 60, empty: 18, list: 70, quoted: 130, long: 3, literal: 12}
	return m.sometimes(r)
}

// documented writes as most public charts do: flat, half of the lines comments.
func documented(r *source) manner {
	m := manner{deepest: 4, nested: 220, camel: true, comment: 620, example: 40, blank: 420, empty: 150, list: 25, quoted: 150, long: 4, literal: 2}
	return m.sometimes(r)
}

// sometimes adds what only a part of all files has.
func (m manner) sometimes(r *source) manner {
	if r.n(6) == 0 {
		m.flow = 25
	}
	if r.n(12) == 0 {
		m.folded = 6
	}
	if r.n(12) == 0 {
		m.anchor = 12
	}
	return m
}

// key is a name for a key that used does not have yet. None ends in image:
// its value would have to name one.
func (m manner) key(r *source, used map[string]bool) string {
	return fresh(used, func() string {
		for {
			name := r.words(r.between(1, 3), "_")
			if m.camel {
				first, second := r.word(), r.word()
				name = first + strings.ToUpper(second[:1]) + second[1:]
			}
			if !strings.HasSuffix(strings.ToLower(name), "image") {
				return name
			}
		}
	})
}

// mapping writes n keys and what they hold, as far as size allows.
func (w *writer) mapping(r *source, m manner, level, n, size int) {
	used := map[string]bool{}
	for i := 0; i < n && (i == 0 || w.Len() < size); i++ {
		w.setting(r, m, level, m.key(r, used), size)
	}
}

// setting writes one key with its comment and its value.
func (w *writer) setting(r *source, m manner, level int, key string, size int) {
	if level < 2 && r.n(1000) < m.blank {
		w.WriteByte('\n')
	}
	if r.n(1000) < m.comment {
		w.comment(r, m, level)
	}
	share := r.n(1000)
	is := func(of int) bool { share -= of; return share < 0 }
	switch {
	case level < m.deepest && is(m.nested), level == 0 && is(m.nested): // twice as often at the top
		w.line(level, "%s:", key)
		w.mapping(r, m, level+1, r.between(1, 6), size)
	case is(m.empty):
		w.line(level, "%s: %s", key, []string{"{}", "[]"}[r.n(2)])
	case is(m.list):
		w.line(level, "%s:", key)
		for range r.between(1, 4) {
			w.line(level+1, "- %s", r.words(r.between(1, 3), "."))
		}
	case is(m.long):
		w.line(level, "%s: %q", key, r.sentence(r.between(120, 300)))
	case is(m.flow):
		w.flow(r, level, key)
	case is(m.literal):
		w.line(level, "%s: |", key)
		w.WriteString(prefixed(strings.Repeat("  ", level+1), shell(r, r.between(200, 1200))))
	case is(m.folded):
		w.line(level, "%s: >-", key)
		for range r.between(1, 4) {
			w.line(level+1, "%s", r.sentence(60))
		}
	case is(m.anchor):
		w.anchor(r, level, key)
	default:
		w.scalar(r, m, level, key)
	}
}

// comment writes up to three lines of prose or of keys that are commented out.
func (w *writer) comment(r *source, m manner, level int) {
	for range r.between(1, 3) {
		if r.n(100) < m.example {
			w.line(level, "# %s: %s", r.words(r.between(1, 2), "_"), r.words(r.n(3), "-"))
			continue
		}
		w.line(level, "# %s", r.sentence(r.between(20, 85)))
	}
}

func (w *writer) scalar(r *source, m manner, level int, key string) {
	if r.n(1000) < m.quoted {
		w.line(level, "%s: %s", key, []string{`""`, `"` + r.word() + `"`, `'` + r.words(2, "/") + `'`, `"{{ .Release.Name }}-` + r.word() + `"`}[r.n(4)])
		return
	}
	switch r.n(7) {
	case 0, 1:
		w.line(level, "%s: %d", key, r.n(10000))
	case 2:
		w.line(level, "%s: %v", key, r.n(2) == 0)
	case 3:
		w.line(level, "%s: null", key)
	case 4:
		w.line(level, "%s: /var/lib/%s", key, r.words(2, "/"))
	default:
		w.line(level, "%s: %s", key, r.words(r.between(1, 2), "-"))
	}
}

// flow writes a sequence or a mapping on one line, or a sequence over some.
func (w *writer) flow(r *source, level int, key string) {
	switch r.n(5) {
	case 0:
		w.line(level, "%s: {%s: %s, %s: [%d, %d]}", key, r.word(), r.word(), r.word()+"_list", r.n(100), r.n(100))
	case 1:
		w.line(level, "%s: [\n%s'%s.*',\n%s'%s.*']", key, strings.Repeat("  ", level+2), r.word(), strings.Repeat("  ", level+2), r.word())
	default:
		items := make([]string, r.between(1, 6))
		for i := range items {
			items[i] = fmt.Sprintf("'%s'", r.words(3, "."))
		}
		w.line(level, "%s: [%s]", key, strings.Join(items, ", "))
	}
}

// anchor writes a mapping with an anchor, and beside it one that merges it.
func (w *writer) anchor(r *source, level int, key string) {
	w.line(level, "%s: &%s", key, key)
	w.line(level+1, "%s: %s", r.word(), r.words(2, "-"))
	w.line(level, "%s_merged:", key)
	w.line(level+1, "<<: *%s", key)
	w.line(level+1, "own: %s", r.word())
}
