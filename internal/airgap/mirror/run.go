package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/remote"
	"chartserve/internal/store"
)

// run is what Run works on.
type run struct {
	folder           string // the repository folder
	up               *remote.Client
	opts             Options
	checker          *pkgr.Checker
	withDependencies bool
	dir              *folder.Folder  // of the repository folder; nil: it is not there yet
	stage            *store.Delivery // nil in a dry run
	given            []Source        // those of the caller
	sources          []*source       // the same, read

	mu       sync.Mutex // guards what follows
	state    *state
	catalogs map[string]*catalog // by Source.key
	local    []*folder.Folder    // of local sources
	wants    []*want
	byFile   map[string]*want
	failures chart.Errors

	done, total atomic.Int64
}

// Run mirrors the sources into the repository folder, through up where a Source names no
// client of its own. The Result is good also with an error, which is ErrIncomplete when
// something was missing with KeepGoing, else the first failure: then what was fetched is
// kept for the next run and nothing is delivered.
func Run(ctx context.Context, repository string, up *remote.Client, sources []Source, o Options) (Result, error) {
	o.Jobs = cmp.Or(o.Jobs, defaultJobs)
	o.Limits.File = cmp.Or(o.Limits.File, pkgr.HelmMaxFile)
	o.Limits.Chart = cmp.Or(o.Limits.Chart, pkgr.HelmMaxChart)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	r := &run{
		folder: repository, up: up, given: sources, opts: o, checker: pkgr.NewChecker(o.Limits),
		catalogs: map[string]*catalog{}, byFile: map[string]*want{},
	}
	if err := r.take(sources); err != nil {
		return Result{}, err
	}
	var err error
	if !o.DryRun {
		if r.stage, err = store.OpenDelivery(repository, stageName); err != nil {
			return Result{}, err
		}
		defer func() { _ = r.stage.Close() }()
	}
	if r.dir, err = folder.Open(repository); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Result{}, fmt.Errorf("repository folder %q: %w (--repo-path names the folder)", repository, err)
	}
	defer r.close()
	if r.state, err = loadState(r.dir); err != nil {
		r.opts.Logger.Warn("what earlier runs have noted can't be used: all is asked anew", "error", err)
	}
	if err := r.rounds(ctx); err != nil {
		r.saveState()
		return r.result(), err
	}
	if o.DryRun {
		items, err := r.list(ctx)
		res := r.result()
		res.Listed = items
		return res, cmp.Or(err, r.incomplete())
	}
	res := r.result()
	if res.Delivered, err = r.deliver(); err != nil {
		return res, err
	}
	r.saveState()
	return res, r.incomplete()
}

func (r *run) close() {
	r.dir.Close()
	for _, dir := range r.local {
		dir.Close()
	}
}

func (r *run) take(sources []Source) error {
	for _, s := range sources {
		read, err := s.read()
		if err != nil {
			return err
		}
		if read.kind == kindLocal && samePath(localPath(s.Address), r.folder) {
			return fmt.Errorf("%w: %s is the repository folder itself (--repo-path names another)", ErrSource, s)
		}
		r.sources = append(r.sources, read)
		r.withDependencies = r.withDependencies || s.WithDependencies
	}
	return nil
}

func samePath(a, b string) bool {
	x, err := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return err == nil && err2 == nil && x == y
}

// rounds mirrors the sources, then what their archives depend on, and so on until
// nothing new is named. Charts that depend on each other in a circle end it too:
// an archive that is there already is not looked at again.
func (r *run) rounds(ctx context.Context) error {
	asked := map[[3]string]bool{}
	sources := r.sources
	for len(sources) > 0 {
		fresh, err := r.round(ctx, sources)
		if err != nil {
			return err
		}
		if sources, err = r.needed(fresh, asked); err != nil {
			return err
		}
	}
	return nil
}

// round has the sources' archives fetched, and returns those that are new to this
// run.
func (r *run) round(ctx context.Context, sources []*source) ([]*want, error) {
	offers := make([][]candidate, len(sources))
	asked := make([]bool, len(sources))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(min(r.opts.Jobs, maxGather))
	for i, s := range sources {
		g.Go(func() (err error) {
			if offers[i], err = r.gather(gctx, s); err != nil {
				return r.failed(s.String(), err)
			}
			asked[i] = true
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := r.unmet(sources, offers, asked); err != nil {
		return nil, err
	}
	var fresh []*want
	for i, s := range sources {
		more, err := r.plan(s, offers[i])
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, more...)
	}
	if r.opts.DryRun || len(stillOpen(fresh)) == 0 {
		return fresh, nil
	}
	r.saveState() // whatever becomes of the rest
	return fresh, r.fetchAll(ctx, fresh)
}

// failed notes that something could not be had: an archive as "NAME VERSION", a chart, or
// a source. The result is that failure where it ends the run; a dry run shows them all.
func (r *run) failed(what string, err error) error {
	f := &chart.Error{File: what, Err: err}
	if errors.Is(err, context.Canceled) || !r.opts.KeepGoing && !r.opts.DryRun {
		return f
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, f)
	return nil
}

// incomplete is the error of a run that went to its end with failures.
func (r *run) incomplete() error {
	if len(r.failures) == 0 {
		return nil
	}
	return ErrIncomplete
}

func (r *run) saveState() {
	if r.opts.DryRun {
		return
	}
	r.unnoted(errors.Join(r.state.save(r.folder), forgetOffers(r.folder)))
}

func (r *run) unnoted(err error) {
	if err != nil {
		r.opts.Logger.Warn("what was learned can't be noted; the next run asks for everything again", "error", err)
	}
}

// upstream is the client for a source. A dependency in a repository that is a source is
// reached as that one is.
func (r *run) upstream(s *source) *remote.Client {
	return cmp.Or(s.Client, ClientFor(r.given, s.Address), r.up)
}
