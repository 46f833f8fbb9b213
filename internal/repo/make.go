package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"

	"chartserve/internal/store"
)

// made is what a job wrote: whole and on disk, but not published yet.
type made struct {
	temp  *store.Staged
	prov  *store.Staged // a copied archive's provenance; nil where there is none
	entry *index.Entry
	// warnings are of the whole that only its parts together have: its size.
	warnings []string
}

func (m *made) sync() error {
	err := m.temp.Sync()
	if m.prov != nil {
		err = errors.Join(err, m.prov.Sync())
	}
	return err
}

// discard removes what was not published.
func (m *made) discard() {
	if m == nil {
		return
	}
	m.temp.Discard()
	m.prov.Discard()
}

// parallelSyncs is how many files are brought to disk at once.
const parallelSyncs = 32

// makeAll does the jobs in parallel. What fails is in the job's err. Archives go
// to disk while others are being packaged.
func (r *Repository) makeAll(ctx context.Context, p *plan) error {
	var syncs errgroup.Group
	syncs.SetLimit(parallelSyncs)
	b := r.newBuilder()
	_, err := each(ctx, r.opts.Jobs, p.jobs, r.progress("archives made", len(p.jobs)), func(j *job) struct{} {
		defer func() {
			if v := recover(); v != nil {
				j.err = fmt.Errorf("packaging failed: %v", v)
			}
		}()
		if j.given != nil {
			j.made, j.err = r.copyArchive(j)
		} else {
			j.made, j.err = r.makeArchive(j, b)
		}
		if j.err == nil {
			syncs.Go(func() error {
				j.err = j.made.sync()
				return nil
			})
		}
		return struct{}{}
	})
	_ = syncs.Wait() // the errors are in the jobs
	if err != nil {
		p.discard()
	}
	return err
}

func (p *plan) discard() {
	for _, j := range p.jobs {
		j.made.discard()
	}
}

// makeArchive packages a chart.
func (r *Repository) makeArchive(j *job, b *builder) (*made, error) {
	c, err := b.assemble(j.node)
	if err != nil {
		return nil, err
	}
	if c, err = c.Rewrite(r.opts.Rewrite); err != nil {
		return nil, err
	}
	if c, err = c.Override(overrideOf(j), ""); err != nil {
		return nil, err
	}
	m := &made{}
	if m.warnings, err = c.CheckLimits(r.opts.Limits); err != nil {
		return nil, err
	}
	var digest string
	m.temp, err = r.store.Stage(func(w io.Writer) (err error) {
		digest, _, err = r.packer.Pack(w, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.counts.packaged.Add(1)
	m.entry, err = index.NewEntry(c.Metadata, r.address(j.path, digest), digest,
		r.createdOf(j.id, digest, r.opts.Timestamp))
	if err != nil {
		m.discard()
		return nil, err
	}
	return m, nil
}

// overrideOf is the version to write into the chart; empty: it has it already.
func overrideOf(j *job) string {
	if j.id.version == j.node.Chart.Metadata.Version {
		return ""
	}
	return j.id.version
}

// copyArchive copies an archive of a SOURCE, byte for byte, with its provenance.
func (r *Repository) copyArchive(j *job) (*made, error) {
	m := &made{entry: j.given.entry}
	err := func() (err error) {
		if j.given.prov != "" {
			if m.prov, err = r.copyProvenance(j); err != nil {
				return err
			}
		}
		m.temp, err = r.copyBytes(j.given.path, j.given.entry.Digest)
		return err
	}()
	if err != nil {
		m.discard()
		return nil, err
	}
	return m, nil
}

// copyBytes copies a file that must have the digest that was seen before.
func (r *Repository) copyBytes(path, digest string) (*store.Staged, error) {
	src, err := r.roots.open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return r.store.Stage(func(w io.Writer) error {
		h := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, h), src); err != nil {
			return err
		}
		if hex.EncodeToString(h.Sum(nil)) != digest {
			return errChanged
		}
		return nil
	})
}

func (r *Repository) copyProvenance(j *job) (*store.Staged, error) {
	data, err := r.readProvenance(j.given.path)
	if err != nil {
		return nil, err
	}
	return r.store.Stage(func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// hasProvenance reports whether the folder has the provenance of a SOURCE's
// archive; one that only the folder has stays.
func (r *Repository) hasProvenance(j *job) bool {
	have := r.others[j.path+".prov"]
	return j.given.prov == "" || have != nil && have.ETag == `"`+j.given.prov+`"`
}

// openArchive opens an archive that a chart is built from: one of a SOURCE, whose path
// is absolute, or one in the repository folder.
func (r *Repository) openArchive(path string) (io.ReadCloser, error) {
	if filepath.IsAbs(path) {
		return r.roots.open(path)
	}
	return r.store.Open(path)
}

func (r *Repository) newBuilder() *builder {
	return &builder{checker: r.checker, chart: r.liveOf, open: r.openArchive, memo: map[any]*content{}}
}

// liveOf is the chart that resolve knows as c.
func (r *Repository) liveOf(c *resolve.Chart) *live { return r.lives[c.Dir] }

// builder puts charts together with their sub-charts. What others are built from
// is put together once and shared by them.
type builder struct {
	checker *pkgr.Checker
	chart   func(*resolve.Chart) *live
	open    func(path string) (io.ReadCloser, error)

	mu   sync.Mutex
	memo map[any]*content // by *resolve.Node, or by an archive's digest
}

type content struct {
	once  sync.Once
	chart *pkgr.Chart
	err   error
}

// shared gives what read gave the first time for key.
func (b *builder) shared(key any, read func() (*pkgr.Chart, error)) (*pkgr.Chart, error) {
	b.mu.Lock()
	c := b.memo[key]
	if c == nil {
		c = &content{}
		b.memo[key] = c
	}
	b.mu.Unlock()
	c.once.Do(func() {
		c.err = errors.New("reading it failed") // stays when read panics
		c.chart, c.err = read()
	})
	return c.chart, c.err
}

// assemble is the chart of n with everything that it was resolved to.
func (b *builder) assemble(n *resolve.Node) (*pkgr.Chart, error) {
	own, err := b.chart(n.Chart).content(b.checker)
	if err != nil {
		return nil, err
	}
	subs := make([]*pkgr.Chart, 0, len(n.Subs))
	for _, s := range n.Subs {
		sub, err := b.sub(own, s)
		if err != nil {
			return nil, fmt.Errorf("dependency %s: %w", s.Name, err)
		}
		subs = append(subs, sub)
	}
	if n.Bare {
		own = withoutLock(own)
	}
	return own.WithSubcharts(subs), nil
}

func (b *builder) sub(own *pkgr.Chart, s resolve.Sub) (*pkgr.Chart, error) {
	switch {
	case s.Node != nil:
		return b.shared(s.Node, func() (*pkgr.Chart, error) { return b.assemble(s.Node) })
	case s.Archive != nil:
		return b.shared(s.Archive.Digest, func() (*pkgr.Chart, error) { return b.read(s.Archive) })
	}
	return own.Subcharts[s.Vendored], nil
}

// read loads an archive that a chart depends on.
func (b *builder) read(a *resolve.Archive) (*pkgr.Chart, error) {
	file, err := b.open(a.Location)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := b.checker.Read(file)
	if err != nil {
		return nil, &chart.Error{Kind: chart.ErrArchive, File: a.Location, Err: err}
	}
	if c.Metadata.Name != a.Name || c.Metadata.Version != a.Version {
		return nil, fmt.Errorf("%s: %w", a.Location, errChanged)
	}
	return c, nil
}
