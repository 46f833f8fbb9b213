package repo

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// stateVersion is the form of the state. The state remembers what was seen, so that a
// restart reads nothing that did not change. It is a cache: what it says of a file
// holds only as long as the file's stamp is the same, and a file that changed shortly
// before it was read is read again.
const stateVersion = "chartserve state 7\n"

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
		encodeArchives(e, r.archives)
		r.judge.encode(e)
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
	decodeArchives(d, r.archives)
	r.judge.decode(d)
	decodeCharts(d, r.charts.byDir)
	if d.Err() != nil {
		return d.Err()
	}
	if sameURL {
		r.saved = r.changes
		return nil
	}
	for _, a := range r.archives.byPath { // to the URL that is configured now
		if a.entry, err = a.entry.WithURL(r.opts.address(a.published(a.ident()), a.entry.Digest)); err != nil {
			return err
		}
	}
	return nil
}

// encode writes the verdicts on contents: on archives that are refused, and on files that
// versions of a chart share.
func (j *judge) encode(e *store.Encoder) {
	e.Number(uint64(len(j.refused)))
	for _, digest := range slices.Sorted(maps.Keys(j.refused)) {
		e.Text(digest)
		e.Text(j.refused[digest].Error())
	}
	good := j.checker.Verdicts()
	digests := slices.Collect(maps.Keys(good))
	slices.SortFunc(digests, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	e.Number(uint64(len(digests)))
	for _, digest := range digests {
		e.Raw(digest[:])
		e.Number(uint64(good[digest]))
	}
}

func (j *judge) decode(d *store.Decoder) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		digest, reason := d.Text(), errors.New(d.Text())
		j.refuse(digest, reason)
	}
	good := pkgr.Verdicts{}
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		var digest [sha256.Size]byte
		d.Raw(digest[:])
		good[digest] = int(d.Number())
	}
	if d.Err() == nil {
		j.checker.Restore(good)
	}
}

// encodeArchives writes the good archives, and what is known of those that could only not
// be read: their stamp is of before that.
func encodeArchives(e *store.Encoder, set *archiveSet) {
	good := make([]*archive, 0, len(set.byPath))
	for _, path := range slices.Sorted(maps.Keys(set.byPath)) {
		a := set.byPath[path]
		var unread syscall.Errno
		if a.entry == nil && errors.As(a.err, &unread) {
			before := *a
			before.entry, a = a.last, &before
		}
		if a.entry != nil {
			good = append(good, a)
		}
	}
	e.Number(uint64(len(good)))
	for _, a := range good {
		e.Text(a.path)
		e.Text(a.display)
		e.Stamp(a.stamp)
		e.Time(a.read)
		e.Flag(a.whole)
		e.Texts(a.warnings)
		encodeEntry(e, a.entry)
		e.Text(a.prov)
		e.Flag(a.made)
		e.Raw(a.key[:])
	}
}

func decodeArchives(d *store.Decoder, set *archiveSet) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		a := &archive{
			path: d.Text(), display: d.Text(), stamp: d.Stamp(), read: d.Time(), whole: d.Flag(), warnings: d.Texts(),
			entry: decodeEntry(d), prov: d.Text(), made: d.Flag(),
		}
		if d.Raw(a.key[:]); d.Err() == nil {
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

func encodeCharts(e *store.Encoder, charts map[string]*chartDir) error {
	good := make([]*chartDir, 0, len(charts))
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
		e.Flag(l.Err == nil && !l.changed)
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

func decodeCharts(d *store.Decoder, charts map[string]*chartDir) {
	for n := d.Number(); n > 0 && d.Err() == nil; n-- {
		l := &chartDir{Chart: resolve.Chart{Dir: d.Text(), Path: d.Text()}, root: d.Text(), external: d.Flag()}
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
