package layout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"chartserve/internal/fileid"
)

// DefaultGrace is CollectOptions.Grace where that is zero.
const DefaultGrace = time.Hour

// maxIdle is how long an upload may be idle.
const maxIdle = 24 * time.Hour

// maxPause is how long a push may pause before nobody is known to go on with it.
const maxPause = 10 * time.Minute

// CollectOptions say what is collected. The zero value is right for a server.
type CollectOptions struct {
	// Grace is how long nobody must have referred to what is removed, nor asked for it;
	// zero: DefaultGrace.
	Grace time.Duration
	// Alone says that no server has the folder: there is one collection, and files are as
	// old as their times say.
	Alone bool
	// Void reports whether the archive, by its SHA-256 in hex, of an entry is no archive of
	// the repository any more: the entry goes. nil: all entries stay.
	Void func(archive string) bool
	// Untagged has manifests go that have no tag, and that none with a tag mentions.
	Untagged bool
	// DryRun changes nothing.
	DryRun bool
	// Removed is told of what is removed; nil: nobody is.
	Removed func(Garbage)
}

// Garbage is something that Collect removes.
type Garbage struct {
	// Kind is "manifest" for an entry, "blob" or "upload".
	Kind   string `json:"kind"`
	Name   string `json:"name"` // the content name
	Tag    string `json:"tag,omitempty"`
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size"` // in bytes
}

// Collected counts what Collect has removed.
type Collected struct {
	Manifests int `json:"manifests"` // entries
	Blobs     int `json:"blobs"`     // of names
	Uploads   int `json:"uploads"`
	// Bytes is what the disk has back: a blob that another name has too gives nothing.
	Bytes int64 `json:"bytes"`
}

// Collect removes what nothing refers to: blobs of a name that none of its manifests mentions,
// entries of charts whose archive is gone, uploads that nobody went on with for a day, folders
// of names with nothing in them. It may run beside everything else, which never waits for it
// for longer than a removal.
//
// Without Alone nothing is removed that was not there, and referred to by nobody, in a
// collection at least Grace before: the first one after a start removes uploads alone. No blob
// of a name is removed while bytes come for another one.
//
// A name whose index.json or manifests can't be read keeps all it has; that is in the error,
// and the others are collected. Where ctx ends, so does it.
func (l *Layout) Collect(ctx context.Context, o CollectOptions) (Collected, error) {
	l.collects.Lock()
	defer l.collects.Unlock()
	l.collected++
	o.Grace = cmp.Or(o.Grace, DefaultGrace)
	c := &collection{ctx: ctx, l: l, opts: o, run: l.collected, now: l.opts.Now(), gone: map[fileid.ID]uint64{}}
	names, err := l.folders()
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		if cerr := c.name(name); cerr != nil {
			err = errors.Join(err, fmt.Errorf("%s was not collected: %w", name, cerr))
		}
	}
	err = errors.Join(err, c.uploads(), c.pool())
	if ctx.Err() != nil {
		return c.done, context.Cause(ctx)
	}
	l.condemned.end(c.run)
	return c.done, err
}
