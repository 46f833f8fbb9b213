package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// errChanged is why a chart that was planned is not made: the next pass looks at
// everything again, as it does when something is gone.
var errChanged = errors.New("the chart changed while it was packaged")

// made is what a job wrote: a whole file that does not have its name yet.
type made struct {
	archive    *store.Staged // nil where there is only a provenance
	provenance *store.Staged // nil where there is none
	entry      *index.Entry
	// signature is the SHA-256 in hex of the provenance that belongs beside the archive,
	// also where that is there already; empty: what may be there is somebody else's.
	signature string
	// warnings are of the whole that only its parts together have: its size.
	warnings []string
}

func (m *made) sync() (err error) {
	for _, t := range []*store.Staged{m.archive, m.provenance} {
		if t != nil {
			err = errors.Join(err, t.Sync())
		}
	}
	return err
}

// discard removes what was not published.
func (m *made) discard() {
	if m != nil {
		m.archive.Discard()
		m.provenance.Discard()
	}
}

// maker makes the archives of a plan.
type maker struct {
	opts   *Options
	store  *store.Store
	charts *chartSet
	packer *pkgr.Packer
	judge  *judge
	tally  *tally
}

// parallelSyncs is how many files are brought to disk at once.
const parallelSyncs = 32

// all does the jobs in parallel. What fails is in the job's err. Archives go to disk
// while others are being packaged. The error is that of ctx.
func (m *maker) all(ctx context.Context, jobs []*job) error {
	var syncs errgroup.Group
	syncs.SetLimit(parallelSyncs)
	b := newBuilder(m)
	err := each(ctx, m.opts, "archives made", jobs, func(j *job) struct{} {
		m.make(j, b)
		if j.err == nil {
			syncs.Go(func() error {
				j.err = j.made.sync()
				return nil
			})
		}
		return struct{}{}
	}, func(*job, struct{}) {})
	_ = syncs.Wait() // the errors are in the jobs
	return err
}

func (m *maker) make(j *job, b *builder) {
	defer func() {
		if v := recover(); v != nil {
			j.err = fmt.Errorf("packaging failed: %v", v)
		}
	}()
	switch {
	case j.upload != nil:
		j.made = j.upload.made
	case j.source != nil:
		j.made, j.err = m.copy(j.source)
	default:
		j.made, j.err = m.build(j, b)
	}
}

// build packages a chart.
func (m *maker) build(j *job, b *builder) (*made, error) {
	version := j.id.version
	if version == j.node.Chart.Metadata.Version {
		version = "" // it has it already
	}
	c, warnings, err := b.chart(j.node, version, "")
	if err != nil {
		return nil, err
	}
	out := &made{warnings: warnings}
	var digest string
	out.archive, err = m.store.Stage(func(w io.Writer) (err error) {
		digest, err = m.packer.Pack(w, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	m.tally.packaged.Add(1)
	out.entry, err = index.NewEntry(c.Metadata, m.opts.address(j.path, digest), digest, m.judge.created(j.id, digest, time.Time{}))
	if err == nil {
		err = m.sign(out, c.Metadata, j.path)
	}
	if err != nil {
		out.discard()
		return nil, err
	}
	return out, nil
}

// copy copies an archive of a SOURCE, byte for byte, with its provenance.
func (m *maker) copy(a *archive) (*made, error) {
	out := &made{entry: a.entry, signature: a.prov}
	var err error
	if a.prov != "" {
		out.provenance, err = m.copyFile(a.path+".prov", a.prov)
	}
	if err == nil {
		out.archive, err = m.copyFile(a.path, a.entry.Digest)
	}
	if err != nil {
		out.discard()
		return nil, err
	}
	return out, nil
}

// copyFile copies a file of a SOURCE that must have the digest that was seen before.
func (m *maker) copyFile(path, digest string) (*store.Staged, error) {
	src, err := m.charts.sources.files.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return m.store.Stage(func(w io.Writer) error {
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

// open opens an archive that a chart is built from: one of a SOURCE, whose path is
// absolute, or one in the repository folder.
func (m *maker) open(path string) (io.ReadCloser, error) {
	if filepath.IsAbs(path) {
		return m.charts.sources.files.Open(path)
	}
	return m.store.Open(path)
}
