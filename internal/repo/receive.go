package repo

import (
	"path/filepath"

	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// receive takes in the delivery that waits in the repository folder, if there is
// one: it moves the files to their places, adds them to what the pass looks at,
// and notes their creation times. The delivery is done when the pass is published:
// until then a pass that fails, or a process that is killed, leaves the rest of it
// to the next.
func (r *Repository) receive(ch *watch.Change) (*store.Delivery, error) {
	d, err := store.Receive(r.folder)
	if d == nil || err != nil {
		return nil, err
	}
	if r.inherited == nil {
		r.inherited = make(map[ident]inherited, len(d.Entries))
	}
	for _, e := range d.Entries {
		r.inherited[ident{e.Name, e.Version}] = inherited{e.Digest, e.Created}
	}
	for _, name := range d.Files() {
		if err := r.keep(r.stored.byPath[name]); err != nil {
			return nil, err
		}
		if err := d.Take(name); err != nil {
			return nil, err
		}
		ch.Paths = append(ch.Paths, filepath.Join(r.folder.path, name))
	}
	return d, r.folder.syncDir()
}
