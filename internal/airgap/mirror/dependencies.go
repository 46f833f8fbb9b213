package mirror

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// missingDeps are the dependencies of an archive that it doesn't contain.
func missingDeps(c *pkgr.Chart) (missing []*chart.Dependency) {
	for _, d := range c.Metadata.Dependencies {
		if sub, fits := folder.Vendored(c, d); sub == nil || elsewhere(d) && !fits && !takenAsIs(sub, d) {
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

// takenAsIs reports whether sub, of charts/, is all that a dependency can mean, because
// its version is no constraint: helm package takes what is there, too.
func takenAsIs(sub *pkgr.Chart, d *chart.Dependency) bool {
	_, err := d.Constraint()
	return sub != nil && err != nil
}

// needed are the sources of what the archives depend on: one for each repository,
// with the charts that are wanted of it. asked holds what earlier rounds asked for.
func (r *run) needed(wants []*want, asked map[string]bool) ([]*Source, error) {
	var sources []*Source
	byRepository := map[string]*Source{}
	for _, w := range wants {
		if !w.source.WithDependencies || w.status == statusFailed || w.status == statusTwice {
			continue
		}
		deps, err := r.depsOf(w)
		if err != nil {
			return nil, err
		}
		for _, d := range deps {
			if !elsewhere(d) {
				if err := r.failed(failure(w.String(), unreachable(d))); err != nil {
					return nil, err
				}
				continue
			}
			key := trimSlash(d.Repository) + " " + d.Name + " " + d.Version
			if asked[key] {
				continue
			}
			asked[key] = true
			s, err := dependencySource(byRepository, d, w.String())
			if err != nil {
				if err := r.failed(failure(w.String(), err)); err != nil {
					return nil, err
				}
			} else if s != nil {
				sources = append(sources, s)
			}
		}
	}
	for _, s := range sources {
		slices.SortFunc(s.Filter.Charts, func(a, b Pick) int { // so that Source.key is the same each time
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Constraint, b.Constraint))
		})
	}
	return sources, nil
}

// unreachable is the error for a dependency that an archive should contain: Helm
// refuses to install the chart, and there is no repository to fetch it from.
func unreachable(d *chart.Dependency) error {
	where := "names no repository"
	if d.Repository != "" {
		where = "names " + chart.ShowAddress(d.Repository) + ", a path of its author's"
	}
	return fmt.Errorf("%w: it depends on %s, which is not in its charts/, and %s (ask its author for an archive made by helm package --dependency-update; --exclude leaves the chart out)", ErrMissing, d.Name, where)
}

// dependencySource adds a dependency of the archive by to the source of its
// repository. The result is that source when it is new.
func dependencySource(byRepository map[string]*Source, d *chart.Dependency, by string) (*Source, error) {
	if strings.HasPrefix(d.Repository, "@") || strings.HasPrefix(d.Repository, "alias:") {
		return nil, fmt.Errorf("it depends on %s in the repository %q, a name that only its author's Helm knows (mirror that chart by its URL, and leave --with-dependencies out)", d.Name, d.Repository)
	}
	if _, err := d.Constraint(); err != nil {
		return nil, fmt.Errorf("it depends on %s: %w", d.Name, err)
	}
	address := trimSlash(d.Repository)
	if strings.HasPrefix(address, "oci://") {
		address += "/" + d.Name // one chart an address
	}
	s := byRepository[address]
	isNew := s == nil
	if isNew {
		s = &Source{Address: address, WithDependencies: true, Filter: Filter{best: true}, needs: map[Pick]string{}}
		if k, err := s.kind(); err != nil || k == kindLocal || k == kindArchive {
			return nil, fmt.Errorf("it depends on %s in the repository %q: %w", d.Name, chart.ShowAddress(d.Repository), ErrSource)
		}
		byRepository[address] = s
	}
	pick := Pick{d.Name, d.Version}
	s.Filter.Charts, s.needs[pick] = append(s.Filter.Charts, pick), by
	if isNew {
		return s, nil
	}
	return nil, nil
}

// depsOf are the dependencies that an archive needs from elsewhere. A dry run has
// only what the source declares, vendored or not.
func (r *run) depsOf(w *want) ([]*chart.Dependency, error) {
	if w.known.Read {
		return w.known.Deps, nil
	}
	var f *os.File
	var err error
	switch w.status {
	case statusThere:
		f, err = r.dir.Open(w.file)
	case statusStaged, statusNew:
		f, err = folder.At(r.stage.Root()).Open(w.file)
	default:
		return slices.DeleteFunc(slices.Clone(w.Deps), func(d *chart.Dependency) bool { return !elsewhere(d) }), nil
	}
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
