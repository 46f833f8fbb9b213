package repo

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"chartserve/internal/resolve"
)

// plan says what a pass has to do: which archives to make, which to remove, and what
// can't be done.
type plan struct {
	*planner
	jobs     []*job
	remove   []*archive
	failures []Failure
	warnings []Warning
	retry    []string // names that the next pass plans again

	retired map[ident]bool // those of remove that a rule or a Prune picked

	stillUnfit map[[32]byte]error
	lost       map[string][]*archive // those of the SOURCEs that once were good, by name
	dirty      map[string]bool       // see Repository
	paths      map[string]ident      // names in the folder that jobs have taken
}

// job makes one archive in the repository folder: from a chart, as a copy of an archive
// in a SOURCE, or from an upload.
type job struct {
	id      ident
	path    string // in the repository folder
	display string
	key     [32]byte

	node   *resolve.Node
	source *archive
	upload *upload

	made    *made
	old     *archive // what had the path before
	renamed bool     // made has its name
	err     error
}

// planner decides which chart, archive or upload each version of a name comes from, and
// compares that with the repository folder.
type planner struct {
	opts   *Options
	charts *chartSet
	folder *folder

	unfinished []string   // plan.retry of the last pass that was published
	bad        []*archive // copies that turned out to be bad, until they are removed
	clashes    map[string][]Failure
	// unfit are the keys of charts that were found unfit for publishing when they were
	// packaged, and why: too large as a whole, for example.
	unfit map[[32]byte]error
	// holders are the paths in SOURCEs that the versions of each name come from, live
	// those too of what can't be published now.
	holders, live map[string]map[string]string
}

// plan plans for the names that may have changed. nodes are the charts of the SOURCEs,
// resolved.
func (pl *planner) plan(nodes map[*resolve.Chart]*resolve.Node, dirty map[string]bool, uploads []*upload) *plan {
	p := &plan{
		planner: pl, retired: map[ident]bool{}, lost: map[string][]*archive{}, dirty: dirty, paths: map[string]ident{}, stillUnfit: map[[32]byte]error{},
	}
	for _, a := range pl.folder.archives.marked {
		if !a.stored() && a.entry == nil && a.last != nil {
			p.lost[a.last.Name] = append(p.lost[a.last.Name], a)
		}
	}
	for _, a := range pl.bad {
		if pl.folder.archives.byPath[a.path] == a {
			p.remove, dirty[a.entry.Name] = append(p.remove, a), true
		}
	}
	published := p.report(nodes)
	names := maps.Clone(dirty)
	for _, name := range pl.unfinished {
		names[name] = true
	}
	for name := range published {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p.name(name, published[name])
	}
	pl.unfit = p.stillUnfit
	for _, u := range uploads {
		p.upload(u)
	}
	for _, name := range slices.Sorted(maps.Keys(pl.clashes)) {
		p.failures = append(p.failures, pl.clashes[name]...)
	}
	return p
}

// report notes what is wrong with the charts of the SOURCEs, and returns those whose
// name is known, by name. A chart that waits for a download is no failure.
func (p *plan) report(nodes map[*resolve.Chart]*resolve.Node) map[string][]*resolve.Node {
	p.failures = slices.Concat(p.charts.sources.failures, p.folder.failures)
	published := map[string][]*resolve.Node{}
	for _, d := range p.charts.published() {
		n := nodes[&d.Chart]
		f := Failure{Path: d.Path}
		if d.Metadata != nil {
			f.Name, f.Version = d.Metadata.Name, d.Metadata.Version
			published[f.Name] = append(published[f.Name], n)
		}
		if n.Err != nil && !n.Waiting {
			f.Reason = n.Err.Error()
			p.failures = append(p.failures, f)
		}
		for _, text := range slices.Concat(d.warnings, n.Warnings) {
			p.warnings = append(p.warnings, Warning{Path: f.Path, Message: text})
		}
	}
	return published
}

// fail reports why j is not done; the next pass tries again.
func (p *plan) fail(j *job, err error) {
	p.retry = append(p.retry, j.id.name)
	p.failures = append(p.failures, failure(j.display, j.id, err))
}

func failure(path string, id ident, err error) Failure {
	return Failure{Path: path, Name: id.name, Version: id.version, Reason: err.Error()}
}

func (p *plan) discard() {
	for _, j := range p.jobs {
		j.made.discard()
	}
}

// keyOf is what the bytes of a chart's archive and of its provenance depend on.
func (p *plan) keyOf(n *resolve.Node, version string) [32]byte {
	h := sha256.New()
	h.Write(n.Key[:])
	fmt.Fprintf(h, "%d %s", p.opts.Timestamp.Unix(), version)
	if p.opts.Signer != nil {
		fmt.Fprintf(h, " signed by %s", p.opts.Signer.ID())
	}
	return [32]byte(h.Sum(nil))
}
