package repo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"time"

	"chartserve/internal/resolve"
	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// pass brings the repository up to date with one change. Bad charts are no
// error: they are in the Status. An error is of the repository folder itself,
// or that of ctx.
func (r *Repository) pass(ctx context.Context, ch watch.Change) error {
	begun := r.opts.Now()
	r.counts.packaged.Store(0)
	r.counts.checked.Store(0)
	r.counts.reused.Store(0)
	if err := r.reopen(); err != nil {
		return r.trouble(err)
	}
	defer r.store.Tidy()
	delivery, w, err := r.survey(ch)
	if err != nil {
		r.lost = true
		return r.trouble(err)
	}
	if err := r.refresh(ctx, w); err != nil {
		r.lost = true
		return err
	}
	if err := r.shortage(); err != nil {
		r.lost = true
		return r.trouble(err)
	}
	p, err := r.plan(ctx)
	if err != nil {
		r.lost = true
		return err
	}
	if err := r.makeAll(ctx, p); err != nil {
		r.lost = true
		return err
	}
	if err := r.publish(p); err != nil {
		r.lost = true
		return r.trouble(err)
	}
	if delivery != nil && r.judged(delivery) {
		if err := delivery.Done(); err != nil {
			r.lost = true
			return r.trouble(err)
		}
	}
	r.archiveWarnings(p)
	r.release(p)
	r.store.Sweep(r.isCurrent, r.opts.DigestURLs)
	done := func(j *job) bool { return j.err == nil }
	changed := slices.ContainsFunc(p.jobs, done) || len(p.remove) > 0 || len(r.dirty) > 0 || r.first
	clear(r.dirty)
	r.retry, r.lost = p.retry, false
	if changed {
		r.last = r.rebuild(begun)
		r.unsaved = true
	}
	r.swap(p)
	if r.first {
		r.first = false
		close(r.ready)
	}
	return nil
}

// survey takes in what was delivered, and tells what the pass has to look at.
func (r *Repository) survey(ch watch.Change) (*store.Delivery, *work, error) {
	if r.lost || r.again {
		ch = watch.Change{Rescan: true}
	}
	r.again, r.short = false, nil
	var files []store.Found
	var err error
	if !r.recalled {
		if files, err = r.begin(); err != nil {
			return nil, nil, err
		}
	}
	if err := r.store.LoadReplaced(); err != nil {
		return nil, nil, err
	}
	delivery, err := r.receive(&ch)
	if err != nil {
		return nil, nil, err
	}
	if delivery != nil {
		files = nil // there are more now
	}
	w, err := r.look(ch, files)
	return delivery, w, err
}

// begin lists the repository folder while the state of the last time is read.
func (r *Repository) begin() ([]store.Found, error) {
	var reading sync.WaitGroup
	reading.Go(r.recall)
	files, err := r.store.List(".", r.onDir())
	reading.Wait()
	r.recalled = r.short == nil
	if !r.recalled {
		r.forget()
	}
	return files, err
}

// reopen opens the repository folder again when another stands in its place.
func (r *Repository) reopen() error {
	if !r.store.Moved() {
		return nil
	}
	r.opts.Logger.Warn("the repository folder was removed or replaced; it is made anew", "folder", r.store.Path())
	s, err := store.Open(r.store.Path(), r.opts.store())
	if err != nil {
		return err
	}
	_ = r.store.Close() // its directory is gone
	r.store = s
	r.fetcher.forget(s)
	sources := r.lives
	r.forget()
	r.inherit()
	r.lives = sources
	for _, l := range sources {
		l.noted = nil
		r.watchLive(l)
	}
	return nil
}

// trouble records why the repository folder can't be brought up to date; what is
// served stays.
func (r *Repository) trouble(err error) error {
	err = advise(err)
	s := *r.snapshot.Load()
	r.setStatus(func(st *Status) { st.Problem = err.Error() })
	s.Status = r.statusJSON()
	r.snapshot.Store(&s)
	return fmt.Errorf("repository folder %s: %w", r.store.Path(), err)
}

// advise adds what can be done about a problem of the repository folder.
func advise(err error) error {
	for kind, remedy := range map[error]string{
		fs.ErrPermission: "make the folder writable for chartserve's user",
		syscall.EROFS:    "make its disk writable",
		syscall.ENOSPC:   "make room on its disk",
		syscall.EDQUOT:   "raise the quota, or make room",
		syscall.EIO:      "the system's log tells what its disk has",
		syscall.EMFILE:   "raise the limit of open files: ulimit -n, or LimitNOFILE= in a unit",
		syscall.ENFILE:   "raise the system's limit of open files: fs.file-max",
	} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w (%s)", err, remedy)
		}
	}
	return err
}

