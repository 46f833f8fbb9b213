package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// Repository keeps a repository folder equal to its sources. Make one with Open;
// then call Build once, or Run. Snapshot, Status and Ready may be called from any
// goroutine, at any time; nothing else may run beside Build or Run.
type Repository struct {
	opts    Options
	own     resolve.Own
	store   *store.Store
	packer  *pkgr.Packer
	checker *pkgr.Checker
	fetcher *fetcher       // nil where nothing may be fetched
	watcher *watch.Watcher // nil for Build

	// All below belongs to the goroutine in Build or Run.

	sources       []source
	roots         roots // of the sources
	scanFailures  []Failure
	incomplete    bool               // some SOURCE could not be walked
	folderErrors  []Failure          // directories in the repository folder that can't be listed
	lives         map[string]*live   // charts by directory
	watched       map[string][]*live // directories to the charts that look into them
	given, stored *archiveSet
	others        map[string]*File // provenance and other plain files, by name
	dirty         map[string]bool  // chart names whose part of the index may be old
	retry         []string         // names of charts that could not be published
	clashes       map[string][]Failure
	inherited     map[ident]inherited
	since         map[Failure]time.Time

	builder  *index.Builder
	encoded  *index.Encoded
	rows     rows
	served   fileTable
	indexed  indexFile
	lost     bool  // a pass failed midway: look at everything again
	again    bool  // something changed while it was packaged
	short    error // a shortage of the moment that this pass has met: see shortage
	recalled bool  // the state of the last time was read
	first    bool  // no pass has been completed yet
	unsaved  bool  // the state on disk is old
	last     Rebuild

	counts struct{ packaged, checked, reused atomic.Int64 }

	ready    chan struct{}
	snapshot atomic.Pointer[Snapshot]
	statusMu sync.Mutex
	status   Status
}

// inherited is what an index.yaml that was there before said of an archive.
type inherited struct {
	digest  string
	created time.Time
}

// indexFile is index.yaml as it was last written or found unchanged.
type indexFile struct {
	etag  string
	stamp fileid.Stamp
}

// Open makes a repository of the folder dir. It creates the folder where it is
// missing, and takes its lock (store.ErrLocked when another process has it); it reads and
// starts nothing.
func Open(dir string, opts Options) (*Repository, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	own, err := resolve.NewOwn(append(slices.Clone(opts.OwnURLs), opts.URL)...)
	if err != nil {
		return nil, err
	}
	for _, g := range opts.Exclude {
		if _, err := path.Match(g, ""); err != nil {
			return nil, fmt.Errorf("exclude %q: %w", g, err)
		}
	}
	if _, _, err := expandSources(opts.Sources); err != nil {
		return nil, err
	}
	s, err := store.Open(dir, opts.store())
	if err != nil {
		return nil, err
	}
	r := &Repository{
		opts: opts, own: own, store: s,
		packer: pkgr.NewPacker(opts.Timestamp), checker: pkgr.NewChecker(opts.Limits),
		ready: make(chan struct{}), first: true,
	}
	r.fetcher = newFetcher(r)
	r.forget()
	r.snapshot.Store(&Snapshot{reader: s.Reader, files: r.served, Status: []byte("{}")})
	return r, nil
}

// recall takes over what is known from the last time.
func (r *Repository) recall() {
	if err := r.loadState(); err != nil {
		r.noteShortage(err)
		r.opts.Logger.Warn("the saved state is not used; everything is read again", "error", err)
		r.forget()
	}
	r.inherit()
}

// forget drops everything that is known of the sources and the folder.
func (r *Repository) forget() {
	mark := func(name string) { r.dirty[name] = true }
	r.lives, r.watched = map[string]*live{}, map[string][]*live{}
	r.given, r.stored = newArchiveSet(mark), newArchiveSet(mark)
	r.others, r.dirty = map[string]*File{}, map[string]bool{}
	r.clashes, r.since = map[string][]Failure{}, map[Failure]time.Time{}
	r.inherited = nil
	r.builder, r.encoded = index.NewBuilder(r.opts.IndexFormat), nil
	r.rows, r.served = rows{}, fileTable{}
	r.indexed, r.lost = indexFile{}, true
}

// maxIndex bounds an index.yaml of someone else's, in bytes.
const maxIndex = 1 << 30

// inherit takes the creation times from an index.yaml that someone else wrote,
// so that a folder taken over keeps them.
func (r *Repository) inherit() {
	fi, err := r.store.Stat(store.IndexName)
	if errors.Is(err, fs.ErrNotExist) || err == nil && r.indexed.stamp == fileid.StampOf(fi) {
		return
	}
	var old *index.File
	data, err := r.store.ReadFile(store.IndexName, maxIndex)
	if err == nil {
		old, err = index.Decode(data)
	}
	if err != nil {
		r.noteShortage(err)
		r.opts.Logger.Warn("the index.yaml in the repository folder can't be read; its creation times are not taken over", "error", err)
		return
	}
	r.inherited = make(map[ident]inherited, len(old.Entries))
	for _, e := range old.Entries {
		r.inherited[ident{e.Name, e.Version}] = inherited{e.Digest, e.Created}
	}
}

// createdOf is when an archive was made: what an older index said of the same
// bytes, else the archive's own word.
func (r *Repository) createdOf(id ident, digest string, own time.Time) time.Time {
	if old, ok := r.inherited[id]; ok && old.digest == digest && !old.created.IsZero() {
		return old.created
	}
	return own
}

// Snapshot is the repository as it is served now; never nil.
func (r *Repository) Snapshot() *Snapshot { return r.snapshot.Load() }

// Ready is closed once the first complete index is there.
func (r *Repository) Ready() <-chan struct{} { return r.ready }

// Status is the state after the last pass.
func (r *Repository) Status() Status {
	r.statusMu.Lock()
	defer r.statusMu.Unlock()
	return r.status
}

// Close saves the state and gives the folder free. Build or Run must have ended.
func (r *Repository) Close() error {
	r.roots.close()
	err := r.saveState()
	if errors.Is(err, os.ErrNotExist) {
		err = nil // the folder is gone: there is nothing to save for
	}
	return errors.Join(err, r.store.Close())
}
