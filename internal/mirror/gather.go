package mirror

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

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
		// What stands at an address like that is not asked for again.
		if known != nil {
			return r.offered(s, known.Validators, known.candidates()), nil
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
		return r.offered(s, now, known.candidates()), nil
	}
	if len(f.Skipped) > 0 {
		r.opts.Logger.Warn("entries of an index can't be read and are left out", "source", s.String(), "entries", len(f.Skipped), "first", f.Skipped[0])
	}
	var all []candidate
	for _, e := range f.Entries {
		if s.Filter.offers(e.Name) {
			all = append(all, candidate{name: e.Name, version: e.Version, created: e.Created, digest: plainDigest(e.Digest), ref: e.URL})
		}
	}
	all = s.Filter.apply(all)
	if s.WithDependencies {
		declared(f, all)
	}
	return r.offered(s, now, all), nil
}

// declared fills in the dependencies that the index names.
func declared(f *index.File, all []candidate) {
	at := map[[2]string]int{}
	for i, c := range all {
		at[[2]string{c.name, c.version}] = i
	}
	for _, e := range f.Entries {
		if i, ok := at[[2]string{e.Name, e.Version}]; ok {
			if md, err := e.Metadata(); err == nil {
				all[i].deps = md.Dependencies
			}
		}
	}
}

// plainDigest is a digest without the prefix that Helm tolerates.
func plainDigest(s string) string { return strings.ToLower(strings.TrimPrefix(s, "sha256:")) }

// ask gives the index of the source's repository, nil when it is what known was
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

// gatherOCI asks for the versions of a chart in a registry. A version that the
// state knows is not asked for again: versions don't change.
func (r *run) gatherOCI(ctx context.Context, s *Source, known *offer) ([]candidate, error) {
	ref, err := parseOCI(s.Address)
	if err != nil {
		return nil, err
	}
	up, before := r.upstream(s), map[string]candidate{}
	if known != nil {
		for _, c := range known.candidates() {
			before[c.version] = c
		}
	}
	if ref.pinned() || ref.version != "" {
		if known != nil {
			return r.offered(s, known.Validators, known.candidates()), nil
		}
		c, err := manifest(ctx, up, ref, ref.version)
		if err != nil {
			return nil, err
		}
		return r.offered(s, remote.Validators{}, []candidate{c}), nil
	}
	tags, err := up.Tags(ctx, ref.address)
	if err != nil {
		return nil, err
	}
	all := make([]candidate, len(tags))
	for i, tag := range tags {
		all[i] = candidate{name: ref.name, version: tag}
	}
	f := s.Filter
	f.Exclude = nil
	if !f.offers(ref.name) {
		f.Charts = nil // the address names the chart already
	}
	bare := f
	if !f.Since.IsZero() {
		bare.Latest = 0 // only the manifest tells when
	}
	if all, err = r.manifests(ctx, up, ref, bare.apply(all), before); err != nil {
		return nil, err
	}
	return r.offered(s, remote.Validators{}, f.apply(all)), nil
}

// manifests fills in what the registry tells of the versions; one that can't be
// had is left out where the run goes on.
func (r *run) manifests(ctx context.Context, up Upstream, ref ociRef, all []candidate, before map[string]candidate) ([]candidate, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opts.Jobs)
	for i, c := range all {
		if old, ok := before[c.version]; ok {
			all[i] = old
			continue
		}
		g.Go(func() error {
			found, err := manifest(gctx, up, ref, c.version)
			if err != nil {
				err = r.failed(failure(c.name+" "+c.version, err))
			}
			all[i] = found
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(all, func(c candidate) bool { return c.name == "" }), err
}

// manifest describes one version of a chart in a registry.
func manifest(ctx context.Context, up Upstream, ref ociRef, version string) (candidate, error) {
	o, err := up.Manifest(ctx, ref.address, version)
	if err != nil {
		return candidate{}, err
	}
	c := candidate{name: ref.name, version: version, created: o.Created, digest: plainDigest(o.Digest), ref: version, oci: o}
	if o.Metadata != nil {
		c.name, c.version, c.deps = o.Metadata.Name, o.Metadata.Version, o.Metadata.Dependencies
	}
	if version != "" && c.version != version || c.name != ref.name {
		return candidate{}, fmt.Errorf("%s: the registry has %s %s there", ref.address, c.name, c.version)
	}
	return c, nil
}

// placeOf is where a candidate of the source comes from.
func (r *run) placeOf(s *Source, c candidate) (place, error) {
	k, err := s.kind()
	if err != nil {
		return nil, err
	}
	switch k {
	case kindRepository:
		return webPlace{r.upstream(s), s.Address, c.ref}, nil
	case kindArchive:
		return webPlace{r.upstream(s), "", s.Address}, nil
	case kindOCI:
		ref, err := parseOCI(s.Address)
		return ociPlace{r.upstream(s), ref.address, c.ref, c.oci}, err
	}
	return filePlace(c.ref), nil
}

// archiveName is the file name of a candidate. Names and versions of sources are
// not to be trusted.
func archiveName(c candidate) (string, error) {
	md := chart.Metadata{APIVersion: chart.APIVersionV1, Name: c.name, Version: c.version}
	if err := md.Validate(); err != nil {
		return "", err
	}
	return md.ArchiveName(), nil
}
