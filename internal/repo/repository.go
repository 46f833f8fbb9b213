package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/roots"
	"chartserve/internal/store"
)

// Repository keeps a repository folder equal to its sources. Make one with Open; then
// call Build, or Run. View, Status, Ready, Publish and Rescan may be called from any
// goroutine, at any time; nothing else may run beside Build or Run.
type Repository struct {
	opts    Options
	mail    *mailbox
	ready   chan struct{}
	view    atomic.Pointer[View]
	current atomic.Pointer[store.Store] // store, for Publish
	pushed  pushed

	// All below belongs to the goroutine in Build or Run.

	phase     phase
	serving   bool          // Run works, not Build
	watchMode func() string // nil for Build
	store     *store.Store
	tally     tally
	short     shortage // that the pass has met
	judge     *judge
	fetcher   *fetcher
	sources   *sources
	charts    *chartSet
	archives  *archiveSet
	folder    *folder
	planner   *planner
	graph     *graph
	maker     *maker
	catalog   *catalog
	reporter  *reporter
	inspect   func([]suspect) // begins to check contents; nil for Build
	unchecked atomic.Int64    // suspects that are left
	dirty     map[string]bool // chart names whose part of the index may be old
	creations creations
	begun     time.Time // the pass
	waiting   time.Time // the first event that nothing is served of yet; zero: there is none
	heldIn    string    // the working directory that archive.held is relative to
	absent    state     // what the state knows of SOURCEs while there are none
	last      Rebuild
	told      []Change // the last changes, newest first; Views share it
	// changes counts what the state would have to say; saved is what it says.
	changes, saved int
}

// phase is how far what is known can be believed.
type phase int

const (
	// unknown: the state of the last run was not read yet.
	unknown phase = iota
	// uncertain: a pass failed midway. The next one looks at everything, and the index
	// that was encoded is not to be served.
	uncertain
	// changed: something changed while a pass worked on it. The next one looks at
	// everything.
	changed
	// settled: what is known is what there is, until there is mail.
	settled
)

// Open makes a repository of the folder dir. It creates the folder where it is
// missing, and takes its lock (store.ErrLocked when another process has it); it reads and
// starts nothing.
func Open(dir string, opts Options) (*Repository, error) {
	if dir == "" {
		return nil, badOption("repository folder %q: name a directory", dir)
	}
	opts, own, err := opts.check()
	if err != nil {
		return nil, err
	}
	if err := opts.checkSources(); err != nil {
		return nil, err
	}
	s, err := store.Open(dir, opts.store())
	if err != nil {
		return nil, err
	}
	opts.hide(s)
	return newRepository(opts, own, s), nil
}

// newRepository is Open for a folder that is open already.
func newRepository(opts Options, own resolve.Own, s *store.Store) *Repository {
	r := &Repository{opts: opts, mail: newMailbox(), ready: make(chan struct{}), begun: opts.Now(), told: []Change{}}
	r.opts.Progress = r.showProgress(opts.Progress)
	r.reporter = &reporter{logger: r.opts.Logger, now: r.opts.Now}
	r.judge = &judge{opts: &r.opts, checker: pkgr.NewChecker(opts.Limits), tally: &r.tally, short: &r.short, created: r.creationOf}
	r.judge.checker.Output = opts.Output
	r.fetcher = newFetcher(&r.opts, s, r.judge.checker, &r.short, func() { r.mail.post(mail{replan: true}) })
	r.sources = &sources{patterns: opts.Sources, exclude: opts.Exclude, output: opts.Output, files: roots.New(), links: map[string]bool{}}
	r.charts = newChartSet(&r.opts, r.sources, r.judge, r.mark)
	r.graph = &graph{charts: r.charts, fetcher: r.fetcher, own: own, archives: func(name string) []*archive { return r.archives.byName[name] }}
	r.connect(s)
	r.show(&View{reader: s.Reader, Status: r.status()})
	return r
}

