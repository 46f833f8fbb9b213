package repo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// stateVersion is the form of the state. The state remembers what was seen, so that a
// restart reads nothing that did not change. It is a cache: what it says of a file
// holds only as long as the file's stamp is the same, and a file that changed shortly
// before it was read is read again.
const stateVersion = "chartserve state 11\n"

// saveState writes the state, when it changed. It may be called after any pass, also one
// that failed: what it says of a file is true while the file has that stamp.
func (r *Repository) saveState() error {
	if r.saved == r.changes {
		return nil
	}
	s := &state{
		rewrite: fmt.Sprint(r.opts.Rewrite), address: r.opts.address("", ""), epoch: r.opts.Timestamp.UTC(), index: r.folder.index, heldIn: r.heldIn, verdicts: r.judge.checker.Verdicts(),
	}
	s.archives, s.charts = r.absent.archives, r.absent.charts
	for _, path := range slices.Sorted(maps.Keys(r.archives.byPath)) {
		if a := r.archives.byPath[path].lastRead(); a.entry != nil {
			s.archives = append(s.archives, a)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(r.charts.byDir)) {
		if d := r.charts.byDir[dir]; d.Metadata != nil {
			s.charts = append(s.charts, d)
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(r.judge.refused)) {
		s.refused = append(s.refused, [2]string{digest, r.judge.refused[digest].Error()})
	}
	if len(r.opts.Sources) > 0 {
		s.heldIn, _ = os.Getwd()
	}
	err := r.store.SaveState(stateVersion, s.code)
	if err == nil {
		r.saved = r.changes
	}
	return err
}

// loadState takes over the state of the last time. No state is no error.
func (r *Repository) loadState() error {
	c, err := r.store.LoadState(stateVersion)
	if c == nil || err != nil {
		return err
	}
	s := &state{}
	if err := s.code(c); err != nil {
		return err
	}
	if s.rewrite != fmt.Sprint(r.opts.Rewrite) {
		return errors.New("it was written for other rewritten repositories")
	}
	same := s.address == r.opts.address("", "") && s.epoch.Equal(r.opts.Timestamp)
	dir, _ := os.Getwd()
	r.heldIn = s.heldIn
	r.folder.index = s.index
	r.judge.checker.Restore(s.verdicts)
	for _, x := range s.refused {
		r.judge.refuse(x[0], errors.New(x[1]))
	}
	r.absent = state{}
	without := len(r.opts.Sources) == 0
	for _, d := range s.charts {
		if without {
			r.absent.charts = append(r.absent.charts, d)
			continue
		}
		if d.external {
			d.Path = r.sources.shown(d.Dir)
		}
		r.charts.byDir[d.Dir] = d
	}
	for _, a := range s.archives {
		if a.stored() {
			a.display = r.folder.shown(a.path) // it may have another name this time
		}
		if !same {
			if err := r.renew(a); err != nil {
				return err
			}
		}
		if without && !a.stored() {
			r.absent.archives = append(r.absent.archives, a)
			continue
		}
		r.archives.put(a)
	}
	if same && (len(r.opts.Sources) == 0 || s.heldIn == dir) {
		r.saved = r.changes
	}
	return nil
}

// lastRead is the archive as it was before the system could not read it, with the stamp
// of then; other archives are returned as they are.
func (a *archive) lastRead() *archive {
	var unread syscall.Errno
	if a.entry != nil || !errors.As(a.err, &unread) {
		return a
	}
	before := *a
	before.entry = a.last
	return &before
}

// renew makes the entry of a good archive anew, for the URL and the epoch that are
// configured now.
func (r *Repository) renew(a *archive) error {
	md, err := a.entry.Metadata()
	if err != nil {
		return err
	}
	created := index.Dates{Epoch: r.opts.Timestamp, Listed: a.entry.Created}.Created(r.begun)
	a.entry, err = index.NewEntry(md, r.opts.address(a.published(a.ident()), a.entry.Digest), a.entry.Digest, created)
	return err
}

// state is what a run leaves to the next: the good archives, the charts that could be
// read, and the verdicts on contents.
type state struct {
	rewrite, address string // of the options that entries depend on
	epoch            time.Time
	index            indexFile
	heldIn           string // see Repository
	archives         []*archive
	charts           []*chartDir
	refused          [][2]string // digests of archives, and why
	verdicts         pkgr.Verdicts
}

// code writes or reads the state.
func (s *state) code(c *store.Codec) error {
	c.Text(&s.rewrite)
	c.Text(&s.address)
	c.Time(&s.epoch)
	c.Text(&s.index.etag)
	c.Stamp(&s.index.stamp)
	c.Text(&s.heldIn)
	store.List(c, &s.archives, func(a **archive) {
		if c.Reading() {
			*a = &archive{entry: &index.Entry{}}
		}
		(*a).code(c)
	})
	store.List(c, &s.charts, func(d **chartDir) {
		if c.Reading() {
			*d = &chartDir{}
		}
		(*d).code(c)
	})
	store.List(c, &s.refused, func(x *[2]string) {
		c.Text(&x[0])
		c.Text(&x[1])
	})
	digests := slices.SortedFunc(maps.Keys(s.verdicts), func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	verdicts := pkgr.Verdicts{}
	store.List(c, &digests, func(digest *[sha256.Size]byte) {
		c.Digest(digest)
		nodes := uint64(s.verdicts[*digest])
		c.Number(&nodes)
		verdicts[*digest] = int(nodes)
	})
	s.verdicts = verdicts
	return c.Err()
}

func (a *archive) code(c *store.Codec) {
	c.Text(&a.path)
	c.Text(&a.display)
	c.Stamp(&a.stamp)
	c.Time(&a.read)
	c.Flag(&a.whole)
	store.List(c, &a.warnings, c.Text)
	for _, s := range []*string{&a.entry.Name, &a.entry.Version, &a.entry.AppVersion, &a.entry.Description, &a.entry.URL, &a.entry.Digest} {
		c.Text(s)
	}
	c.Flag(&a.entry.Deprecated)
	c.Time(&a.entry.Created)
	c.Bytes((*[]byte)(&a.entry.Record))
	c.Text(&a.prov)
	c.Flag(&a.made)
	c.Flag(&a.copied)
	c.Digest(&a.vouched)
	c.Text(&a.held)
	c.Digest(&a.key)
}

func (d *chartDir) code(c *store.Codec) {
	c.Text(&d.Dir)
	c.Text(&d.Path)
	c.Flag(&d.external)
	changed := d.changed || d.Err != nil // what is bad is read again
	c.Flag(&changed)
	if c.Reading() {
		d.changed = changed
	}
	c.Digest(&d.fingerprint)
	c.Time(&d.newest)
	c.Time(&d.read)
	store.List(c, &d.warnings, c.Text)
	store.List(c, &d.ignored, c.Text)
	c.JSON(&d.Metadata)
	c.JSON(&d.Lock)
	c.JSON(&d.Unread)
	c.Digest(&d.Key)
	c.Digest(&d.BareKey)
	store.List(c, &d.Vendored, func(v *resolve.Vendored) {
		c.Text(&v.Name)
		c.Text(&v.Version)
		c.Digest(&v.Key)
	})
	if c.Reading() && c.Err() == nil && d.Metadata == nil {
		c.Fail(errors.New("a chart without metadata"))
	}
}
