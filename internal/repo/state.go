package repo

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// stateVersion is the form of the state. The state remembers what was seen, so that a
// restart reads nothing that did not change. It is a cache: what it says of a file
// holds only as long as the file's stamp is the same, and a file that changed shortly
// before it was read is read again.
const stateVersion = "chartserve state 4\n"

// saveState writes the state, when it changed. It may be called after any pass, also one
// that failed: what it says of a file is true while the file has that stamp.
func (r *Repository) saveState() error {
	if r.saved == r.changes {
		return nil
	}
	err := r.store.SaveState(stateVersion, func(e *store.Encoder) error {
		e.Text(fmt.Sprint(r.opts.Rewrite))
		e.Text(r.opts.address("", ""))
		e.Text(r.folder.index.etag)
		e.Stamp(r.folder.index.stamp)
		encodeArchives(e, r.folder.archives, func(a *storedArchive) {
			e.Flag(a.made)
			e.Raw(a.key[:])
		})
		encodeArchives(e, r.given, func(a *sourceArchive) { e.Text(a.prov) })
		return encodeCharts(e, r.charts.byDir)
	})
	if err == nil {
		r.saved = r.changes
	}
	return err
}

// loadState takes over the state of the last time. No state is no error.
func (r *Repository) loadState() error {
	d, err := r.store.LoadState(stateVersion)
	if d == nil || err != nil {
		return err
	}
	if d.Text() != fmt.Sprint(r.opts.Rewrite) {
		return errors.New("it was written for other rewritten repositories")
	}
	sameURL := d.Text() == r.opts.address("", "")
	r.folder.index.etag = d.Text()
	r.folder.index.stamp = d.Stamp()
	decodeArchives(d, r.folder.archives, func(about judged) *storedArchive {
		a := &storedArchive{judged: about, made: d.Flag()}
		d.Raw(a.key[:])
		return a
	})
	decodeArchives(d, r.given, func(about judged) *sourceArchive { return &sourceArchive{judged: about, prov: d.Text()} })
	decodeCharts(d, r.charts.byDir)
	if d.Err() != nil || sameURL {
		return d.Err()
	}
	for path, a := range r.folder.archives.byPath {
		err = errors.Join(err, r.move(&a.judged, path))
	}
	for _, a := range r.given.byPath {
		err = errors.Join(err, r.move(&a.judged, a.ident().archiveName()))
	}
	return err
}

// move puts an archive under the URL that is configured now.
func (r *Repository) move(a *judged, name string) (err error) {
	a.entry, err = a.entry.WithURL(r.opts.address(name, a.entry.Digest))
	return err
}

// encodeArchives writes the good archives of a set; own writes what one kind has more.
func encodeArchives[A anArchive](e *store.Encoder, set *archiveSet[A], own func(A)) {
	good := make([]A, 0, len(set.byPath))
	for _, path := range slices.Sorted(maps.Keys(set.byPath)) {
		if a := set.byPath[path]; a.about().entry != nil {
			good = append(good, a)
		}
	}
	e.Number(uint64(len(good)))
	for _, a := range good {
		about := a.about()
		e.Text(about.path)
		e.Text(about.display)
		e.Stamp(about.stamp)
		e.Time(about.read)
		e.Texts(about.warnings)
		encodeEntry(e, about.entry)
		own(a)
	}
}

func decodeArchives[A anArchive](d *store.Decoder, set *archiveSet[A], own func(judged) A) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		about := judged{path: d.Text(), display: d.Text(), stamp: d.Stamp(), read: d.Time(), warnings: d.Texts(), entry: decodeEntry(d)}
		if a := own(about); d.Err() == nil {
			set.put(a)
		}
	}
}

func encodeEntry(e *store.Encoder, x *index.Entry) {
	for _, s := range []string{x.Name, x.Version, x.AppVersion, x.Description, x.URL, x.Digest} {
		e.Text(s)
	}
	e.Flag(x.Deprecated)
	e.Time(x.Created)
	e.Text(string(x.Record))
}

func decodeEntry(d *store.Decoder) *index.Entry {
	return &index.Entry{
		Name: d.Text(), Version: d.Text(), AppVersion: d.Text(), Description: d.Text(), URL: d.Text(), Digest: d.Text(),
		Deprecated: d.Flag(), Created: d.Time(), Record: d.Bytes(),
	}
}

func encodeCharts(e *store.Encoder, charts map[string]*live) error {
	good := make([]*live, 0, len(charts))
	for _, dir := range slices.Sorted(maps.Keys(charts)) {
		if charts[dir].Metadata != nil {
			good = append(good, charts[dir])
		}
	}
	e.Number(uint64(len(good)))
	for _, l := range good {
		meta, err := json.Marshal(struct {
			Meta *chart.Metadata
			Lock *chart.Lock
		}{l.Metadata, l.Lock})
		if err != nil {
			return err
		}
		e.Text(l.Dir)
		e.Text(l.Path)
		e.Text(l.root)
		e.Flag(l.external)
		e.Flag(l.Err == nil)
		e.Raw(l.fingerprint[:])
		e.Time(l.newest)
		e.Time(l.read)
		e.Texts(l.warnings)
		e.Text(string(meta))
		e.Raw(l.Key[:])
		e.Raw(l.BareKey[:])
		e.Number(uint64(len(l.Vendored)))
		for _, v := range l.Vendored {
			e.Text(v.Name)
			e.Text(v.Version)
			e.Raw(v.Key[:])
		}
	}
	return nil
}

func decodeCharts(d *store.Decoder, charts map[string]*live) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		l := &live{Chart: resolve.Chart{Dir: d.Text(), Path: d.Text()}, root: d.Text(), external: d.Flag()}
		l.changed = !d.Flag()
		d.Raw(l.fingerprint[:])
		l.newest, l.read, l.warnings = d.Time(), d.Time(), d.Texts()
		parts := struct {
			Meta *chart.Metadata
			Lock *chart.Lock
		}{}
		if meta := d.Text(); d.Err() == nil {
			d.Fail(json.Unmarshal([]byte(meta), &parts))
		}
		l.Metadata, l.Lock = parts.Meta, parts.Lock
		d.Raw(l.Key[:])
		d.Raw(l.BareKey[:])
		for m := d.Number(); m > 0 && d.Err() == nil; m-- {
			v := resolve.Vendored{Name: d.Text(), Version: d.Text()}
			d.Raw(v.Key[:])
			l.Vendored = append(l.Vendored, v)
		}
		if d.Err() == nil && l.Metadata != nil {
			charts[l.Dir] = l
		}
	}
}
