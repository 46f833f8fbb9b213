package repo

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// publish makes what a pass has made visible in the repository folder: archives first,
// then index.yaml. again reports whether a chart changed while it was packaged. After an
// error the View is what it was. m and all are those of retire.
func (r *Repository) publish(p *plan, m mail, all bool) (again bool, err error) {
	defer p.discard()
	for _, j := range p.jobs {
		var broken *store.Error
		if errors.As(j.err, &broken) || store.Passing(j.err) {
			return false, j.err
		}
	}
	if err := r.short.met(); err != nil {
		return false, err // of a chart outside the SOURCEs
	}
	defer func() {
		if err != nil {
			r.unstage(p)
		}
	}()
	failed := map[string]bool{} // chart names
	for _, j := range p.jobs {
		failed[j.id.name] = failed[j.id.name] || j.err != nil
		switch {
		case j.err == nil:
			r.stage(j)
		case errors.Is(j.err, errChanged) || errors.Is(j.err, fs.ErrNotExist):
			again = true
		case j.node != nil && isVerdict(j.err):
			// The next pass publishes what comes next in order of precedence.
			r.planner.unfit[j.key] = j.err
			again = true
			fallthrough
		default:
			p.fail(j, j.err)
		}
	}
	p.remove = slices.DeleteFunc(p.remove, func(a *archive) bool { return failed[a.entry.Name] && !slices.Contains(p.bad, a) })
	r.retire(p, m, all)
	for _, a := range p.remove {
		r.folder.drop(a.path)
		r.folder.drop(a.path + ".prov")
	}
	r.encode()
	newIndex, err := r.stageIndex()
	if err != nil {
		return false, err
	}
	defer newIndex.Discard()
	return again, r.commit(p, newIndex)
}

// isVerdict reports whether err says something of a chart that stays true while its
// content does.
func isVerdict(err error) bool {
	var verdict *chart.Error
	var system syscall.Errno
	return errors.As(err, &verdict) && !errors.As(err, &system)
}

// stage enters a new archive as if it were in the folder already: a rename keeps size,
// times and inode.
func (r *Repository) stage(j *job) {
	r.changes++
	old := r.archives.byPath[j.path]
	if j.made.archive == nil {
		j.old = old // its provenance is new, and it stays
		return
	}
	made := j.upload == nil
	if old != nil && old.entry != nil && old.entry.Digest == j.made.entry.Digest && j.made.provenance == nil {
		// The same bytes from other sources (a lock rewritten, a last good archive that
		// becomes the built one): the file stays.
		old.made, old.copied, old.key, old.prov = made, j.source != nil, j.key, j.made.signature
		j.made.discard()
		j.made = nil
		return
	}
	j.old = old
	r.folder.put(&archive{
		path: j.path, display: r.folder.shown(j.path), stamp: j.made.archive.Stamp(), read: r.opts.Now(), entry: j.made.entry,
		warnings: j.made.warnings, whole: j.source == nil || j.source.whole, made: made, copied: j.source != nil, key: j.key, prov: j.made.signature, held: r.planner.live[j.id.name][j.id.version],
	})
}

// unstage takes back what a pass that failed has entered: what did not get its name is
// made again, and what was to be removed is still chartserve's own.
func (r *Repository) unstage(p *plan) {
	for _, j := range p.jobs {
		if j.err != nil || j.made == nil || j.made.archive == nil || j.renamed {
			continue
		}
		r.folder.drop(j.path)
		if j.old != nil {
			j.old.key = [32]byte{} // its provenance may be the new one
			r.folder.put(j.old)
		}
	}
	for _, a := range p.remove {
		r.folder.put(a)
	}
}

// manyArchives are those whose index takes longer to compress than a start should wait
// for: some 5 ms.
const manyArchives = 250

