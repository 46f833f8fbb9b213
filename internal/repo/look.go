package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
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
		for _, d := range owners {
			w.charts = r.charts.mark(w.charts, d)
			d.changed = true
			structure = structure || p == d.Dir || p == filepath.Join(d.Dir, "Chart.yaml") || d.leavesOut(p)
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
	if a := r.archives.byPath[strings.TrimSuffix(p, ".prov")]; a != nil {
		a.signed = true // see what there is now
		w.archives = append(w.archives, a)
		return false
	}
	if r.sources.links[p] {
		return true
	}
	if isHidden(base) {
		return false
	}
	fi, err := os.Lstat(p)
	if err != nil && !isGone(err) {
		return true // it is not known what is there
	}
	if err != nil {
		// Gone: of interest when it was a directory with something of ours below.
		return !isArchiveName(p)
	}
	return fi.IsDir() || fi.Mode()&fs.ModeSymlink != 0 || isArchiveName(p) || strings.EqualFold(base, "Chart.yaml")
}

// lookAtSources walks all sources. Charts and archives that are new are looked at, all
// others too when all is set; those that are gone are dropped.
func (r *Repository) lookAtSources(w *work, all bool) {
	charts, archives := r.sources.scan(&r.short, r.charts.onDir, r.charts.scanIgnored)
	w.charts = append(w.charts, r.charts.merge(charts, all)...)
	for path, at := range archives {
		a, known := r.archives.byPath[path]
		switch {
		case !known:
			a = &archive{path: path, display: at.display, source: at.source}
		case a.display != at.display || a.source != at.source:
			r.archives.remove(path)
			a.display, a.source = at.display, at.source
			r.archives.put(a) // another may come first now
		}
		a.signed = at.signed
		if all || !known {
			w.archives = append(w.archives, a)
		}
	}
	for path, a := range r.archives.byPath {
		if _, ok := archives[path]; !ok && !a.stored() {
			r.archives.remove(path)
		}
	}
}

// look looks at all that w names, in parallel, and takes the results over; then at the
// charts and archives in what charts leave out. What it did before ctx ended stays; the
// error is that of ctx.
func (r *Repository) look(ctx context.Context, w *work) error {
	for found := w; ; {
		if err := r.charts.refresh(ctx, found.charts); err != nil {
			return err
		}
		if err := r.lookAtArchives(ctx, found.archives); err != nil {
			return err
		}
		if !r.charts.unscanned() {
			break
		}
		found = &work{}
		r.lookAtSources(found, false)
	}
	for _, name := range w.others {
		r.short.note(r.folder.lookAtOther(name))
	}
	return ctx.Err()
}

// sighted is what a look at an archive found.
type sighted struct {
	next *archive
	saw  sight
}

func (r *Repository) lookAtArchives(ctx context.Context, archives []*archive) error {
	return each(ctx, &r.opts, "archives checked", archives, r.lookAtArchive, func(a *archive, s sighted) {
		switch s.saw {
		case gone:
			r.folder.drop(a.path)
		case anew:
			r.folder.put(s.next)
		case same:
			r.tally.reused.Add(1)
			if a.file == nil {
				r.folder.serve(a)
			}
		}
	})
}

// lookAtArchive looks at an archive, and in a SOURCE at the provenance beside it.
func (r *Repository) lookAtArchive(a *archive) sighted {
	if a.stored() {
		next, saw := r.judge.look(a, r.store)
		if saw == anew && r.short.note(r.unshare(a, next)) {
			return sighted{a, unseen}
		}
		return sighted{next, saw}
	}
	next, saw := r.judge.look(a, r.sources.files)
	if saw == gone || saw == unseen || next.err != nil {
		return sighted{next, saw}
	}
	var prov, warning string
	if a.signed {
		var err error
		if prov, warning, err = r.lookAtProvenance(a.path); r.short.note(err) {
			return sighted{a, unseen}
		}
	}
	if prov != a.prov || warning != a.provWarning {
		with := *next
		with.prov, with.provWarning = prov, warning
		next, saw = &with, anew
	}
	return sighted{next, saw}
}

// lookAtProvenance returns the digest of the provenance beside an archive of a SOURCE, or
// why what is there is not published. The error is a shortage of the moment.
func (r *Repository) lookAtProvenance(archive string) (digest, warning string, short error) {
	data, err := r.sources.files.Read(archive+".prov", provenance.MaxSize)
	if err == nil {
		err = checkProvenance(data)
	}
	switch {
	case err == nil:
		return sumOf(data), "", nil
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case store.Passing(err):
		return "", "", err
	}
	return "", fmt.Sprintf("its provenance %s.prov is not published: %v", filepath.Base(archive), err), nil
}

// checkProvenance refuses what is no signed message: Helm's provenance is clear-signed
// (pkg/provenance/sign.go).
func checkProvenance(data []byte) error {
	if !bytes.HasPrefix(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		return &chart.Error{Kind: chart.ErrFile, Reason: "not a signed message", Remedy: "`helm package --sign` writes it anew, or remove it"}
	}
	return nil
}
