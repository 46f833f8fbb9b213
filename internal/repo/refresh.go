package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"

	"chartserve/internal/store"
)

// errChanged is why a chart that was planned is not made: the next pass looks at
// everything again, as it does when something is gone.
var errChanged = errors.New("the chart changed while it was packaged")

// refresh looks at all that w names, in parallel, and takes the results over.
func (r *Repository) refresh(ctx context.Context, w *work) error {
	if err := r.refreshLives(ctx, w.lives); err != nil {
		return err
	}
	given, err := each(ctx, r.opts.Jobs, w.given, r.progress("archives checked", len(w.given)), r.checkGiven)
	if err != nil {
		return err
	}
	for i, a := range given {
		r.take(r.given, w.given[i], a)
	}
	stored, err := each(ctx, r.opts.Jobs, w.stored, r.progress("archives checked", len(w.stored)), r.checkStored)
	if err != nil {
		return err
	}
	for i, a := range stored {
		r.take(r.stored, w.stored[i], a)
		if a == nil || a.file == nil {
			r.served.remove(w.stored[i].path)
		} else {
			r.served.put(a.file)
		}
	}
	for _, name := range w.others {
		r.refreshOther(name)
	}
	return ctx.Err()
}

func (r *Repository) checkStored(a *archive) *archive {
	return r.check(a, func() (fs.File, error) { return r.store.Open(a.path) },
		func() (fs.FileInfo, error) { return r.store.Stat(a.path) })
}

// checkGiven looks at an archive in a SOURCE, and at the provenance beside it.
func (r *Repository) checkGiven(a *archive) *archive {
	next := r.check(a, func() (fs.File, error) { return r.roots.open(a.path) },
		func() (fs.FileInfo, error) { return r.roots.stat(a.path) })
	if next == nil || next.err != nil {
		return next
	}
	prov, warning := "", ""
	data, err := r.readProvenance(a.path)
	switch {
	case err == nil:
		sum := sha256.Sum256(data)
		prov = hex.EncodeToString(sum[:])
	case store.Passing(err):
		return next.failed(err)
	case !errors.Is(err, fs.ErrNotExist):
		warning = fmt.Sprintf("its provenance %s.prov is not published: %v", filepath.Base(a.path), err)
	}
	if prov == next.prov && warning == next.provWarning {
		return next
	}
	changed := *next
	changed.prov, changed.provWarning = prov, warning
	return &changed
}

// maxProvenance bounds a provenance file: a signed Chart.yaml and a digest.
const maxProvenance = 1 << 20

// readProvenance reads the provenance beside an archive of a SOURCE. What does not
// begin as a signed message is none: Helm's are clear-signed
// (pkg/provenance/sign.go).
func (r *Repository) readProvenance(archive string) ([]byte, error) {
	data, err := r.roots.read(archive+".prov", maxProvenance)
	if err == nil && !bytes.HasPrefix(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		err = &chart.Error{Kind: chart.ErrFile, Reason: "not a signed message", Remedy: "`helm package --sign` writes it anew, or remove it"}
	}
	return data, err
}

// take puts what a look at an archive gave into its set.
func (r *Repository) take(set *archiveSet, old, next *archive) {
	switch {
	case next == nil:
		set.remove(old.path)
	case next == old && set.byPath[old.path] == old:
		r.counts.reused.Add(1)
	default:
		set.put(next)
	}
}

// each calls f for all items, at most jobs at once, and gives the results in
// their order. The error is that of ctx.
func each[T, R any](ctx context.Context, jobs int, items []T, p *progress, f func(T) R) ([]R, error) {
	results := make([]R, len(items))
	parallel(jobs, len(items), func(i int) {
		if ctx.Err() == nil {
			results[i] = f(items[i])
			p.step()
		}
	})
	return results, ctx.Err()
}

// parallel calls do(0) to do(n-1), at most jobs at once.
func parallel(jobs, n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(jobs, n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

func (r *Repository) refreshLives(ctx context.Context, lives []*live) error {
	now := r.opts.Now()
	names := make([]string, len(lives))
	for i, l := range lives {
		if l.Metadata != nil {
			names[i] = l.Metadata.Name
		}
	}
	read, err := each(ctx, r.opts.Jobs, lives, r.progress("charts read", len(lives)), func(l *live) bool {
		return l.refresh(r.checker, r.onDir(), now)
	})
	if err != nil {
		return err
	}
	for i, l := range lives {
		r.watchLive(l)
		if !read[i] {
			r.counts.reused.Add(1)
			continue
		}
		if l.Metadata != nil {
			r.dirty[l.Metadata.Name] = true
		}
		if names[i] != "" {
			r.dirty[names[i]] = true
		}
	}
	return nil
}

// watchLive notes which directories lead to l.
func (r *Repository) watchLive(l *live) {
	r.unwatchLive(l)
	l.noted = append([]string{l.Dir}, l.dirs...)
	for _, dir := range l.noted {
		if !slices.Contains(r.watched[dir], l) {
			r.watched[dir] = append(r.watched[dir], l)
		}
	}
}

func (r *Repository) unwatchLive(l *live) {
	for _, dir := range l.noted {
		ls := slices.DeleteFunc(r.watched[dir], func(o *live) bool { return o == l })
		if r.watched[dir] = ls; len(ls) == 0 {
			delete(r.watched, dir)
		}
	}
	l.noted = nil
}

// refreshOther looks at a file in the repository folder that is not an archive:
// provenance beside one, or a plain file at the top such as artifacthub-repo.yml.
func (r *Repository) refreshOther(name string) {
	if name == store.IndexName {
		if fi, err := r.store.Stat(name); err != nil || fileid.StampOf(fi) != r.indexed.stamp {
			r.indexed = indexFile{}
		}
		return
	}
	if !strings.HasSuffix(name, ".tgz.prov") && strings.Contains(name, "/") || name == "index.json" {
		return
	}
	f, err := r.plainFile(name)
	if err != nil {
		r.noteShortage(err)
		if r.others[name] != nil {
			delete(r.others, name)
			r.served.remove(name)
		}
		return
	}
	if old := r.others[name]; old == nil || *old != *f {
		r.others[name] = f
		r.served.put(f)
	}
}

// maxPlainFile bounds what is served beside archives; it is hashed when noticed.
const maxPlainFile = 64 << 20

func (r *Repository) plainFile(name string) (*File, error) {
	fi, err := r.store.Stat(name)
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxPlainFile {
		return nil, fs.ErrInvalid
	}
	at := fileid.StampOf(fi).Time()
	if old := r.others[name]; old != nil && old.Size == fi.Size() && old.ModTime.Equal(at) && fileid.Settled(at, r.opts.Now()) {
		return old, nil
	}
	file, err := r.store.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(file, maxPlainFile)); err != nil {
		return nil, err
	}
	return &File{
		Name: name, Path: filepath.FromSlash(name), Size: fi.Size(), ModTime: at,
		ETag: `"` + hex.EncodeToString(h.Sum(nil)) + `"`,
	}, nil
}
