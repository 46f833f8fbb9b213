package repo

import (
	"errors"
	"path/filepath"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// receive takes in the delivery that waits in the repository folder, if there is
// one: its files get their places and are added to what the pass looks at, and their
// creation times are noted. The delivery is done when the pass is published: until
// then a pass that fails, or a process that is killed, leaves the rest of it to the
// next.
func (r *Repository) receive(ch *watch.Change) (*store.Delivery, error) {
	d, err := r.store.Receive()
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
		ch.Paths = append(ch.Paths, filepath.Join(r.store.Path(), name))
	}
	return d, d.Take(func(name string) *store.Current { return r.stored.byPath[name].current() })
}

// judged reports whether every archive that a delivery brought could be read, be it
// good or bad. Until then the delivery is not done: an archive that a disk did not
// give out this time is published later, with its creation time.
func (r *Repository) judged(d *store.Delivery) bool {
	for _, e := range d.Entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		var errno syscall.Errno
		if a := r.stored.bad[md.ArchiveName()]; a != nil && errors.As(a.err, &errno) {
			return false
		}
	}
	return true
}