// encode brings the parts of all changed names up to date and assembles the index. The
// first index of a large repository is compressed after it is served, that of Build
// never: see compress.
func (r *Repository) encode() {
	if r.catalog.encoded != nil && len(r.dirty) == 0 {
		return
	}
	r.catalog.set(slices.Sorted(maps.Keys(r.dirty)), r.opts.Jobs, r.chart)
	if len(r.catalog.names) == 0 {
		r.catalog.builder.Empty = r.emptied()
	}
	first := r.View().Index == nil
	r.catalog.encode(r.serving && !(first && len(r.archives.byPath) > manyArchives))
}

func (r *Repository) chart(name string) (*Chart, index.Chart) {
	return r.folder.chart(name, r.planner.live[name])
}

// compress adds the compressed forms of a large index to the View, after the first
// pass: it takes a good part of a start, and nobody needs them to begin with. It reports
// false after a pass that failed: nobody may see the index of that.
func (r *Repository) compress() bool {
	if r.phase == uncertain {
		return false
	}
	v := *r.View()
	r.catalog.encode(true)
	v.Index = r.catalog.encoded
	r.show(&v)
	return true
}

// indexWrite is how much of index.yaml is written at once. Each write is an event for
// whoever watches the folder, this process too, and that takes longer than a small write.
const indexWrite = 256 << 10

// stageIndex writes index.yaml under a temporary name; nil when the one that is there is
// right.
func (r *Repository) stageIndex() (*store.Staged, error) {
	if r.folder.index.etag == r.catalog.encoded.YAML.ETag {
		return nil, nil
	}
	data := r.catalog.encoded.YAML.Data
	return r.store.Stage(func(w io.Writer) error {
		large := bufio.NewWriterSize(w, min(data.Len(), indexWrite))
		if _, err := data.WriteTo(large); err != nil {
			return err
		}
		return large.Flush()
	})
}

// commit makes the pass visible in the repository folder, and notes how far that came.
func (r *Repository) commit(p *plan, newIndex *store.Staged) error {
	b := &store.Batch{Index: newIndex}
	var ready []*job
	staged := map[string]bool{}
	for _, j := range p.jobs {
		if j.err != nil || j.made == nil {
			continue
		}
		a := &store.Archive{
			Name: j.path, Digest: j.made.entry.Digest, Staged: j.made.archive, Provenance: j.made.provenance,
			DropProvenance: r.folder.others[j.path+".prov"] != nil && !r.folder.hasProvenance(j.path, j.made.entry.Digest),
			Remade:         j.upload == nil, Link: r.opts.DigestURLs,
		}
		if a.Staged != nil {
			a.Replaces = j.old.current()
		}
		b.Archives = append(b.Archives, a)
		ready = append(ready, j)
		staged[j.path] = true
	}
	b.Links = r.links(staged)
	for _, a := range p.remove {
		b.Remove = append(b.Remove, *a.current())
	}
	err := r.store.Commit(b)
	for i, j := range ready {
		if j.renamed = b.Archives[i].Named; j.renamed && (j.made.provenance != nil || r.folder.others[j.path+".prov"] != nil) {
			_ = r.folder.lookAtOther(j.path + ".prov") // it is there, or not served
			r.vouchedUpload(j)
		}
	}
	if b.Committed && newIndex != nil {
		r.folder.index = indexFile{r.catalog.encoded.YAML.ETag, newIndex.Stamp()}
		r.changes++
	}
	return err
}

// links are the archives of all names that changed, but for those that are staged, where
// the index points to addresses by digest.
func (r *Repository) links(staged map[string]bool) []store.Link {
	if !r.opts.DigestURLs {
		return nil
	}
	var links []store.Link
	for name := range r.dirty {
		for _, a := range r.archives.byName[name] {
			if a.stored() && !staged[a.path] {
				links = append(links, store.Link{Name: a.path, Digest: a.entry.Digest})
			}
		}
	}
	return links
}

