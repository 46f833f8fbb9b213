package mirror

import (
	"io"

	"chartserve/internal/remote"
	"chartserve/internal/store"
)

// named gives an archive whose name was not known before its own, and looks again
// whether it is there already.
func (r *run) named(w *want, f, prov *store.StageFile) (*store.StageFile, *store.StageFile, error) {
	file, err := archiveName(w.candidate)
	if err != nil {
		return f, prov, err
	}
	r.mu.Lock()
	first := r.byFile[file]
	if first == nil {
		w.file = file
		r.byFile[file] = w
	}
	r.mu.Unlock()
	if first != nil {
		w.status = statusTwice
		return f, prov, r.twice(first, w)
	}
	r.offered(w.source, remote.Validators{}, []candidate{w.candidate})
	known := w.known
	if err := r.lookFor(w); err != nil {
		return f, prov, err
	}
	if w.status == statusThere {
		w.known.Deps, w.known.Read = known.Deps, known.Read
		return f, prov, nil
	}
	w.status, w.known = statusOpen, known
	renamed, err := r.rename(f, w.file)
	if err != nil || prov == nil {
		return renamed, prov, err
	}
	prov, err = r.rename(prov, w.file+".prov")
	r.saveState()
	return renamed, prov, err
}

// rename copies f into a file that will have the name.
func (r *run) rename(f *store.StageFile, name string) (*store.StageFile, error) {
	defer f.Discard()
	to, err := r.stage.Create(name)
	if err != nil {
		return f, err
	}
	if _, err = f.OS().Seek(0, io.SeekStart); err == nil {
		_, err = io.Copy(to.OS(), f.OS())
	}
	return to, err
}
