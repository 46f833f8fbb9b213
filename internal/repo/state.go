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
const stateVersion = "chartserve state 3\n"

// saveState writes the state, when it changed.
func (r *Repository) saveState() error {
	if !r.unsaved || r.lost {
		return nil
	}
	err := r.store.SaveState(stateVersion, func(e *store.Encoder) error {
		e.Text(fmt.Sprint(r.opts.Rewrite))
		e.Text(r.address("", ""))
		e.Text(r.indexed.etag)
		e.Stamp(r.indexed.stamp)
		encodeArchives(e, r.stored)
		encodeArchives(e, r.given)
		return encodeLives(e, r.lives)
	})
	if err == nil {
		r.unsaved = false
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
	sameURL := d.Text() == r.address("", "")
	r.indexed.etag = d.Text()
	r.indexed.stamp = d.Stamp()
	decodeArchives(d, r.stored, true)
	decodeArchives(d, r.given, false)
	decodeLives(d, r.lives)
	if d.Err() == nil && !sameURL {
		return r.moveURLs()
	}
	return d.Err()
}

// moveURLs puts all archives under the URL that is configured now.
func (r *Repository) moveURLs() error {
	for _, set := range []*archiveSet{r.stored, r.given} {
		for _, a := range set.byPath {
			path := a.path
			if !a.stored {
				md := chart.Metadata{Name: a.entry.Name, Version: a.entry.Version}
				path = md.ArchiveName()
			}
			e, err := a.entry.WithURL(r.address(path, a.entry.Digest))
			if err != nil {
				return err
			}
			a.entry = e
		}
	}
	return nil
}

func encodeArchives(e *store.Encoder, set *archiveSet) {
	good := make([]*archive, 0, len(set.byPath))
	for _, path := range slices.Sorted(maps.Keys(set.byPath)) {
		if a := set.byPath[path]; a.entry != nil {
			good = append(good, a)
		}
	}
	e.Number(uint64(len(good)))
	for _, a := range good {
		e.Text(a.path)
		e.Text(a.display)
		e.Stamp(a.stamp)
		e.Time(a.read)
		e.Flag(a.made)
		e.Raw(a.key[:])
		e.Text(a.prov)
		e.Texts(a.warnings)
		encodeEntry(e, a.entry)
	}
}

func decodeArchives(d *store.Decoder, set *archiveSet, stored bool) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		a := &archive{stored: stored, path: d.Text(), display: d.Text(), stamp: d.Stamp(), read: d.Time(), made: d.Flag()}
		d.Raw(a.key[:])
		a.prov, a.warnings, a.entry = d.Text(), d.Texts(), decodeEntry(d)
		if d.Err() == nil {
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

func encodeLives(e *store.Encoder, lives map[string]*live) error {
	good := make([]*live, 0, len(lives))
	for _, dir := range slices.Sorted(maps.Keys(lives)) {
		if lives[dir].Metadata != nil {
			good = append(good, lives[dir])
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

func decodeLives(d *store.Decoder, lives map[string]*live) {
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
			lives[l.Dir] = l
		}
	}
}
