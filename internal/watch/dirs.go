package watch

import (
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/fileid"
)

// maxMissing bounds the directories that are looked for every second.
const maxMissing = 1000

// dirs are the watched directories. Their paths are sorted too, so that those below a
// renamed directory are found without going through all.
type dirs struct {
	ids     map[string]fileid.ID // as each was when it was added
	sorted  []string
	holders map[fileid.ID][]string // the names of one directory, first added first
	missing map[string]struct{}    // wanted, not there, and no event reports them
}

func newDirs() *dirs {
	return &dirs{ids: map[string]fileid.ID{}, holders: map[fileid.ID][]string{}, missing: map[string]struct{}{}}
}

// add notes that dir is watched. It must not be watched with another identity.
func (d *dirs) add(dir string, id fileid.ID) {
	delete(d.missing, dir)
	if d.watched(dir) {
		return
	}
	d.ids[dir] = id
	i, _ := slices.BinarySearch(d.sorted, dir)
	d.sorted = slices.Insert(d.sorted, i, dir)
	if id.Known() {
		d.holders[id] = append(d.holders[id], dir)
	}
}

func (d *dirs) watched(dir string) bool {
	_, ok := d.ids[dir]
	return ok
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
		for _, other := range d.holders[d.ids[n.dir]] {
			if other != n.dir {
				names = append(names, filepath.Join(other, n.rest))
			}
		}
	}
	return names
}

// forget notes that dir alone is no longer watched.
func (d *dirs) forget(dir string) {
	id, ok := d.ids[dir]
	if !ok {
		return
	}
	delete(d.ids, dir)
	i, _ := slices.BinarySearch(d.sorted, dir)
	d.sorted = slices.Delete(d.sorted, i, i+1)
	d.holders[id] = slices.DeleteFunc(d.holders[id], func(name string) bool { return name == dir })
	if len(d.holders[id]) == 0 {
		delete(d.holders, id)
	}
}

// drop forgets dir and all below it, and returns what was watched of it. A renamed
// directory may have been added under its new name already, which took its watches from
// the old one.
func (d *dirs) drop(dir string) (gone []string) {
	if d.watched(dir) {
		gone = append(gone, dir)
		if !d.watched(filepath.Dir(dir)) {
			d.miss(dir) // a SOURCE itself
		}
	}
	gone = slices.AppendSeq(gone, d.below(dir))
	for _, dir := range gone {
		d.forget(dir)
	}
	return gone
}

// below yields the watched directories below dir.
func (d *dirs) below(dir string) iter.Seq[string] {
	prefix := strings.TrimSuffix(dir, string(filepath.Separator)) + string(filepath.Separator)
	return func(yield func(string) bool) {
		i, _ := slices.BinarySearch(d.sorted, prefix)
		for ; i < len(d.sorted) && strings.HasPrefix(d.sorted[i], prefix); i++ {
			if !yield(d.sorted[i]) {
				return
			}
		}
	}
}

// miss notes that dir is wanted, not there, and that no event reports when it
// comes. Beyond maxMissing the safety rescans have to find it.
func (d *dirs) miss(dir string) {
	if len(d.missing) < maxMissing {
		d.missing[dir] = struct{}{}
	}
}
