package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// gatherOCI asks for the versions of a chart in a registry. A version that the
// state knows is not asked for again: versions don't change.
func (r *run) gatherOCI(ctx context.Context, s *source) ([]candidate, error) {
	ref, up, before := s.oci, r.upstream(s), map[string]candidate{}
	if !r.opts.Replace {
		known, _ := r.remembered(s, anyName)
		for _, c := range known {
			before[c.Ref] = c
		}
	}
	if ref.pinned() || ref.version != "" {
		c, known := before[ref.version]
		if !known {
			var err error
			if c, err = manifest(ctx, up, ref, ref.version); err != nil {
				return nil, err
			}
			r.offered(s, remote.Validators{}, []candidate{c})
		}
		return []candidate{c}, nil
	}
	tags, err := up.Tags(ctx, ref.address)
	switch status := new(remote.StatusError); {
	case errors.As(err, &status) && status.Code == http.StatusNotFound:
		return nil, fmt.Errorf("%w (a registry has one chart at an address: name it, as in %s/CHART)", err, ref.address)
	case err != nil:
		return nil, err
	case len(tags) == 0:
		return nil, fmt.Errorf("%w: none of its tags is the version of a chart (write the address of a chart, oci://HOST/PATH/CHART)", ErrMissing)
	}
	all := make([]candidate, len(tags))
	for i, tag := range tags {
		all[i] = candidate{Name: ref.name, Version: tag, Ref: tag}
	}
	r.tellPrereleases(s, all)
	bare := s.Filter
	if !bare.since.IsZero() {
		bare.latest, bare.since = 0, time.Time{} // only the manifest tells when
	}
	if all, err = r.manifests(ctx, up, ref, bare.apply(all), before); err != nil {
		return nil, err
	}
	r.tellOld(s, all)
	known := len(before)
	for _, c := range all {
		before[c.Ref] = c
	}
	if len(before) > known {
		r.offered(s, remote.Validators{}, slices.Collect(maps.Values(before)))
	}
	return s.Filter.apply(all), nil
}

// manifests fills in what the registry says of the versions; one that can't be
// had is left out where the run goes on.
func (r *run) manifests(ctx context.Context, up *remote.Client, ref ociRef, all []candidate, before map[string]candidate) ([]candidate, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opts.Jobs)
	for i, c := range all {
		if old, ok := before[c.Ref]; ok {
			all[i] = old
			continue
		}
		g.Go(func() error {
			found, err := manifest(gctx, up, ref, c.Version)
			if err != nil {
				err = r.failed(c.Name+" "+c.Version, err)
			}
			all[i] = found
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(all, func(c candidate) bool { return c.Name == "" }), err
}

// manifest describes one version of a chart in a registry.
func manifest(ctx context.Context, up *remote.Client, ref ociRef, version string) (candidate, error) {
	o, err := up.Manifest(ctx, ref.address, version)
	if err != nil {
		return candidate{}, err
	}
	c := candidate{Name: ref.name, Version: version, Created: o.Created, Digest: o.Digest, Ref: version, oci: o}
	if o.Metadata != nil {
		c.Name, c.Version, c.Deps = o.Metadata.Name, o.Metadata.Version, o.Metadata.Dependencies
	}
	if version != "" && !sameVersion(c.Version, version) || c.Name != ref.name {
		return candidate{}, fmt.Errorf("%w: %s has the chart %s %s, pushed under another name or tag than its own, where no client of an index would look for it (push it anew with helm push, or pull the archive and mirror that file)",
			ErrMismatch, chart.ShowAddress(ref.address), c.Name, c.Version)
	}
	return c, nil
}
