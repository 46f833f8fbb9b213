package repo

import (
	"time"

	"chartserve/internal/index"
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

// of is what an older index said of the same bytes; zero where it said nothing.
func (c creations) of(id ident, digest string) time.Time {
	if old := c[id]; old.digest == digest {
		return old.at
	}
	return time.Time{}
}
