package repo

import (
	"context"
	"fmt"
	"strings"
)

// Remove takes one version of a chart, spelled exactly, out of the index, and its archive
// and provenance out of the repository folder. When it returns nil that is durable, and
// the next request does not get the version; the archive can still be had for
// Options.KeepReplaced, as after a Prune. It may be called from any goroutine while Run
// works.
//
// The error is ErrNoVersion, ErrHeld for a version that a SOURCE would bring back, that of
// the folder or of ctx, or ErrStopped: after the last two it is not known whether the
// version was removed.
func (r *Repository) Remove(ctx context.Context, name, version string) error {
	rm := &removal{outcome: newOutcome(), id: ident{name, version}}
	if !r.mail.post(mail{removals: []*removal{rm}}) {
		return ErrStopped
	}
	return rm.wait(ctx)
}

// removal is a version that someone wants to be removed.
type removal struct {
	outcome
	id ident
}

// withdraw adds to p what removals name, or says in their err why it is not removed.
func (r *Repository) withdraw(p *plan, removals []*removal, fresh map[ident]bool) {
	for _, rm := range removals {
		s := r.selection(rm.id.name, fresh)
		named := func(v *Version) bool { return v.Entry.Version == rm.id.version }
		s.choose(func(_ int, v *Version) bool { return named(v) }, named)
		switch {
		case len(s.spared) > 0:
			rm.err = fmt.Errorf("%s %s: %w: %s", rm.id.name, rm.id.version, ErrHeld, strings.TrimPrefix(s.spared[0].Reason, "it is live: "))
		case len(s.chosen) == 0 || p.retired[rm.id]:
			rm.err = fmt.Errorf("%s: %w", rm.id, ErrNoVersion)
		default:
			r.take(p, s)
		}
	}
}
