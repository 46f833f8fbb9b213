package mirror

import (
	"chartserve/internal/airgap/folder"
	"chartserve/internal/remote"
	"chartserve/internal/store"
)

// named names an archive whose name was not known before it was there, or was spelled
// in another way, and looks again whether the folder has it already. prov is nil
// without provenance.
func (r *run) named(w *want, f, prov *store.StageFile) error {
	file, err := archiveName(w.candidate)
	if err != nil {
		return err
	}
	r.mu.Lock()
	first := r.byFile[file]
	w.file = ""
	if first == nil {
		w.file = file
		r.byFile[file] = w
	}
	r.mu.Unlock()
	if first != nil {
		w.status = statusTwice
		return r.twice(first, w)
	}
	if k, _ := w.source.kind(); k == kindArchive {
		r.offered(w.source, remote.Validators{}, []candidate{w.candidate})
	}
	known := w.known
	if err := r.lookFor(w); err != nil {
		return err
	}
	if w.status == statusThere {
		w.known.Deps, w.known.Read = known.Deps, known.Read
		return nil
	}
	w.status, w.known = statusOpen, known
	if prov != nil {
		if err := prov.Rename(file + folder.ProvExt); err != nil {
			return err
		}
	}
	return f.Rename(file)
}
