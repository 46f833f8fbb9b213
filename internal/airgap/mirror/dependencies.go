package mirror

import (
	"fmt"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// missingDeps are the dependencies of an archive that it doesn't contain.
func missingDeps(c *pkgr.Chart) (missing []*chart.Dependency) {
	for _, d := range c.Metadata.Dependencies {
		sub, fits := folder.Vendored(c, d)
		if _, err := d.Constraint(); err != nil {
			fits = sub != nil // helm package takes what is there, too
		}
		if sub == nil || elsewhere(d) && !fits {
			missing = append(missing, &chart.Dependency{Name: d.Name, Version: d.Version, Repository: d.Repository})
		}
	}
	return missing
}

// elsewhere reports whether a dependency is in another repository. A file:// path and an
// empty repository mean something inside the chart.
func elsewhere(d *chart.Dependency) bool {
	return d.Repository != "" && !strings.HasPrefix(d.Repository, "file:")
}

// needed returns the sources of what the archives depend on: one for each repository,
// with the charts that are wanted of it. asked holds what earlier rounds asked for.
func (r *run) needed(wants []*want, asked map[[3]string]bool) ([]*source, error) {
	var sources []*source
	byAddress := map[string]*source{}
	for _, w := range wants {
		if !w.source.WithDependencies || w.status == statusFailed || w.status == statusTwice {
			continue
		}
		deps, err := r.depsOf(w)
		if err != nil {
			return nil, err
		}
		for _, d := range deps {
			key := [3]string{trimSlash(d.Repository), d.Name, d.Version}
			if elsewhere(d) && asked[key] {
				continue
			}
			asked[key] = true
			needed, err := dependencySource(d)
			if err != nil {
				if err := r.failed(w.String(), err); err != nil {
					return nil, err
				}
				continue
			}
			s := byAddress[needed.Address]
			if s == nil {
				s = needed
				sources, byAddress[s.Address] = append(sources, s), s
			}
			p := chart.Pick{Name: d.Name, Constraint: d.Version}
			s.Filter.charts, s.needs[p] = append(s.Filter.charts, p), w.String()
		}
	}
	return sources, nil
}

// dependencySource returns the repository that a dependency is in, without picks.
func dependencySource(d *chart.Dependency) (*source, error) {
	switch {
	case d.Repository == "":
		return nil, unreachable(d, "names no repository")
	case !elsewhere(d):
		return nil, unreachable(d, "names "+chart.ShowAddress(d.Repository)+", a path of its author's")
	case strings.HasPrefix(d.Repository, "@") || strings.HasPrefix(d.Repository, "alias:"):
		return nil, fmt.Errorf("it depends on %s in the repository %q, a name that only its author's Helm knows (mirror that chart by its URL, and leave --with-dependencies out)", d.Name, d.Repository)
	}
	if _, err := d.Constraint(); err != nil {
		return nil, fmt.Errorf("it depends on %s: %w", d.Name, err)
	}
	address := trimSlash(d.Repository)
	if strings.HasPrefix(address, "oci://") {
		address += "/" + d.Name // one chart an address
	}
	s, err := Source{Address: address, WithDependencies: true, Filter: Filter{best: true}}.read()
	if err != nil || s.kind == kindLocal || s.kind == kindArchive {
		return nil, fmt.Errorf("it depends on %s in the repository %q: %w", d.Name, chart.ShowAddress(d.Repository), ErrSource)
	}
	s.needs = map[chart.Pick]string{}
	return s, nil
}

// unreachable is the error for a dependency that an archive should contain: Helm
// refuses to install the chart, and there is no repository to fetch it from.
func unreachable(d *chart.Dependency, where string) error {
	return fmt.Errorf("%w: it depends on %s, which is not in its charts/, and %s (ask its author for an archive made by helm package --dependency-update; --exclude leaves the chart out)", ErrMissing, d.Name, where)
}

// depsOf returns the dependencies that an archive needs from elsewhere. A dry run has
// only what the source declares, vendored or not.
func (r *run) depsOf(w *want) ([]*chart.Dependency, error) {
	if w.known.Read {
		return w.known.Deps, nil
	}
	if r.opts.DryRun && w.status != statusThere {
		return w.declared(), nil
	}
	dir := r.dir
	if w.status != statusThere {
		dir = folder.At(r.stage.Root())
	}
	f, err := dir.Open(w.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := r.checker.Examine(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.file, err)
	}
	w.known.Deps, w.known.Read = missingDeps(c), true
	return w.known.Deps, nil
}

// declared returns the dependencies in other repositories that the source declares.
func (w *want) declared() (deps []*chart.Dependency) {
	all := w.Deps
	if w.listed != nil {
		if md, err := w.listed.Metadata(); err == nil {
			all = md.Dependencies
		}
	}
	for _, d := range all {
		if elsewhere(d) {
			deps = append(deps, d)
		}
	}
	return deps
}
