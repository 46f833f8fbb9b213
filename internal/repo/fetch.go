package repo

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// Fetcher downloads charts from other repositories.
type Fetcher interface {
	// Fetch returns the bytes of the newest version of a chart that meets the
	// constraint, from the repository at an http, https or oci address, checked
	// against the digest in that repository's index. Several goroutines call it at
	// once. It returns soon after ctx has ended.
	Fetch(ctx context.Context, repository, name string, c *semver.Constraints) ([]byte, error)
}

const (
	// fetchedName is the folder in the repository folder where downloads are kept,
	// each in a folder of its own that is named after what was wanted. A range stays
	// what it was resolved to the first time.
	fetchedName = ".fetched"
	// fetchTimeout bounds one download.
	fetchTimeout = 2 * time.Minute
	// fetchRest is the time until a download that failed is tried again. It doubles
	// with each failure, up to maxFetchRest.
	fetchRest    = 30 * time.Second
	maxFetchRest = 10 * time.Minute
	// parallelFetches bounds the downloads that run at once.
	parallelFetches = 4
)

// fetcher downloads what charts depend on, beside the goroutine that owns the
// repository: a repository elsewhere that does not answer delays only the charts
// that need it. Its methods are safe for concurrent use.
type fetcher struct {
	from    Fetcher // nil: nothing is wanted of it
	checker *pkgr.Checker
	opts    *Options
	short   *shortage
	ended   func() // called when a download has ended
	slots   chan struct{}
	running sync.WaitGroup

	mu        sync.Mutex
	store     *store.Store
	downloads map[resolve.Want]*download
	unseen    bool // a download has ended since outcomes was called
}

// download is the state of one Want.
type download struct {
	outcome  *resolve.Fetched // nil until the first try has ended
	running  bool
	failures int
	since    time.Time // of the first failure in a row, or of the first try
	retry    time.Time // when a failed one may be tried again
}

func newFetcher(o *Options, s *store.Store, checker *pkgr.Checker, short *shortage, ended func()) *fetcher {
	return &fetcher{
		from: o.Fetcher, checker: checker, opts: o, store: s, short: short, ended: ended,
		slots: make(chan struct{}, parallelFetches), downloads: map[resolve.Want]*download{},
	}
}

// forget drops what is known, for another repository folder.
func (f *fetcher) forget(s *store.Store) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.store, f.downloads = s, map[resolve.Want]*download{}
}

// outcomes are the downloads that have ended. One whose file is gone is forgotten, and
// downloaded again when it is wanted.
func (f *fetcher) outcomes() map[resolve.Want]resolve.Fetched {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unseen = false
	out := make(map[resolve.Want]resolve.Fetched, len(f.downloads))
	for want, d := range f.downloads {
		if d.outcome == nil {
			continue
		}
		if a := d.outcome.Archive; a != nil {
			if _, err := f.store.Stat(a.Location); errors.Is(err, fs.ErrNotExist) {
				delete(f.downloads, want)
				continue
			}
		}
		out[want] = *d.outcome
	}
	return out
}

// retain forgets the downloads that are not among wants.
func (f *fetcher) retain(wants []resolve.Want) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.downloads, func(w resolve.Want, d *download) bool { return !d.running && !slices.Contains(wants, w) })
}

// take begins the downloads of wants, and again those that failed and have rested.
// It reports whether any of wants was found on disk, so that there is an outcome
// now. Downloads end with ctx.
func (f *fetcher) take(ctx context.Context, wants []resolve.Want) (found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.opts.Now()
	for _, want := range wants {
		if f.downloads[want] != nil {
			continue
		}
		a, err := f.onDisk(want)
		if f.short.note(err) {
			continue // the pass ends, and the next one looks again
		}
		d := &download{since: now}
		f.downloads[want] = d
		if a != nil {
			d.outcome, found = &resolve.Fetched{Archive: a}, true
		}
	}
	for want, d := range f.downloads {
		if !d.running && (d.outcome == nil || d.outcome.Err != nil && !now.Before(d.retry)) {
			d.running = true
			f.running.Go(func() { f.run(ctx, want, d) })
		}
	}
	return found
}