// connect makes s the repository folder, of which nothing is known yet.
func (r *Repository) connect(s *store.Store) {
	r.store = s
	r.current.Store(s)
	r.dirty, r.creations, r.absent = map[string]bool{}, creations{}, state{}
	r.archives = newArchiveSet(r.mark)
	r.folder = newFolder(&r.opts, s, &r.short, r.archives)
	r.planner = &planner{
		opts: &r.opts, charts: r.charts, folder: r.folder,
		clashes: map[string][]Failure{}, unfit: map[[32]byte]error{}, holders: map[string]map[string]string{}, live: map[string]map[string]string{},
	}
	r.maker = &maker{
		opts: &r.opts, store: s, charts: r.charts,
		packer: pkgr.NewPacker(cmp.Or(r.opts.Timestamp, index.Epoch())), judge: r.judge, tally: &r.tally,
	}
	r.catalog = newCatalog(r.opts.IndexFormat, r.opts.ContextPath)
}

// creationOf is when an archive was created, by the index; member is the time of its
// Chart.yaml where it was made elsewhere.
func (r *Repository) creationOf(id ident, digest string, member time.Time) time.Time {
	return index.Dates{Epoch: r.opts.Timestamp, Listed: r.creations.of(id, digest), Member: member}.Created(r.begun)
}

// mark notes that the part of the index of a chart name may be old.
func (r *Repository) mark(name string) {
	r.dirty[name] = true
	r.changes++
}

// reopen opens the repository folder again when another has taken its place.
func (r *Repository) reopen() error {
	if !r.store.Moved() {
		return nil
	}
	r.opts.Logger.Warn("the repository folder was removed or replaced; it is made anew", "folder", r.store.Name())
	s, err := r.store.Reopen()
	if err != nil {
		return err
	}
	_ = r.store.Close() // its directory is gone
	r.connect(s)
	r.fetcher.forget(s)
	for _, d := range r.charts.byDir {
		if d.Metadata != nil {
			r.mark(d.Metadata.Name)
		}
	}
	r.creations.inherit(r.folder)
	if r.phase != unknown {
		r.phase = uncertain
	}
	return nil
}

// View is the repository as it is served now; never nil.
func (r *Repository) View() *View { return r.view.Load() }

// Ready is closed once the first complete index is there and the state is saved.
func (r *Repository) Ready() <-chan struct{} { return r.ready }

// Status is the state after the last pass.
func (r *Repository) Status() Status { return r.View().Status }

// Build brings the repository up to date with its sources, once. It waits for the
// downloads of dependencies. Failures are in the Status, and not logged.
func (r *Repository) Build(ctx context.Context) error {
	defer r.fetcher.wait()
	for tries := 0; ; tries++ {
		r.fetcher.wait()
		m := mail{}
		m.change.Rescan = true
		if err := r.pass(ctx, m); err != nil {
			return err
		}
		if tries == maxTries || r.phase == settled && !r.fetcher.busy() {
			break
		}
	}
	switch {
	case !r.opts.Strict:
		return nil
	case len(r.Status().Failures) > 0:
		return ErrBadCharts
	}
	return r.emptySource()
}

// emptySource is an error where there is nothing in one of the sources, or, where none
// is named, in the repository folder.
func (r *Repository) emptySource() error {
	st := r.Status()
	for _, pattern := range r.opts.Sources {
		found := 0
		for i, s := range r.sources.list {
			if s.pattern == pattern {
				found += st.Sources[i].Charts + st.Sources[i].Archives
			}
		}
		if found == 0 {
			return fmt.Errorf("source %q: no chart found in it (a chart is a directory with a Chart.yaml, or a .tgz; name the directory that holds them)", pattern)
		}
	}
	if len(r.opts.Sources) == 0 && st.Archives == 0 {
		return fmt.Errorf("repository folder %q: no archive found in it (name the folder that holds them, or a SOURCE)", r.store.Name())
	}
	return nil
}

// maxTries is how often Build tries again while charts change under its hands.
const maxTries = 10

// Site returns the Site of the repository folder, to write the pages of what Build has made.
func (r *Repository) Site() (*store.Site, error) { return r.store.Site() }

// Close saves the state and unlocks the folder. Build or Run must have ended.
func (r *Repository) Close() error {
	r.mail.close()
	r.sources.close()
	err := r.saveState()
	if errors.Is(err, os.ErrNotExist) {
		err = nil // the folder is gone: there is nothing to save for
	}
	return errors.Join(err, r.pushed.close(), r.store.Close())
}
