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
		if !r.opts.Replace {
			if known, ok := r.remembered(s, anyName); ok {
				return known, nil
			}
		}
		return make([]candidate, 1), nil // its name and version stand in it
	case kindOCI:
		return r.gatherOCI(ctx, s)
	}
	return r.gatherLocal(ctx, s)
}

func anyName(string) bool { return true }

// catalog is what a repository has. It is asked once in a run, however many sources and
// dependencies name it.
type catalog struct {
	mu       sync.Mutex
	asked    bool
	versions []candidate // nil where they are those of an earlier run
	err      error
}

// catalog returns what the repository of a source has of the charts in its filter.
func (r *run) catalog(ctx context.Context, s *source) ([]candidate, error) {
	r.mu.Lock()
	c := r.catalogs[s.key()]
	if c == nil {
		c = new(catalog)
		r.catalogs[s.key()] = c
	}
	r.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked {
		c.versions, c.err = r.ask(ctx, s, r.validators(s))
		c.asked = true
	}
	if c.err == nil && c.versions == nil {
		if all, ok := r.remembered(s, s.Filter.offers); ok {
			return all, nil
		}
		c.versions, c.err = r.ask(ctx, s, remote.Validators{})
	}
	return c.versions, c.err
}

// ask returns all that a repository has; nil: what it had before.
func (r *run) ask(ctx context.Context, s *source, known remote.Validators) ([]candidate, error) {
	declared := r.opts.DryRun && r.withDependencies // only the index has what is needed of them
	if declared {
		known = remote.Validators{}
	}
	f, now, err := r.upstream(s).IndexSince(ctx, s.Address, known)
	switch {
	case err != nil:
		return nil, err
	case f == nil && known == remote.Validators{}:
		return nil, fmt.Errorf("repository %s: it sent no index", s)
	case f == nil:
		return nil, nil
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
	r.offered(s, now, all)
	return all, nil
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