// finish hands the View of a pass to the readers. The first one is served before the
// state is saved, which is before Ready.
func (r *Repository) finish(p *plan, nodes map[*resolve.Chart]*resolve.Node, because string) {
	first := r.View().Index == nil
	making := map[string]bool{}
	for _, j := range p.jobs {
		making[j.path] = true
	}
	r.archives.report(p, making)
	r.folder.report(p)
	r.charts.release(nodes)
	r.store.Sweep(r.folder.isCurrent, r.opts.DigestURLs)
	done := func(j *job) bool { return j.err == nil }
	if slices.ContainsFunc(p.jobs, done) || len(p.remove)+len(r.dirty) > 0 || first {
		r.last = r.tally.rebuild(r.begun, r.opts.Now())
	}
	v := r.newView(p, because)
	v.recipes = r.recipesOf(nodes)
	clear(r.dirty)
	r.planner.unfinished, r.planner.bad = p.retry, nil
	var suspects []suspect
	if first && r.inspect != nil {
		suspects = r.folder.suspects()
		r.unchecked.Store(int64(len(suspects)))
	}
	v.Status.Unchecked = int(r.unchecked.Load())
	r.show(v)
	if first {
		r.save()
		close(r.ready)
	}
	if len(suspects) > 0 {
		r.inspect(suspects)
	}
}

// newView is the View after a pass. It tells what has changed.
func (r *Repository) newView(p *plan, because string) *View {
	e, old := r.catalog.encoded, r.View()
	v := &View{
		Index: e, charts: r.catalog.charts.share(), names: r.catalog.names,
		files: r.folder.served.share(), digests: r.folder.digests.share(), replaced: r.store.Replaced(), reader: r.store.Reader, checker: r.judge.checker,
		contextPath: r.catalog.builder.ContextPath, rewrite: r.opts.Rewrite,
		Status: r.status(),
	}
	v.findRetired(r.judge.refused)
	v.Status.Ready, v.Status.Charts, v.Status.Archives = true, e.Charts, e.Versions
	v.Status.Failures, v.Status.Warnings = r.reporter.failures(p.failures), append([]Warning{}, p.warnings...)
	r.reporter.log(old.Status, v.Status, r.serving)
	if c := r.difference(p, old, v.Status.Failures); len(c.Kinds()) > 0 {
		if c.Because = because; r.serving { // the commands that build say more of it
			c.log(r.opts.Logger)
		}
		r.told = append([]Change{c}, r.told[:min(len(r.told), maxChanges-1)]...)
	}
	v.Status.Changes = r.told
	if old.Index == nil && r.serving {
		r.logKept(v)
	}
	return v
}

// logKept says at the start which versions are kept though they have no source.
func (r *Repository) logKept(v *View) {
	if kept := v.Kept(); kept.Count > 0 {
		kept.Charts = kept.Charts[:min(len(kept.Charts), maxNamed)]
		r.opts.Logger.Info("versions without a source are kept; chartserve prune retires them", "kept", kept.String())
	}
}

// status is what is known of the repository without a pass.
func (r *Repository) status() Status {
	s := Status{
		Version: r.opts.Version, Failures: []Failure{}, Warnings: []Warning{}, Changes: r.told, Unchecked: int(r.unchecked.Load()),
		Downloads: r.fetcher.status(), LastRebuild: r.last, Sources: r.sourceStatus(), Repository: r.store.Path(), WatchMode: "none",
	}
	if r.watchMode != nil {
		s.WatchMode = r.watchMode()
	}
	return s
}

func (r *Repository) sourceStatus() []SourceStatus {
	out := make([]SourceStatus, len(r.sources.list))
	for i, s := range r.sources.list {
		out[i].Path = s.name
	}
	for _, d := range r.charts.byDir {
		if !d.external && d.source < len(out) {
			out[d.source].Charts++
		}
	}
	for i := range out {
		out[i].Archives = r.archives.found[i]
	}
	return out
}
