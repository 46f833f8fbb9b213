package repo

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"chartserve/internal/chart"
)

// plan says what a pass has to do: which archives to make, which to remove, and
// what can't be done.
type plan struct {
	nodes    map[*live]*node
	jobs     []*job
	remove   []*archive
	failures []Failure
	warnings []Warning
	retry    []string // names of charts that could not be published
}

// job makes one archive in the repository folder: from a chart, or as a copy of
// an archive in a SOURCE.
type job struct {
	id      ident
	path    string // in the repository folder
	display string
	key     [32]byte

	node  *node
	given *archive

	made    *made
	old     *archive // what stood under path before
	renamed bool     // made has its name
	err     error
}

// plan resolves all charts, finds out which of them and of the SOURCEs' archives
// are published under which name and version, and compares that with the folder.
func (r *Repository) plan() *plan {
	p := &plan{}
	rs := newResolver(r, r.own)
	published := r.resolveAll(rs, p)
	names := maps.Clone(r.dirty)
	for _, name := range r.retry {
		names[name] = true
	}
	for name := range published {
		names[name] = true
	}
	files := map[string]ident{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r.planName(p, name, published[name], files)
	}
	for _, name := range slices.Sorted(maps.Keys(r.clashes)) {
		p.failures = append(p.failures, r.clashes[name]...)
	}
	r.archiveFailures(p)
	r.dropUnused(rs)
	p.nodes = rs.nodes
	return p
}

// resolveAll resolves the charts of the SOURCEs in path order, and gives those
// whose name is known, by name.
func (r *Repository) resolveAll(rs *resolver, p *plan) map[string][]*node {
	p.failures = append(p.failures, r.scanFailures...)
	p.failures = append(p.failures, r.folderErrors...)
	published := map[string][]*node{}
	for _, l := range r.sortedLives() {
		n := rs.resolve(l)
		f := Failure{Path: l.place.display}
		if l.summary != nil {
			f.Name, f.Version = l.meta.Name, l.meta.Version
			published[f.Name] = append(published[f.Name], n)
		}
		if n.err != nil {
			f.Reason = n.err.Error()
			p.failures = append(p.failures, f)
		}
		for _, text := range append(slices.Clone(l.warnings), n.warnings...) {
			p.warnings = append(p.warnings, Warning{Path: f.Path, Message: text})
		}
	}
	return published
}

// sortedLives are the charts of the SOURCEs in path order.
func (r *Repository) sortedLives() []*live {
	lives := make([]*live, 0, len(r.lives))
	for _, l := range r.lives {
		if !l.external {
			lives = append(lives, l)
		}
	}
	slices.SortFunc(lives, byDisplay)
	return lives
}

func byDisplay(a, b *live) int { return cmp.Compare(a.place.display, b.place.display) }

// planName decides which chart or archive each version of a name comes from:
// sources before archives, the first in path order among equals. A chart that is
// broken holds its place, for its last good archive, against archives only.
func (r *Repository) planName(p *plan, name string, nodes []*node, files map[string]ident) {
	delete(r.clashes, name)
	claims := map[string]string{} // version to the path that has it
	keys := map[string][32]byte{} // version to what it is built from
	for _, n := range nodes {
		version := r.opts.withMetadata(n.chart.meta.Version)
		id := ident{name, version}
		if n.err != nil {
			continue
		}
		switch first, taken := claims[version]; {
		case taken && keys[version] == n.key:
			p.warnings = append(p.warnings, Warning{n.chart.place.display, "the same chart stands in " + first + ", which is the one that is published"})
			continue
		case taken:
			r.clash(id, n.chart.place.display, first)
			continue
		}
		claims[version], keys[version] = n.chart.place.display, n.key
		r.planJob(p, files, &job{id: id, display: n.chart.place.display, node: n, key: r.jobKey(n, version)})
	}
	for _, n := range nodes {
		if version := r.opts.withMetadata(n.chart.meta.Version); claims[version] == "" {
			claims[version] = n.chart.place.display
		}
	}
	for _, path := range slices.Sorted(maps.Keys(r.given.byName[name])) {
		r.planGiven(p, files, claims, r.given.byName[name][path])
	}
	if !r.opts.Prune || r.incomplete {
		return
	}
	for _, a := range r.given.bad { // their last good copies stay
		if a.last.name == name && claims[a.last.version] == "" {
			claims[a.last.version] = a.display
		}
	}
	for _, path := range slices.Sorted(maps.Keys(r.stored.byName[name])) {
		if a := r.stored.byName[name][path]; a.made && claims[a.entry.Version] == "" {
			p.remove = append(p.remove, a)
			r.dirty[name] = true
		}
	}
}

// planGiven claims an archive's version for an archive in a SOURCE.
func (r *Repository) planGiven(p *plan, files map[string]ident, claims map[string]string, a *archive) {
	first, taken := claims[a.entry.Version]
	other := r.given.byDisplay(a.entry.Name, first)
	switch {
	case !taken:
		claims[a.entry.Version] = a.display
		j := &job{id: a.ident(), display: a.display, given: a}
		j.key = sha256.Sum256([]byte("archive " + a.entry.Digest + " " + a.prov))
		r.planJob(p, files, j)
	case other == nil:
		r.opts.Logger.Debug("an archive gives way to the source of the same name and version", "archive", a.display, "source", first)
	case other.entry.Digest != a.entry.Digest:
		r.clash(a.ident(), a.display, first)
	}
}

func (s *archiveSet) byDisplay(name, display string) *archive {
	for _, a := range s.byName[name] {
		if a.display == display {
			return a
		}
	}
	return nil
}

