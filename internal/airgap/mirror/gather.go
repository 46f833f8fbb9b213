package mirror

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/remote"
)

// answer is what a repository said in this run. A repository is asked once, however
// many sources and dependencies name it; but a source that the state knows nothing
// of needs the index itself, even if it has not changed.
type answer struct {
	mu    sync.Mutex
	asked bool
	file  *index.File // nil: what since stands for has not changed
	since remote.Validators
	now   remote.Validators
	err   error
}

// gather is what a source offers and its filter selects. It is called for several
// sources at once.
func (r *run) gather(ctx context.Context, s *Source) ([]candidate, error) {
	k, err := s.kind()
	if err != nil {
		return nil, err
	}
	known := r.known(s)
	if r.opts.Replace && (k == kindArchive || k == kindOCI) {
		known = nil // what should not have changed may have
	}
	switch k {
	case kindRepository:
		return r.gatherRepository(ctx, s, known)
	case kindArchive:
		// An archive at an address of its own does not change.
		if known != nil {
			return r.offered(s, known.Validators, known.Versions), nil
		}
		return make([]candidate, 1), nil // its name and version stand in it
	case kindOCI:
		return r.gatherOCI(ctx, s, known)
	}
	return r.gatherLocal(ctx, s)
}

func (r *run) gatherRepository(ctx context.Context, s *Source, known *offer) ([]candidate, error) {
	f, now, err := r.ask(ctx, s, known)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return r.offered(s, now, known.Versions), nil
	}
	if left := len(f.Skipped) - len(f.Misplaced); left > 0 {
		r.opts.Logger.Warn("entries of an index can't be read and are left out", "source", s.String(), "entries", left, "first", f.Skipped[0])
	}
	var all []candidate
	for _, e := range slices.Concat(f.Entries, f.Misplaced) {
		if s.Filter.offers(e.Name) {
			all = append(all, candidate{Name: e.Name, Version: e.Version, Created: e.Created, Digest: digestOf(e.Digest), Ref: e.URL})
		}
	}
	r.tellPrereleases(s, all)
	all = s.Filter.apply(all)
	if s.WithDependencies {
		declared(f, all)
	}
	return r.offered(s, now, all), nil
}

// digestOf is the digest that an index names, or its text, which planOne refuses.
func digestOf(s string) string {
	if digest, ok := chart.ParseDigest(s); ok {
		return digest
	}
	return s
}

// tellPrereleases says which versions of a source are left out without being asked.
func (r *run) tellPrereleases(s *Source, all []candidate) {
	left, charts := s.Filter.prereleases(all)
	if left == 0 {
		return
	}
	const most = 10
	names := strings.Join(charts[:min(len(charts), most)], ", ")
	if more := len(charts) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	r.opts.Logger.Warn("prereleases are left out (--devel copies them)", "source", s.String(), "versions", left, "charts with no other version", cmp.Or(names, "none"))
}

// declared fills in the dependencies that the index names.
func declared(f *index.File, all []candidate) {
	at := map[[2]string]int{}
	for i, c := range all {
		at[[2]string{c.Name, c.Version}] = i
	}
	for _, e := range slices.Concat(f.Entries, f.Misplaced) {
		if i, ok := at[[2]string{e.Name, e.Version}]; ok {
			if md, err := e.Metadata(); err == nil {
				all[i].Deps = md.Dependencies
			}
		}
	}
}

// ask returns the index of the source's repository, nil when it is what known was
// read from.
func (r *run) ask(ctx context.Context, s *Source, known *offer) (*index.File, remote.Validators, error) {
	a := r.answerOf(s.Address)
	a.mu.Lock()
	defer a.mu.Unlock()
	var since remote.Validators
	if known != nil {
		since = known.Validators
	}
	none := remote.Validators{}
	switch {
	case !a.asked:
	case a.err != nil || a.file != nil:
		return a.file, a.now, a.err
	case since == a.since && since != none:
		return nil, a.now, nil
	default:
		since = none
	}
	f, now, err := r.upstream(s).IndexSince(ctx, s.Address, since)
	if err == nil && f == nil && since == none {
		err = fmt.Errorf("repository %s: it sent no index", s)
	}
	if f == nil && now == none {
		now = since
	}
	a.since, a.now, a.err = since, now, err
	a.asked = f == nil
	if r.withDependencies && f != nil {
		a.asked, a.file = true, f // a dependency may come from here too
	}
	return f, now, err
}

// placeOf is where a candidate of the source comes from.
func (r *run) placeOf(s *Source, c candidate) (place, error) {
	k, err := s.kind()
	if err != nil {
		return nil, err
	}
	switch k {
	case kindRepository:
		if strings.HasPrefix(c.Ref, "oci://") {
			ref, err := parseOCI(c.Ref)
			return ociPlace{r.upstream(s), ref.address, ref.version, nil}, err
		}
		return webPlace{r.upstream(s), s.Address, c.Ref}, nil
	case kindArchive:
		return webPlace{r.upstream(s), "", s.Address}, nil
	case kindOCI:
		ref, err := parseOCI(s.Address)
		return ociPlace{r.upstream(s), ref.address, c.Ref, c.oci}, err
	}
	return c.local, nil
}

// archiveName is the file name of a candidate. Names and versions of sources are
// not to be trusted.
func archiveName(c candidate) (string, error) {
	md := chart.Metadata{APIVersion: chart.APIVersionV1, Name: c.Name, Version: c.Version}
	if err := md.Validate(); err != nil {
		return "", err
	}
	return md.ArchiveName(), nil
}