// run does one download.
func (f *fetcher) run(ctx context.Context, want resolve.Want, d *download) {
	var a *resolve.Archive
	var err error
	select {
	case f.slots <- struct{}{}:
		a, err = f.download(ctx, want)
		<-f.slots
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	d.running, f.unseen = false, true
	switch {
	case err == nil:
		d.outcome, d.failures = &resolve.Fetched{Archive: a}, 0
	case ctx.Err() != nil: // nobody's fault: the next pass tries again
	default:
		d.outcome = &resolve.Fetched{Err: err}
		d.retry = f.opts.Now().Add(min(fetchRest<<min(d.failures, 10), maxFetchRest))
		d.failures++
	}
	f.mu.Unlock()
	if ctx.Err() == nil {
		f.opts.Observer.Fetched(err)
	}
	f.ended()
}

// download fetches an archive, checks it whole and keeps it on disk.
func (f *fetcher) download(ctx context.Context, want resolve.Want) (a *resolve.Archive, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the download failed: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	f.opts.Logger.Info("downloading a dependency", "chart", want.Name, "version", want.Version, "repository", want.Shown())
	c, err := semver.NewConstraint(want.Version)
	if err != nil {
		return nil, err
	}
	data, err := f.from.Fetch(ctx, want.Repository, want.Name, c)
	if err != nil {
		return nil, err
	}
	info, err := f.checker.Check(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the download is no good chart: %w", err)
	}
	f.mu.Lock()
	folder := f.store
	f.mu.Unlock()
	name := path.Join(fetchedDir(want), info.Metadata.ArchiveName())
	if _, err := folder.WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}); err != nil {
		return nil, err
	}
	return downloaded(info, name), nil
}

func downloaded(info *pkgr.Info, name string) *resolve.Archive {
	return &resolve.Archive{Name: info.Metadata.Name, Version: info.Metadata.Version, Digest: info.Digest, Location: name}
}

// fetchedDir is where the download of want is kept.
func fetchedDir(want resolve.Want) string {
	sum := sha256.Sum256([]byte(want.Repository + "\x00" + want.Name + "\x00" + want.Version))
	return path.Join(fetchedName, hex.EncodeToString(sum[:12]))
}

// onDisk is the download that an earlier run has kept; nil where there is none that
// is whole. The error is why that is not known.
func (f *fetcher) onDisk(want resolve.Want) (*resolve.Archive, error) {
	dir := fetchedDir(want)
	all, unread := f.store.ReadDir(dir)
	for _, fi := range all {
		name := path.Join(dir, fi.Name())
		file, err := f.store.Open(name)
		if err == nil {
			var info *pkgr.Info
			info, err = f.checker.Check(file)
			file.Close()
			if err == nil && info.Metadata.Name == want.Name {
				return downloaded(info, name), nil
			}
		}
		unread = cmp.Or(unread, err)
	}
	return nil, unread
}

// busy reports whether downloads run, or have ended since outcomes was called.
func (f *fetcher) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.downloads {
		if d.running {
			return true
		}
	}
	return f.unseen
}

// wait waits until all downloads that run have ended.
func (f *fetcher) wait() { f.running.Wait() }

// next is when a download that failed may be tried again; zero where none has.
func (f *fetcher) next() (at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.downloads {
		if !d.running && d.outcome != nil && d.outcome.Err != nil && (at.IsZero() || d.retry.Before(at)) {
			at = d.retry
		}
	}
	return at
}

// again lets downloads that failed be tried at once.
func (f *fetcher) again() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.downloads {
		d.retry, d.failures = f.opts.Now(), 0
	}
}

// status lists the downloads that run or have failed.
func (f *fetcher) status() []Download {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Download
	for want, d := range f.downloads {
		s := Download{Chart: want.Name, Version: want.Version, Repository: want.Shown(), Since: d.since.UTC(), Running: d.running}
		switch {
		case d.outcome != nil && d.outcome.Err != nil:
			retry := d.retry.UTC()
			s.Reason, s.Retry = d.outcome.Err.Error(), &retry
		case !d.running:
			continue
		}
		out = append(out, s)
	}
	slices.SortFunc(out, Download.compare)
	return out
}