func (r *Repository) clash(id ident, loser, winner string) {
	r.clashes[id.name] = append(r.clashes[id.name], Failure{
		Path: loser, Name: id.name, Version: id.version,
		Reason: fmt.Sprintf("%s is the same name and version, and comes first (change the version in one of them, or --exclude one)", winner),
	})
}

// planJob adds the job unless its archive is there already.
func (r *Repository) planJob(p *plan, files map[string]ident, j *job) {
	md := chart.Metadata{Name: j.id.name, Version: j.id.version}
	j.path = md.ArchiveName()
	if other, taken := files[j.path]; taken {
		p.fail(j, fmt.Errorf("its archive would be named %s, which is that of %s version %s (rename one of the charts)", j.path, other.name, other.version))
		return
	}
	files[j.path] = j.id
	stored := r.stored.byPath[j.path]
	switch {
	case stored == nil || stored.entry == nil:
	case stored.ident() != j.id:
		p.fail(j, fmt.Errorf("%s in the repository folder is in the way: it holds %s version %s (rename or remove it)", j.path, stored.entry.Name, stored.entry.Version))
		return
	case stored.key == j.key:
		return
	case j.given != nil && stored.entry.Digest == j.given.entry.Digest && r.hasProvenance(j):
		stored.made, stored.key = true, j.key
		return
	}
	p.jobs = append(p.jobs, j)
}

// fail reports why j is not done; the next pass tries again.
func (p *plan) fail(j *job, err error) {
	p.retry = append(p.retry, j.id.name)
	p.failures = append(p.failures, Failure{Path: j.display, Name: j.id.name, Version: j.id.version, Reason: err.Error()})
}

// jobKey is what the bytes of a chart's archive depend on.
func (r *Repository) jobKey(n *node, version string) [32]byte {
	h := sha256.New()
	h.Write(n.key[:])
	fmt.Fprintf(h, "%d %s", r.opts.Timestamp.Unix(), version)
	return [32]byte(h.Sum(nil))
}

// archiveFailures reports archives that can't be published.
func (r *Repository) archiveFailures(p *plan) {
	for _, set := range []*archiveSet{r.given, r.stored} {
		for _, path := range slices.Sorted(maps.Keys(set.bad)) {
			a := set.bad[path]
			if set == r.stored && r.remade(p, a) {
				continue
			}
			p.failures = append(p.failures, Failure{Path: a.display, Reason: a.err.Error()})
		}
	}
}

// archiveWarnings reports what deserves a look in the archives, the new ones too.
func (r *Repository) archiveWarnings(p *plan) {
	for _, set := range []*archiveSet{r.given, r.stored} {
		for _, path := range slices.Sorted(maps.Keys(set.warned)) {
			for _, text := range set.warned[path].warnings {
				p.warnings = append(p.warnings, Warning{Path: set.warned[path].display, Message: text})
			}
		}
	}
}

// remade reports whether a damaged archive in the folder is about to be replaced.
func (r *Repository) remade(p *plan, a *archive) bool {
	return slices.ContainsFunc(p.jobs, func(j *job) bool { return j.path == a.path })
}

// dropUnused forgets charts outside the SOURCEs that nothing depends on any more.
func (r *Repository) dropUnused(rs *resolver) {
	for _, l := range r.lives {
		if l.external && rs.nodes[l] == nil {
			r.dropLive(l)
		}
	}
}

// at implements universe: the chart in a directory, which is looked at the first
// time that something depends on it. A directory that can't be looked at is a chart
// with an error: nothing else may stand in for it.
func (r *Repository) at(dir string) *live {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		r.watchAbove(dir)
		return r.unreadable(dir, err)
	}
	if l := r.lives[real]; l != nil {
		return l
	}
	fi, err := os.Stat(filepath.Join(real, "Chart.yaml"))
	if err != nil || fi.IsDir() {
		r.onDir()(real)
		return r.unreadable(dir, err)
	}
	l := &live{dir: real, external: true, place: place{display: dir, root: r.rootFor(real)}}
	r.lives[real] = l
	l.refresh(r.opts.Limits, r.onDir(), r.opts.Now())
	r.watchLive(l)
	return l
}

// unreadable is a chart that can't be looked at because of err; nil when that says
// that there is none, or when the directory is not in a SOURCE and may not be read.
func (r *Repository) unreadable(dir string, err error) *live {
	var errno syscall.Errno
	switch {
	case !errors.As(err, &errno), errno == syscall.ENOENT, errno == syscall.ENOTDIR, errno == syscall.ELOOP:
		return nil
	case errors.Is(err, fs.ErrPermission) && !slices.ContainsFunc(r.sources, func(s source) bool { return within(s.root, dir) }):
		return nil
	}
	return &live{dir: dir, external: true, place: place{display: dir}, err: err}
}

// rootFor confines the links of a chart outside the SOURCEs: to the SOURCE that
// it lies in after all, or to its parent directory.
func (r *Repository) rootFor(dir string) string {
	for _, s := range r.sources {
		if within(s.root, dir) {
			return s.root
		}
	}
	return filepath.Dir(dir)
}

// named implements universe.
func (r *Repository) named(name string) []*live {
	var found []*live
	for _, l := range r.lives {
		if !l.external && l.summary != nil && l.meta.Name == name {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, byDisplay)
	return found
}

// archives implements universe: those of the SOURCEs, then those of the folder.
func (r *Repository) archives(name string) []*archive {
	var found []*archive
	for _, set := range []*archiveSet{r.given, r.stored} {
		for _, path := range slices.Sorted(maps.Keys(set.byName[name])) {
			found = append(found, set.byName[name][path])
		}
	}
	return found
}
