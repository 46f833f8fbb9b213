package repo

import (
	"time"

	"chartserve/internal/index"
	"chartserve/internal/store"
)

// creations are the times when archives were made, as an index says that was there
// before: of an earlier run, of someone else's, of a delivery.
type creations map[ident]creation

type creation struct {
	digest string
	at     time.Time
}

// add takes the times of entries over.
func (c creations) add(entries []*index.Entry) {
	for _, e := range entries {
		c[ident{e.Name, e.Version}] = creation{e.Digest, e.Created}
	}
}

// inherit takes the times from an index.yaml in the folder that someone else wrote, so
// that a folder taken over keeps them.
func (c creations) inherit(f *folder) {
	old, err := f.foreignIndex()
	if err != nil {
		f.short.note(err)
		f.opts.Logger.Warn("the index.yaml in the repository folder can't be read; its creation times are not taken over", "error", err)
	}
	c.add(old)
}

// emptied is when an index without entries was generated: what the one that is there
// says, if that has none either, else now.
func (r *Repository) emptied() time.Time {
	d := index.Dates{Epoch: r.opts.Timestamp}
	if e := r.catalog.encoded; e != nil && e.Versions == 0 {
		d.Listed = e.Generated
	} else if data, err := r.store.ReadFile(store.IndexName, 4<<10); err == nil { // else it is another
		if old, err := index.Decode(data); err == nil && len(old.Entries)+len(old.Skipped) == 0 {
			d.Listed = old.Generated
		}
	}
	return d.Created(r.begun)
}

// of is what an older index said of the same bytes; zero where it said nothing.
func (c creations) of(id ident, digest string) time.Time {
	if old := c[id]; old.digest == digest {
		return old.at
	}
	return time.Time{}
}