func (r *Repository) rebuild(begun time.Time) Rebuild {
	now := r.opts.Now()
	return Rebuild{
		At: now.UTC(), Milliseconds: float64(now.Sub(begun).Microseconds()) / 1000,
		Packaged: int(r.counts.packaged.Load()), Checked: int(r.counts.checked.Load()), Reused: int(r.counts.reused.Load()),
	}
}

// swap makes the Snapshot of the pass and hands it to the readers.
func (r *Repository) swap(p *plan) {
	e := r.encoded
	failures := r.failuresSince(p.failures)
	warnings := append([]Warning{}, p.warnings...)
	s := &Snapshot{Index: e, reader: r.store.Reader, files: r.served.share(), replaced: r.store.Replaced()}
	old := r.snapshot.Load()
	same := old.Index != nil && old.Index.YAML.ETag == e.YAML.ETag && slices.Equal(failures, r.status.Failures)
	if same {
		s.Page, s.PageETag = old.Page, old.PageETag
	} else if r.opts.Pages != nil {
		s.Page, s.PageETag = r.rows.page(r.opts.Pages.Frame(failures, PageInfo{Charts: e.Charts, Archives: e.Versions, Generated: e.Generated}))
	}
	r.logNew(failures, warnings)
	r.setStatus(func(st *Status) {
		*st = Status{
			Version: r.opts.Version, Charts: e.Charts, Archives: e.Versions, Failures: failures, Warnings: warnings,
			Downloads: r.fetcher.status(), LastRebuild: r.last, Sources: r.sourceStatus(), Repository: r.store.Path(), WatchMode: "none",
		}
		if r.watcher != nil {
			st.WatchMode = r.watcher.Mode()
		}
	})
	s.Status = r.statusJSON()
	r.snapshot.Store(s)
}

func (r *Repository) setStatus(change func(*Status)) {
	r.statusMu.Lock()
	defer r.statusMu.Unlock()
	change(&r.status)
}

func (r *Repository) statusJSON() []byte {
	data, err := json.MarshalIndent(r.Status(), "", "  ")
	if err != nil {
		panic(err) // plain structs of strings and numbers
	}
	return append(data, '\n')
}

// failuresSince completes failures with the time when each was first seen.
func (r *Repository) failuresSince(failures []Failure) []Failure {
	since := make(map[Failure]time.Time, len(failures))
	out := make([]Failure, 0, len(failures))
	for _, f := range failures {
		at, known := r.since[f]
		if !known {
			at = r.opts.Now().UTC()
		}
		since[f] = at
		f.Since = at
		out = append(out, f)
	}
	r.since = since
	return out
}

// logNew logs what was not there after the last pass, once.
func (r *Repository) logNew(failures []Failure, warnings []Warning) {
	old := r.Status()
	for _, f := range failures {
		if !slices.Contains(old.Failures, f) {
			r.opts.Logger.Error("not published as it stands", "path", f.Path, "reason", f.Reason)
		}
	}
	for _, w := range warnings {
		if !slices.Contains(old.Warnings, w) {
			r.opts.Logger.Warn(w.Message, "path", w.Path)
		}
	}
}

// release forgets the files of charts that no other chart is built from.
func (r *Repository) release(p *plan) {
	needed := map[*resolve.Chart]bool{}
	for _, n := range p.nodes {
		for _, s := range n.Subs {
			if s.Node != nil {
				needed[s.Node.Chart] = true
			}
		}
	}
	for _, l := range r.lives {
		if !needed[&l.Chart] {
			l.release()
		}
	}
}

func (r *Repository) sourceStatus() []SourceStatus {
	out := make([]SourceStatus, len(r.sources))
	for i, s := range r.sources {
		out[i].Path = s.name
	}
	for _, l := range r.lives {
		if !l.external && l.source < len(out) {
			out[l.source].Charts++
		}
	}
	for _, a := range r.given.byPath {
		if a.source < len(out) {
			out[a.source].Archives++
		}
	}
	return out
}

// Build brings the repository up to date with its sources, once. It waits for the
// downloads of dependencies.
func (r *Repository) Build(ctx context.Context) error {
	defer r.fetcher.wait()
	if err := r.pass(ctx, watch.Change{Rescan: true}); err != nil {
		return err
	}
	for tries := 0; tries < 10 && (r.again || r.fetcher.busy()); tries++ {
		r.fetcher.wait()
		if err := r.pass(ctx, watch.Change{Rescan: true}); err != nil {
			return err
		}
	}
	if r.opts.Strict && len(r.Status().Failures) > 0 {
		return ErrBadCharts
	}
	return nil
}
