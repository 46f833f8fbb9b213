package repo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/resolve"
)

// The state remembers what was seen, so that a restart reads nothing that did not
// change. It is a cache: what it says of a file holds only as long as the file's
// stamp is the same, and a file that changed shortly before it was read is read
// again. A state that is damaged, or of another form, is not used at all; so it is
// not brought to disk either, which with 100,000 archives is 90 MB.
const (
	stateMagic   = "chartserve state 3\n"
	maxStateSize = 4 << 30
)

// saveState writes the state, when it changed.
func (r *Repository) saveState() error {
	if !r.unsaved || r.lost {
		return nil
	}
	t, err := r.folder.newTemp(r.temps.Add(1), func(w io.Writer) error {
		e := &encoder{w: w}
		e.text(stateMagic)
		e.text(fmt.Sprint(r.opts.Rewrite))
		e.text(r.address("", ""))
		e.text(r.indexed.etag)
		e.stamp(r.indexed.stamp)
		e.archives(r.stored)
		e.archives(r.given)
		if err := e.lives(r.lives); err != nil {
			return err
		}
		return e.seal()
	})
	if err != nil {
		return err
	}
	if err := t.close(); err != nil {
		t.discard()
		return err
	}
	if err := t.rename(stateName); err != nil {
		t.discard()
		return err
	}
	r.unsaved = false
	return nil
}

// loadState takes over the state of the last time. No state is no error.
func (r *Repository) loadState() error {
	fi, err := r.folder.root.Stat(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Size() > maxStateSize {
		return fmt.Errorf("%s is too large", stateName)
	}
	data, err := r.folder.root.ReadFile(stateName)
	if err != nil {
		return err
	}
	d, err := unseal(data)
	if err != nil {
		return err
	}
	if d.text() != stateMagic {
		return errors.New("it was written by another version")
	}
	if d.text() != fmt.Sprint(r.opts.Rewrite) {
		return errors.New("it was written for other rewritten repositories")
	}
	sameURL := d.text() == r.address("", "")
	r.indexed.etag = d.text()
	r.indexed.stamp = d.stamp()
	d.archives(r.stored, true)
	d.archives(r.given, false)
	d.lives(r.lives)
	if d.err == nil && !sameURL {
		d.err = r.moveURLs()
	}
	return d.err
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

func (e *encoder) archives(set *archiveSet) {
	good := make([]*archive, 0, len(set.byPath))
	for _, path := range slices.Sorted(maps.Keys(set.byPath)) {
		if a := set.byPath[path]; a.entry != nil {
			good = append(good, a)
		}
	}
	e.number(uint64(len(good)))
	for _, a := range good {
		e.text(a.path)
		e.text(a.display)
		e.stamp(a.stamp)
		e.time(a.read)
		e.flag(a.made)
		e.raw(a.key[:])
		e.text(a.prov)
		e.texts(a.warnings)
		e.entry(a.entry)
	}
}

func (d *decoder) archives(set *archiveSet, stored bool) {
	for n := d.number(); n > 0 && d.err == nil; n-- {
		a := &archive{stored: stored, path: d.text(), display: d.text(), stamp: d.stamp(), read: d.time(), made: d.flag()}
		d.raw(a.key[:])
		a.prov, a.warnings, a.entry = d.text(), d.texts(), d.entry()
		if d.err == nil {
			set.put(a)
		}
	}
}

func (e *encoder) entry(x *index.Entry) {
	for _, s := range []string{x.Name, x.Version, x.AppVersion, x.Description, x.URL, x.Digest} {
		e.text(s)
	}
	e.flag(x.Deprecated)
	e.time(x.Created)
	e.text(string(x.Record))
}

func (d *decoder) entry() *index.Entry {
	return &index.Entry{
		Name: d.text(), Version: d.text(), AppVersion: d.text(), Description: d.text(), URL: d.text(), Digest: d.text(),
		Deprecated: d.flag(), Created: d.time(), Record: d.bytes(),
	}
}

func (e *encoder) lives(lives map[string]*live) error {
	good := make([]*live, 0, len(lives))
	for _, dir := range slices.Sorted(maps.Keys(lives)) {
		if lives[dir].Metadata != nil {
			good = append(good, lives[dir])
		}
	}
	e.number(uint64(len(good)))
	for _, l := range good {
		meta, err := json.Marshal(struct {
			Meta *chart.Metadata
			Lock *chart.Lock
		}{l.Metadata, l.Lock})
		if err != nil {
			return err
		}
		e.text(l.Dir)
		e.text(l.Path)
		e.text(l.root)
		e.flag(l.external)
		e.flag(l.Err == nil)
		e.raw(l.fingerprint[:])
		e.time(l.newest)
		e.time(l.read)
		e.texts(l.warnings)
		e.text(string(meta))
		e.raw(l.Key[:])
		e.raw(l.BareKey[:])
		e.number(uint64(len(l.Vendored)))
		for _, v := range l.Vendored {
			e.text(v.Name)
			e.text(v.Version)
			e.raw(v.Key[:])
		}
	}
	return nil
}

func (d *decoder) lives(lives map[string]*live) {
	for n := d.number(); n > 0 && d.err == nil; n-- {
		l := &live{Chart: resolve.Chart{Dir: d.text(), Path: d.text()}, root: d.text(), external: d.flag()}
		l.changed = !d.flag()
		d.raw(l.fingerprint[:])
		l.newest, l.read, l.warnings = d.time(), d.time(), d.texts()
		parts := struct {
			Meta *chart.Metadata
			Lock *chart.Lock
		}{}
		if meta := d.text(); d.err == nil {
			d.err = json.Unmarshal([]byte(meta), &parts)
		}
		l.Metadata, l.Lock = parts.Meta, parts.Lock
		d.raw(l.Key[:])
		d.raw(l.BareKey[:])
		for m := d.number(); m > 0 && d.err == nil; m-- {
			v := resolve.Vendored{Name: d.text(), Version: d.text()}
			d.raw(v.Key[:])
			l.Vendored = append(l.Vendored, v)
		}
		if d.err == nil && l.Metadata != nil {
			lives[l.Dir] = l
		}
	}
}
