package mirror

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// gather returns what a source offers and its filter selects. It is called for several
// sources at once.
func (r *run) gather(ctx context.Context, s *source) ([]candidate, error) {
	switch s.kind {
	case kindRepository:
		all, err := r.catalog(ctx, s)
		return r.selected(s, all), err
	case kindArchive:
		// An archive at an address of its own does not change.
		if known := r.known(s); len(known.Versions) > 0 && !r.opts.Replace {
			return r.offered(s, known.Validators, known.Versions), nil
		}
		return make([]candidate, 1), nil // its name and version stand in it
	case kindOCI:
		return r.gatherOCI(ctx, s)
	}
	return r.gatherLocal(ctx, s)
}

// catalog returns all that the repository of a source has. A repository is asked once
// in a run, however many sources and dependencies name it.
func (r *run) catalog(ctx context.Context, s *source) ([]candidate, error) {
	r.mu.Lock()
	ask := r.catalogs[s.key()]
	if ask == nil {
		ask = sync.OnceValues(func() ([]candidate, error) { return r.ask(ctx, s) })
		r.catalogs[s.key()] = ask
	}
	r.mu.Unlock()
	return ask()
}

func (r *run) ask(ctx context.Context, s *source) ([]candidate, error) {
	known := r.known(s)
	declared := r.opts.DryRun && r.withDependencies // only the index has what is needed of them
	if declared {
		known.Validators = remote.Validators{}
	}
	f, now, err := r.upstream(s).IndexSince(ctx, s.Address, known.Validators)
	switch {
	case err != nil:
		return nil, err
	case f == nil && known.Validators == remote.Validators{}:
		return nil, fmt.Errorf("repository %s: it sent no index", s)
	case f == nil:
		return r.offered(s, now, known.Versions), nil
	}
	if left := len(f.Skipped) - len(f.Misplaced); left > 0 {
		r.opts.Logger.Warn("entries of an index can't be read and are left out", "source", s.String(), "entries", left, "first", f.Skipped[0])
	}
	all := make([]candidate, 0, len(f.Entries)+len(f.Misplaced))
	for _, e := range slices.Concat(f.Entries, f.Misplaced) {
		c := candidate{Name: e.Name, Version: e.Version, Created: e.Created, Digest: e.Digest, Ref: e.URL}
		if digest, ok := chart.ParseDigest(e.Digest); ok {
			c.Digest = digest // else planOne refuses it
		}
		if declared {
			c.listed = e
		}
		all = append(all, c)
	}
	return r.offered(s, now, all), nil
}

// selected returns what the filter of a source takes.
func (r *run) selected(s *source, all []candidate) []candidate {
	r.tellPrereleases(s, all)
	r.tellOld(s, all)
	return s.Filter.apply(all)
}

func (r *run) tellPrereleases(s *source, all []candidate) {
	lenient := s.Filter
	lenient.devel = true
	r.tellLeftOut(s, all, lenient, "prereleases are left out (--devel copies them)")
}

func (r *run) tellOld(s *source, all []candidate) {
	lenient := s.Filter
	lenient.since = time.Time{}
	r.tellLeftOut(s, all, lenient, "versions that were created before --since are left out")
}

// tellLeftOut says which versions the filter of a source leaves out that lenient takes,
// where nobody may have meant that.
func (r *run) tellLeftOut(s *source, all []candidate, lenient Filter, text string) {
	left, charts := s.Filter.leavesOut(lenient, all)
	if left == 0 || s.Filter.best {
		return
	}
	const most = 10
	names := strings.Join(charts[:min(len(charts), most)], ", ")
	if more := len(charts) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	r.opts.Logger.Warn(text, "source", s.String(), "versions", left, "charts with no other version", cmp.Or(names, "none"))
}
