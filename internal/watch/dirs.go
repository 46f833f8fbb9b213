package watch

import (
	"path/filepath"
	"strings"

	"chartserve/internal/fileid"
)

// maxMissing bounds the directories that are looked for every second.
const maxMissing = 1000

// dirs are the watched directories, as a tree by path component, so that the
// subtree of a renamed directory is found without comparing prefixes (/a/nova is
// not below /a/no) or going through all.
type dirs struct {
	top     *node
	holders map[fileid.ID][]string // the names of one directory, first added first
	missing map[string]struct{}    // wanted, not there, and no event reports them
}

type node struct {
	below   map[string]*node
	watched bool
	id      fileid.ID // of a watched directory
}

func newDirs() *dirs {
	return &dirs{
		top:     &node{},
		holders: make(map[fileid.ID][]string),
		missing: make(map[string]struct{}),
	}
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// find returns the node of path, or nil.
func (d *dirs) find(path string) *node {
	n := d.top
	for _, name := range components(path) {
		if n = n.below[name]; n == nil {
			return nil
		}
	}
	return n
}

// add notes that dir is watched. It must not be watched with another identity.
func (d *dirs) add(dir string, id fileid.ID) {
	n := d.top
	for _, name := range components(dir) {
		next := n.below[name]
		if next == nil {
			next = &node{}
			if n.below == nil {
				n.below = make(map[string]*node)
			}
			n.below[name] = next
		}
		n = next
	}
	delete(d.missing, dir)
	if n.watched {
		return
	}
	n.watched, n.id = true, id
	if id.Known() {
		d.holders[id] = append(d.holders[id], dir)
	}
}

// identity of a watched directory, as it was when it was added.
func (d *dirs) identity(dir string) (fileid.ID, bool) {
	n := d.find(dir)
	if n == nil || !n.watched {
		return fileid.ID{}, false
	}
	return n.id, true
}

// holder returns the name under which the notifier reports a directory.
func (d *dirs) holder(id fileid.ID) (string, bool) {
	if names := d.holders[id]; len(names) > 0 {
		return names[0], true
	}
	return "", false
}

// names returns path under each name that its directory has. An event has the
// name that was added first.
func (d *dirs) names(dir, path string) []string {
	names := []string{path}
	for _, n := range [...]struct{ dir, rest string }{{dir, filepath.Base(path)}, {path, ""}} {
		id, ok := d.identity(n.dir)
		if !ok || len(d.holders[id]) < 2 {
			continue
		}
		for _, other := range d.holders[id] {
			if other != n.dir {
				names = append(names, filepath.Join(other, n.rest))
			}
		}
	}
	return names
}

// forget notes that dir alone is no longer watched.
func (d *dirs) forget(dir string) {
	if n := d.find(dir); n != nil {
		d.unset(dir, n)
	}
}

func (d *dirs) unset(dir string, n *node) {
	if !n.watched {
		return
	}
	n.watched = false
	if !n.id.Known() {
		return
	}
	names := d.holders[n.id]
	for i, name := range names {
		if name == dir {
			names = append(names[:i:i], names[i+1:]...)
			break
		}
	}
	if len(names) == 0 {
		delete(d.holders, n.id)
	} else {
		d.holders[n.id] = names
	}
}

// drop forgets dir and all below it. It returns what was watched of it, and
// whether dir was known at all: a renamed directory may have been added under its
// new name already, which took its watches from the old one.
func (d *dirs) drop(dir string) (gone []string, known bool) {
	n := d.find(dir)
	if n == nil || n == d.top {
		return nil, false
	}
	up := d.find(filepath.Dir(dir))
	if n.watched && !up.watched {
		d.miss(dir) // a SOURCE itself
	}
	d.each(dir, n, func(path string, n *node) {
		if n.watched {
			gone = append(gone, path)
			d.unset(path, n)
		}
	})
	delete(up.below, filepath.Base(dir))
	return gone, true
}

func (d *dirs) each(path string, n *node, visit func(string, *node)) {
	visit(path, n)
	for name, below := range n.below {
		d.each(filepath.Join(path, name), below, visit)
	}
}

// miss notes that dir is wanted, not there, and that no event reports when it
// comes. Beyond maxMissing the safety rescans have to find it.
func (d *dirs) miss(dir string) {
	if len(d.missing) < maxMissing {
		d.missing[dir] = struct{}{}
	}
}

func (d *dirs) watched(dir string) bool {
	_, ok := d.identity(dir)
	return ok
}
