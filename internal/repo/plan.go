package repo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"chartserve/internal/chart"
	"chartserve/internal/resolve"
)

// plan says what a pass has to do: which archives to make, which to remove, and
// what can't be done.
type plan struct {
	nodes    map[*resolve.Chart]*resolve.Node
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

	node  *resolve.Node
	given *archive

	made    *made
	old     *archive // what stood under path before
	renamed bool     // made has its name
	err     error
}

// plan resolves all charts, finds out which of them and of the SOURCEs' archives
// are published under which name and version, and compares that with the folder.
// The error is that of ctx.
func (r *Repository) plan(ctx context.Context) (*plan, error) {
	res, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{nodes: res.Nodes}
	published := r.report(p)
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
	return p, nil
}

// report notes what is wrong with the charts of the SOURCEs, and returns those whose
// name is known, by name. A chart that waits for a download is no failure.
func (r *Repository) report(p *plan) map[string][]*resolve.Node {
	p.failures = append(p.failures, r.scanFailures...)
	p.failures = append(p.failures, r.folderErrors...)
	published := map[string][]*resolve.Node{}
	for _, l := range r.sortedLives() {
		n := p.nodes[&l.Chart]
		f := Failure{Path: l.Path}
		if l.Metadata != nil {
			f.Name, f.Version = l.Metadata.Name, l.Metadata.Version
			published[f.Name] = append(published[f.Name], n)
		}
		if n.Err != nil && !n.Waiting {
			f.Reason = n.Err.Error()
			p.failures = append(p.failures, f)
		}
		for _, text := range append(slices.Clone(l.warnings), n.Warnings...) {
			p.warnings = append(p.warnings, Warning{Path: f.Path, Message: text})
		}
	}
	return published
}

// planName decides which chart or archive each version of a name comes from:
// sources before archives, the first in order of precedence among equals.
func (r *Repository) planName(p *plan, name string, nodes []*resolve.Node, files map[string]ident) {
	delete(r.clashes, name)
	claims := map[string]string{} // version to the path that has it
	keys := map[string][32]byte{} // version to what it is built from
	for _, n := range nodes {
		version := r.opts.withMetadata(n.Chart.Metadata.Version)
		id := ident{name, version}
		if n.Err != nil {
			continue
		}
		switch first, taken := claims[version]; {
		case taken && keys[version] == n.Key:
			p.warnings = append(p.warnings, Warning{n.Chart.Path, "the same chart stands in " + first + ", which is the one that is published"})
			continue
		case taken:
			r.clash(id, n.Chart.Path, first)
			continue
		}
		claims[version], keys[version] = n.Chart.Path, n.Key
		r.planJob(p, files, &job{id: id, display: n.Chart.Path, node: n, key: r.jobKey(n, version)})
	}
	for _, a := range r.given.named(name) {
		r.planGiven(p, files, claims, a)
	}
	r.planRemovals(p, name, nodes, claims)
}

// planRemovals finds the archives that have no source any more, where they are to be
// pruned. While a chart of the name can't be built its last good archive stays,
// which may be of another version.
func (r *Repository) planRemovals(p *plan, name string, nodes []*resolve.Node, claims map[string]string) {
	broken := func(n *resolve.Node) bool { return n.Err != nil }
	if !r.opts.Prune || r.incomplete || slices.ContainsFunc(nodes, broken) {
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
func (r *Repository) jobKey(n *resolve.Node, version string) [32]byte {
	h := sha256.New()
	h.Write(n.Key[:])
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
			a := set.warned[path]
			for _, text := range a.warnings {
				p.warnings = append(p.warnings, Warning{Path: a.display, Message: text})
			}
			if a.provWarning != "" {
				p.warnings = append(p.warnings, Warning{Path: a.display, Message: a.provWarning})
			}
		}
	}
}

// remade reports whether a damaged archive in the folder is about to be replaced.
func (r *Repository) remade(p *plan, a *archive) bool {
	return slices.ContainsFunc(p.jobs, func(j *job) bool { return j.path == a.path })
}
