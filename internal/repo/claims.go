package repo

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"chartserve/internal/resolve"
)

// name decides for all versions of a chart name: sources come before archives, and the
// first in order of precedence wins among equals.
func (p *plan) name(name string, nodes []*resolve.Node) {
	delete(p.clashes, name)
	holders := map[string]string{} // version to the path that it comes from
	keys := map[string][32]byte{}  // version to what it is built from
	for _, n := range nodes {
		if n.Err != nil {
			continue
		}
		version := p.opts.withMetadata(n.Chart.Metadata.Version)
		id, key := ident{name, version}, p.keyOf(n, version)
		if err := p.unfit[key]; err != nil {
			p.stillUnfit[key] = err
			p.failures = append(p.failures, failure(n.Chart.Path, id, err))
			continue
		}
		switch first, taken := holders[version]; {
		case taken && keys[version] == n.Key:
			p.warnings = append(p.warnings, Warning{Path: n.Chart.Path, Message: "the same chart stands in " + first + ", which is the one that is published"})
			continue
		case taken:
			p.clash(id, n.Chart.Path, first)
			continue
		}
		holders[version], keys[version] = n.Chart.Path, n.Key
		p.job(&job{id: id, display: n.Chart.Path, node: n, key: key})
	}
	for _, a := range p.folder.archives.byName[name] {
		if !a.stored() {
			p.copy(holders, a)
		}
	}
	live := p.liveVersions(name, nodes, holders)
	p.removals(name, nodes, live)
	if !maps.Equal(p.live[name], live) {
		p.dirty[name] = true // their place in the index, Version.Live and source
	}
	if p.holders[name] = holders; len(holders) == 0 {
		delete(p.holders, name)
	}
	if p.live[name] = live; len(live) == 0 {
		delete(p.live, name)
	}
	if len(p.opts.Sources) > 0 {
		p.noteHeld(name, live)
	}
}

// noteHeld has the state remember what is live, for whoever prunes without SOURCEs.
func (p *plan) noteHeld(name string, live map[string]string) {
	for _, a := range p.folder.archives.byName[name] {
		if at := live[a.entry.Version]; a.stored() && a.held != at {
			a.held = at
			p.folder.archives.changed(name)
		}
	}
}

// liveVersions are the versions of a name that have a source, with its path: those of
// holders, and those that were last seen of a chart or an archive that can't be
// published now.
func (p *plan) liveVersions(name string, nodes []*resolve.Node, holders map[string]string) map[string]string {
	live := map[string]string{}
	for _, n := range nodes {
		if n.Err != nil {
			live[p.opts.withMetadata(n.Chart.Metadata.Version)] = n.Chart.Path
		}
	}
	for _, a := range p.lost[name] {
		live[a.last.Version] = a.display
	}
	maps.Copy(live, holders)
	return live
}

// copy hands the version of an archive in a SOURCE to it.
func (p *plan) copy(holders map[string]string, a *archive) {
	version := a.entry.Version
	first, taken := holders[version]
	if !taken {
		holders[version] = a.display
		j := &job{id: a.ident(), display: a.display, source: a}
		j.key = sha256.Sum256([]byte("archive " + a.entry.Digest + " " + a.prov))
		p.job(j)
		return
	}
	archives := p.folder.archives.byName[a.entry.Name]
	rival := slices.IndexFunc(archives, func(b *archive) bool { return !b.stored() && b.display == first })
	switch {
	case rival < 0:
		p.opts.Logger.Debug("an archive gives way to the source of the same name and version", "archive", a.display, "source", first)
	case archives[rival].entry.Digest != a.entry.Digest:
		p.clash(a.ident(), a.display, first)
	}
}

// removals finds the archives that have no source any more, where they are to be
// pruned. While a chart of the name can't be built its last good archive stays, which
// may be of another version. While part of the SOURCEs can't be seen all archives stay.
func (p *plan) removals(name string, nodes []*resolve.Node, live map[string]string) {
	broken := func(n *resolve.Node) bool {
		return n.Err != nil || p.unfit[p.keyOf(n, p.opts.withMetadata(n.Chart.Metadata.Version))] != nil
	}
	if !p.opts.Prune || slices.ContainsFunc(nodes, broken) {
		return
	}
	for _, a := range p.folder.archives.byName[name] {
		switch {
		case !a.made || live[a.entry.Version] != "":
		case p.charts.sources.incomplete:
			p.retry = append(p.retry, name)
		default:
			p.remove = append(p.remove, a)
			p.dirty[name] = true
		}
	}
}

func (p *plan) clash(id ident, loser, winner string) {
	p.clashes[id.name] = append(p.clashes[id.name], Failure{
		Path: loser, Name: id.name, Version: id.version,
		Reason: fmt.Sprintf("%s is the same name and version, and comes first (change the version in one of them, or --exclude one)", winner),
	})
}

// job adds a job unless its archive is there already.
func (p *plan) job(j *job) {
	if err := p.place(j); err != nil {
		p.fail(j, err)
		return
	}
	stored := p.folder.archives.byPath[j.path]
	switch {
	case stored == nil || stored.entry == nil:
	case stored.key == j.key && p.folder.isSigned(j.path, stored.prov):
		return
	case j.source != nil && stored.entry.Digest == j.source.entry.Digest && p.folder.isSigned(j.path, j.source.prov):
		stored.made, stored.copied, stored.key, stored.prov = true, true, j.key, j.source.prov
		return
	}
	p.jobs = append(p.jobs, j)
}

// place gives a job its file name. The error is that something else has it.
func (p *plan) place(j *job) error {
	j.path = j.id.archiveName()
	if other, taken := p.paths[j.path]; taken && other != j.id {
		return fmt.Errorf("its archive would be named %s, which is that of %s version %s (rename one of the charts)", j.path, other.name, other.version)
	}
	p.paths[j.path] = j.id
	if stored := p.folder.archives.byPath[j.path]; stored != nil && stored.entry != nil && stored.ident() != j.id {
		return fmt.Errorf("%s in the repository folder is in the way: it holds %s version %s (rename or remove it)", j.path, stored.entry.Name, stored.entry.Version)
	}
	return nil
}
