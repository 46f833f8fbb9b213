package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/resolve"
	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// work is what a pass has to look at.
type work struct {
	lives  []*live
	given  []*archive
	stored []*archive
	others []string
}

// look turns a change into work: which charts and which archives it concerns.
// files are those of the repository folder, or nil where it is yet to be listed. The
// error is that it can't be; nothing was looked at then.
func (r *Repository) look(ch watch.Change, files []store.Found) (*work, error) {
	w := &work{}
	if ch.Rescan {
		if files == nil {
			var err error
			if files, err = r.store.List(".", r.onDir()); err != nil {
				return nil, err
			}
		}
		r.lookAtSources(w, true)
		r.lookAtFolder(w, files)
		return w, nil
	}
	structure := false
	for _, p := range ch.Paths {
		if within(r.store.Path(), p) {
			r.lookInFolder(w, p)
			continue
		}
		owners := r.owners(p)
		for _, l := range owners {
			if !l.stale {
				l.stale = true
				w.lives = append(w.lives, l)
			}
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
	return w, nil
}

// owners are the charts that a path belongs to: by a directory that they list,
// or, where the listing failed, by the nearest one above.
func (r *Repository) owners(p string) []*live {
	for {
		if ls := r.watched[p]; len(ls) > 0 {
			return ls
		}
		up := filepath.Dir(p)
		if up == p {
			return nil
		}
		p = up
	}
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

// lookAtSources walks all sources. Charts and archives that are new are looked
// at, all others too when all is set; those that are gone are dropped.
func (r *Repository) lookAtSources(w *work, all bool) {
	sc := newScanner(r.opts.Exclude, r.store.Path(), r.onDir())
	r.sources = r.sources[:0]
	for _, pattern := range r.opts.Sources {
		found, bases, err := expandSources([]string{pattern})
		if err != nil {
			sc.incomplete = true
			sc.fail(pattern, err)
			r.watchAbove(pattern)
		}
		for _, b := range bases {
			r.onDir()(b)
		}
		for _, s := range found {
			sc.scan(len(r.sources), s)
			r.sources = append(r.sources, s)
		}
	}
	r.noteShortage(r.roots.replace(r.sources))
	r.scanFailures, r.incomplete = sc.failures, sc.incomplete
	r.noteShortage(sc.short)
	r.mergeLives(w, sc.charts, all)
	r.mergeGiven(w, sc.archives, all)
}

func (r *Repository) mergeLives(w *work, found map[string]place, all bool) {
	for dir, at := range found {
		l := r.lives[dir]
		if l == nil {
			l = &live{Chart: resolve.Chart{Dir: dir}}
			r.lives[dir] = l
		}
		if l.external {
			l.external, l.changed = false, true
		}
		isNew := l.Metadata == nil && l.Err == nil
		l.Path, l.root, l.source = at.display, at.root, at.source
		if (all || isNew) && !l.stale {
			l.stale = true
			w.lives = append(w.lives, l)
		}
	}
	for dir, l := range r.lives {
		if _, ok := found[dir]; ok {
			continue
		}
		if l.external {
			if all && !l.stale {
				l.stale = true
				w.lives = append(w.lives, l)
			}
			continue
		}
		r.dropLive(l)
	}
}

func (r *Repository) dropLive(l *live) {
	delete(r.lives, l.Dir)
	r.unwatchLive(l)
	if l.Metadata != nil {
		r.dirty[l.Metadata.Name] = true
	}
}

func (r *Repository) mergeGiven(w *work, found map[string]place, all bool) {
	for p, at := range found {
		a := r.given.byPath[p]
		if a != nil && !all {
			continue
		}
		if a == nil {
			a = &archive{path: p}
		}
		a.display, a.source = at.display, at.source
		w.given = append(w.given, a)
	}
	for p := range r.given.byPath {
		if _, ok := found[p]; !ok {
			r.given.remove(p)
		}
	}
}

// lookAtFolder looks at all files of the repository folder.
func (r *Repository) lookAtFolder(w *work, files []store.Found) {
	seen := make(map[string]bool, len(files))
	w.stored = slices.Grow(w.stored, len(files))
	r.folderErrors = nil
	for _, f := range files {
		if f.Err != nil {
			r.unlisted(w, f, seen)
			continue
		}
		seen[f.Name] = true
		r.addStored(w, f.Name)
	}
	for p := range r.stored.byPath {
		if !seen[p] {
			r.stored.remove(p)
			r.served.remove(p)
		}
	}
	for name := range r.others {
		if !seen[name] {
			w.others = append(w.others, name)
		}
	}
	if !seen[store.IndexName] {
		w.others = append(w.others, store.IndexName)
	}
}

// unlisted takes what is known from below a directory that can't be listed as seen;
// what is known from the last run only is looked at by itself. A directory that may
// not be listed, and held nothing of ours, is someone else's affair.
func (r *Repository) unlisted(w *work, dir store.Found, seen map[string]bool) {
	r.noteShortage(dir.Err)
	known := false
	for p, a := range r.stored.byPath {
		if strings.HasPrefix(p, dir.Name+"/") {
			seen[p], known = true, true
			if a.file == nil {
				r.addStored(w, p)
			}
		}
	}
	for name := range r.others {
		if strings.HasPrefix(name, dir.Name+"/") {
			seen[name], known = true, true
		}
	}
	if known || !errors.Is(dir.Err, fs.ErrPermission) {
		r.folderErrors = append(r.folderErrors, Failure{
			Path: filepath.Join(r.store.Path(), dir.Name), Reason: fmt.Sprintf("directory can't be read: %v (make it readable, or take it away)", dir.Err),
		})
	}
}

// lookInFolder handles one path in the repository folder.
func (r *Repository) lookInFolder(w *work, p string) {
	name, err := filepath.Rel(r.store.Path(), p)
	if err != nil || name == "." || isHidden(filepath.Base(p)) || strings.HasPrefix(name, ".") || store.IsAddress(name) {
		return
	}
	name = filepath.ToSlash(name)
	r.folderErrors = slices.DeleteFunc(r.folderErrors, func(f Failure) bool { return within(p, f.Path) })
	fi, err := os.Lstat(p)
	switch {
	case err == nil && fi.IsDir():
		files, _ := r.store.List(name, r.onDir()) // whose error is only of the whole folder
		for _, f := range files {
			if f.Err != nil {
				r.unlisted(w, f, map[string]bool{})
			} else {
				r.addStored(w, f.Name)
			}
		}
	case errors.Is(err, fs.ErrNotExist) && r.stored.byPath[name] == nil && r.others[name] == nil && name != store.IndexName:
		r.dropFolderDir(name)
	default:
		r.addStored(w, name)
	}
}

// dropFolderDir forgets what stood below a directory that is gone.
func (r *Repository) dropFolderDir(name string) {
	for p := range r.stored.byPath {
		if strings.HasPrefix(p, name+"/") {
			r.stored.remove(p)
			r.served.remove(p)
		}
	}
	for p := range r.others {
		if strings.HasPrefix(p, name+"/") {
			delete(r.others, p)
			r.served.remove(p)
		}
	}
}

func (r *Repository) addStored(w *work, name string) {
	if !isArchiveName(name) {
		w.others = append(w.others, name)
		return
	}
	a := r.stored.byPath[name]
	if a == nil {
		a = &archive{path: name, display: filepath.Join(r.store.Path(), name), stored: true}
	}
	w.stored = append(w.stored, a)
}

// onDir hooks the watcher into walks: a directory is watched before it is listed,
// so that nothing that happens in between is missed.
func (r *Repository) onDir() func(string) {
	if r.watcher == nil {
		return func(string) {}
	}
	return func(dir string) {
		if err := r.watcher.Add(dir); err != nil {
			r.opts.Logger.Warn("a directory can't be watched; it is looked at from time to time", "directory", dir, "error", err)
		}
	}
}

// watchAbove watches the nearest directory above a path that is not there, so
// that its coming is noticed.
func (r *Repository) watchAbove(p string) {
	dir, err := filepath.Abs(p)
	if err != nil {
		return
	}
	for dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			r.onDir()(real)
			return
		}
	}
}
