package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// inspector checks the contents of archives that were published after a look at their
// structure alone, one after the other, beside the goroutine that owns the repository.
// What Helm would refuse is then set aside. A large folder is so served after a good
// part of the work: few archives are bad, and nobody waits for that to be known.
type inspector struct {
	checker *pkgr.Checker
	post    func(mail) bool
	left    *atomic.Int64
}

// suspect is an archive in the repository folder whose contents are yet to be checked.
type suspect struct {
	id           ident
	path, digest string
}

// verdict is what a check of the contents of an archive found.
type verdict struct {
	suspect
	warnings []string
	err      error // why it can't be published
}

const (
	// verdictsEvery is how often verdicts are posted while there are more to come.
	verdictsEvery = 500 * time.Millisecond
	// shortageRest is how long the inspector waits after a shortage of the moment.
	shortageRest = time.Second
)

// run inspects the suspects and posts its verdicts, until ctx ends. A file that is
// another by now, or gone, gets none: the watcher has seen that.
func (i *inspector) run(ctx context.Context, r store.Reader, suspects []suspect) {
	var found []verdict
	posted := time.Now()
	for n := 0; n < len(suspects) && ctx.Err() == nil; {
		i.left.Store(int64(len(suspects) - n))
		v, err := i.inspect(r, suspects[n])
		if store.Passing(err) {
			select {
			case <-ctx.Done():
			case <-time.After(shortageRest):
			}
			continue
		}
		if n++; err == nil {
			found = append(found, v)
		}
		if now := time.Now(); now.Sub(posted) >= verdictsEvery {
			i.post(mail{verdicts: found})
			found, posted = nil, now
		}
	}
	i.left.Store(0)
	i.post(mail{verdicts: found, replan: true})
}

// inspect checks one archive. The error is of its file.
func (i *inspector) inspect(r store.Reader, s suspect) (v verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = verdict{suspect: s, err: fmt.Errorf("reading the archive failed: %v", p)}, nil
		}
	}()
	file, err := r.Open(s.path)
	if err != nil {
		return verdict{}, err
	}
	defer file.Close()
	info, err := i.checker.Check(file)
	var system *fs.PathError
	switch {
	case errors.As(err, &system):
		return verdict{}, err
	case err == nil && info.Digest != s.digest:
		return verdict{}, fs.ErrNotExist
	case err == nil:
		return verdict{suspect: s, warnings: info.Warnings}, nil
	}
	return verdict{suspect: s, err: err}, nil
}

// suspects are the archives of the folder whose contents were not checked.
func (f *folder) suspects() (out []suspect) {
	for _, a := range f.archives.byPath {
		if a.stored() && a.entry != nil && !a.whole {
			out = append(out, suspect{a.ident(), a.path, a.entry.Digest})
		}
	}
	return out
}

// hear takes verdicts over, for the archives in the folder and in the SOURCEs that have
// the digest. A copy of a bad archive is removed; a bad archive that others put into the
// folder is left alone, and not published.
func (r *Repository) hear(verdicts []verdict) {
	for _, v := range verdicts {
		if v.err != nil {
			r.judge.refuse(v.digest, v.err)
		}
		for _, a := range slices.Clone(r.archives.byName[v.id.name]) {
			switch {
			case a.entry.Digest != v.digest:
			case v.err != nil && a.made:
				r.planner.bad = append(r.planner.bad, a)
			case v.err != nil:
				r.folder.put(a.failed(v.err))
			case slices.Equal(a.warnings, v.warnings):
				a.whole = true
			default:
				next := *a
				next.whole, next.warnings = true, v.warnings
				r.folder.put(&next)
			}
		}
		r.changes++
	}
}
