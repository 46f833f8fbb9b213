package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chartserve/internal/store"
)

// lookAtPaths adds what happened at paths to w. It reports whether that has changed
// which charts or archives there are.
func (r *Repository) lookAtPaths(w *work, paths []string) bool {
	structure := false
	for _, p := range paths {
		if within(r.store.Path(), p) {
			r.folder.lookAt(w, p, r.charts.onDir)
			continue
		}
		owners := r.charts.owners(p)
		for _, l := range owners {
			w.charts = r.charts.mark(w.charts, l)
			l.changed = true
			structure = structure || p == l.Dir || p == filepath.Join(l.Dir, "Chart.yaml")
		}
		if len(owners) == 0 {
			structure = r.lookInSource(w, p) || structure
		}
	}
	if structure {
		r.lookAtSources(w, false)
	}
	return structure
}

// lookInSource handles a path outside of any chart, and reports whether the
// directories must be walked again.
func (r *Repository) lookInSource(w *work, p string) bool {
	base := filepath.Base(p)
	if a := r.given.byPath[strings.TrimSuffix(p, ".prov")]; a != nil {
		w.given = append(w.given, a)
		return false
	}
	if isHidden(base) {
		return false
	}
	fi, err := os.Lstat(p)
	if err != nil {
		// Gone: of interest when it was a directory with something of ours below.
		return !isArchiveName(p)
	}
	return fi.IsDir() || fi.Mode()&fs.ModeSymlink != 0 || isArchiveName(p) || strings.EqualFold(base, "Chart.yaml")
}

// lookAtSources walks all sources. Charts and archives that are new are looked at, all
// others too when all is set; those that are gone are dropped.
func (r *Repository) lookAtSources(w *work, all bool) {
	charts, archives := r.sources.scan(&r.short, r.charts.onDir)
	w.charts = append(w.charts, r.charts.merge(charts, all)...)
	for path, at := range archives {
		a, known := r.given.byPath[path]
		if !known {
			a = &sourceArchive{judged: judged{path: path}}
		}
		if moved := a.display != at.display || a.source != at.source; moved && a.entry != nil {
			r.mark(a.entry.Name) // another may come first now
		}
		if a.display, a.source = at.display, at.source; all || !known {
			w.given = append(w.given, a)
		}
	}
	for path := range r.given.byPath {
		if _, ok := archives[path]; !ok {
			r.given.remove(path)
		}
	}
}

// sighted is what a look at an archive found.
type sighted[A any] struct {
	archive A
	saw     sight
}

// look looks at all that w names, in parallel, and takes the results over. What it did
// before ctx ended stays; the error is that of ctx.
func (r *Repository) look(ctx context.Context, w *work) error {
	if err := r.charts.refresh(ctx, w.charts, newProgress(&r.opts, "charts read", len(w.charts))); err != nil {
		return err
	}
	if err := r.lookAtAllGiven(ctx, w.given); err != nil {
		return err
	}
	news, err := r.folder.judge(ctx, r.judge, w.stored)
	if r.changes += news; err != nil {
		return err
	}
	for _, name := range w.others {
		r.short.note(r.folder.lookAtOther(name))
	}
	return ctx.Err()
}

func (r *Repository) lookAtAllGiven(ctx context.Context, given []*sourceArchive) error {
	p := newProgress(&r.opts, "archives checked", len(given))
	return each(ctx, r.opts.Jobs, given, p, r.lookAtGiven, func(a *sourceArchive, s sighted[*sourceArchive]) {
		switch s.saw {
		case gone:
			r.given.remove(a.path)
		case anew:
			r.given.put(s.archive)
			r.changes++
		case same:
			r.tally.reused.Add(1)
		}
	})
}

// judge looks at archives of the folder, in parallel, and takes the results over. news
// counts those that are not what they were.
func (f *folder) judge(ctx context.Context, j *judge, archives []*storedArchive) (news int, err error) {
	p := newProgress(f.opts, "archives checked", len(archives))
	err = each(ctx, f.opts.Jobs, archives, p, func(a *storedArchive) sighted[judged] {
		next, saw := j.look(a.judged, a.path,
			func() (fs.FileInfo, error) { return f.store.Stat(a.path) }, func() (fs.File, error) { return f.store.Open(a.path) })
		return sighted[judged]{next, saw}
	}, func(a *storedArchive, s sighted[judged]) {
		switch s.saw {
		case gone:
			f.drop(a.path)
		case anew:
			f.put(a.after(s.archive))
			news++
		case same:
			j.tally.reused.Add(1)
			if a.file == nil {
				f.serve(a)
			}
		}
	})
	return news, err
}

// after is the archive once its file was judged anew. Where the bytes are what they
// were, before a disk failed even, it is still known from what they were made.
func (a *storedArchive) after(next judged) *storedArchive {
	out := &storedArchive{judged: next, made: a.made, key: a.key}
	before := a.lastDigest
	if a.entry != nil {
		before = a.entry.Digest
	}
	if next.entry != nil && next.entry.Digest != before {
		out.made, out.key = false, [32]byte{}
	}
	return out
}

// lookAtGiven looks at an archive in a SOURCE, and at the provenance beside it.
func (r *Repository) lookAtGiven(a *sourceArchive) sighted[*sourceArchive] {
	about, saw := r.judge.look(a.judged, "",
		func() (fs.FileInfo, error) { return r.sources.roots.stat(a.path) },
		func() (fs.File, error) { return r.sources.roots.open(a.path) })
	if saw == gone || saw == unseen {
		return sighted[*sourceArchive]{a, saw}
	}
	next := *a
	next.judged = about
	if about.err == nil {
		var err error
		if next.prov, next.provWarning, err = r.lookAtProvenance(a.path); r.short.note(err) {
			return sighted[*sourceArchive]{a, unseen}
		}
	}
	if saw == same && next.prov == a.prov && next.provWarning == a.provWarning {
		return sighted[*sourceArchive]{a, same}
	}
	return sighted[*sourceArchive]{&next, anew}
}

// maxProvenance bounds a provenance file: a signed Chart.yaml and a digest.
const maxProvenance = 1 << 20

// lookAtProvenance returns the digest of the provenance beside an archive of a SOURCE, or
// why what is there is not published. The error is a shortage of the moment.
func (r *Repository) lookAtProvenance(archive string) (digest, warning string, short error) {
	data, err := r.sources.roots.read(archive+".prov", maxProvenance)
	if err == nil {
		err = checkProvenance(data)
	}
	switch {
	case err == nil:
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:]), "", nil
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case store.Passing(err):
		return "", "", err
	}
	return "", fmt.Sprintf("its provenance %s.prov is not published: %v", filepath.Base(archive), err), nil
}
