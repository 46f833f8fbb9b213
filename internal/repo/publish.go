package repo

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/store"
)

// publish makes what the pass gave visible. Everything new is on disk under
// temporary names before the first rename; the rename of index.yaml commits.
// After an error the Snapshot is what it was, and the next pass looks at
// everything again.
func (r *Repository) publish(p *plan) (err error) {
	defer p.discard()
	for _, j := range p.jobs {
		var broken *store.Error
		if errors.As(j.err, &broken) || store.Passing(j.err) {
			return j.err
		}
	}
	if err := r.shortage(); err != nil {
		return err // of a chart outside the SOURCEs
	}
	defer func() {
		if err != nil {
			r.unstage(p)
		}
	}()
	for _, j := range p.jobs {
		switch {
		case j.err == nil:
			r.stage(j)
		case errors.Is(j.err, errChanged) || errors.Is(j.err, fs.ErrNotExist):
			r.again = true
		default:
			p.fail(j, j.err)
		}
	}
	for _, a := range p.remove {
		r.stored.remove(a.path)
	}
	r.encode()
	newIndex, err := r.stageIndex()
	if err != nil {
		return err
	}
	defer newIndex.Discard()
	if err := r.commit(p, newIndex); err != nil {
		return err
	}
	r.forgetRemoved(p.remove)
	return nil
}

// stage enters a new archive as if it stood in the folder already: a rename keeps
// size, times and inode.
func (r *Repository) stage(j *job) {
	a := &archive{
		path: j.path, display: j.path, stored: true, made: true, key: j.key, warnings: j.made.warnings,
		entry: j.made.entry, stamp: j.made.temp.Stamp(), read: r.opts.Now(),
	}
	if old := r.stored.byPath[j.path]; old != nil && old.entry != nil && old.entry.Digest == a.entry.Digest && j.made.prov == nil {
		// The same bytes from other sources (a lock rewritten, a last good archive
		// that becomes the built one): the file stays.
		old.made, old.key = true, j.key
		j.made.discard()
		j.made = nil
		return
	}
	a.setFile()
	j.old = r.stored.byPath[j.path]
	r.stored.put(a)
	r.served.put(a.file)
}

// unstage takes back what a pass that failed has entered: what did not get its
// name is made again, and what was to be removed is still chartserve's own.
func (r *Repository) unstage(p *plan) {
	for _, j := range p.jobs {
		if j.err != nil || j.made == nil || j.renamed {
			continue
		}
		r.stored.remove(j.path)
		r.served.remove(j.path)
		if j.old != nil {
			j.old.key = [32]byte{} // its provenance may be the new one
			r.stored.put(j.old)
		}
	}
	for _, a := range p.remove {
		r.stored.put(a)
	}
}

// encode brings the blocks of all changed names up to date and assembles the
// index.
func (r *Repository) encode() {
	if r.encoded != nil && len(r.dirty) == 0 {
		return
	}
	r.set(slices.Sorted(maps.Keys(r.dirty)))
	if r.watcher == nil || r.first && len(r.stored.byPath) > manyArchives {
		// Nobody is served yet, or ever: see compress.
		r.encoded = r.builder.EncodeIdentity()
		return
	}
	r.encoded = r.builder.Encode()
}

// manyArchives are those whose index takes longer to compress than a start should
// wait for: some 5 ms.
const manyArchives = 250

// set makes the named charts' parts of the index and of the page anew.
func (r *Repository) set(names []string) {
	charts, rows := make([]index.Chart, len(names)), make([]*row, len(names))
	parallel(r.opts.Jobs, len(names), func(i int) {
		charts[i] = index.Chart{Name: names[i], Entries: r.entries(names[i])}
		if r.opts.Pages != nil && len(charts[i].Entries) > 0 {
			rows[i] = newRow(r.opts.Pages.Rows(names[i], charts[i].Entries))
		}
	})
	r.builder.SetAll(charts)
	for i, name := range names {
		r.rows.set(name, rows[i])
	}
}

// compress adds the compressed forms of a large index to the Snapshot, after the first
// pass: it takes a good part of a start, and nobody needs them to begin with. After a
// pass that failed it does nothing: the index that would be compressed is that of the
// pass, which nobody may see.
func (r *Repository) compress() bool {
	if r.lost {
		return false
	}
	s := *r.snapshot.Load()
	r.encoded = r.builder.Encode()
	s.Index = r.encoded
	r.snapshot.Store(&s)
	return true
}

// entries chooses the archive of each version of a name, newest first: the one
// under its archive name, else the first in path order.
func (r *Repository) entries(name string) []*index.Entry {
	chosen := map[string]*archive{}
	for _, path := range slices.Sorted(maps.Keys(r.stored.byName[name])) {
		a := r.stored.byName[name][path]
		md := chart.Metadata{Name: name, Version: a.entry.Version}
		if first := chosen[a.entry.Version]; first == nil || path == md.ArchiveName() {
			chosen[a.entry.Version] = a
		}
	}
	entries := make([]*index.Entry, 0, len(chosen))
	for _, a := range chosen {
		entries = append(entries, a.entry)
	}
	slices.SortFunc(entries, index.Compare)
	return entries
}

// stageIndex writes index.yaml under a temporary name; nil when the one that is
// there is right.
func (r *Repository) stageIndex() (*store.Staged, error) {
	if r.indexed.etag == r.encoded.YAML.ETag {
		return nil, nil
	}
	return r.store.Stage(func(w io.Writer) error {
		_, err := r.encoded.YAML.Data.WriteTo(w)
		return err
	})
}

// commit makes the pass visible in the repository folder, and notes how far that
// came.
func (r *Repository) commit(p *plan, newIndex *store.Staged) error {
	b := &store.Batch{Index: newIndex}
	var ready []*job
	staged := map[string]bool{}
	for _, j := range p.jobs {
		if j.err != nil || j.made == nil {
			continue
		}
		b.Archives = append(b.Archives, &store.Archive{
			Name: j.path, Digest: j.made.entry.Digest, Staged: j.made.temp, Provenance: j.made.prov,
			Replaces: j.old.current(), Link: r.opts.DigestURLs,
		})
		ready = append(ready, j)
		staged[j.path] = true
	}
	b.Links = r.links(staged)
	for _, a := range p.remove {
		b.Remove = append(b.Remove, *a.current())
	}
	err := r.store.Commit(b)
	for i, j := range ready {
		if j.renamed = b.Archives[i].Named; j.renamed && j.made.prov != nil {
			r.refreshOther(j.path + ".prov")
		}
	}
	if b.Committed && newIndex != nil {
		r.indexed, r.unsaved = indexFile{r.encoded.YAML.ETag, newIndex.Stamp()}, true
	}
	return err
}

// links are the archives of all names that changed, but for those that are staged,
// where the index points to addresses by content.
func (r *Repository) links(staged map[string]bool) []store.Link {
	if !r.opts.DigestURLs {
		return nil
	}
	var links []store.Link
	for name := range r.dirty {
		for _, a := range r.stored.byName[name] {
			if !staged[a.path] {
				links = append(links, store.Link{Name: a.path, Digest: a.entry.Digest})
			}
		}
	}
	return links
}

// forgetRemoved takes archives that were removed out of what is served.
func (r *Repository) forgetRemoved(archives []*archive) {
	for _, a := range archives {
		r.served.remove(a.path)
		r.served.remove(a.path + ".prov")
		delete(r.others, a.path+".prov")
	}
}
