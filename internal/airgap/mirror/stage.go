package mirror

import (
	"context"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// readStage checks what an interrupted run has left. What is not whole is removed.
func (r *run) readStage(ctx context.Context) error {
	r.staged = map[string]*pkgr.Info{}
	stage := folder.At(r.stage.Root())
	list, err := stage.List(ctx, func(_ string, err error) error { return err })
	if err != nil {
		return err
	}
	for _, name := range list.Archives {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		info, err := r.check(filePlace{open: stage.Open, name: name})
		if err != nil {
			r.opts.Logger.Warn("an archive that an interrupted run left is not whole, and is fetched again", "archive", name, "error", err)
			if err := r.stage.Remove(name); err != nil {
				return err
			}
			continue
		}
		r.staged[name] = info
	}
	return nil
}

// lookInStage finds an archive that an interrupted run has fetched.
func (r *run) lookInStage(w *want) {
	info := r.staged[w.file]
	if info == nil || w.Digest != "" && w.Digest != info.Digest {
		return
	}
	again := *w
	if again.accept(info, r.opts.Now()) != nil {
		return
	}
	*w = again
	w.status = statusStaged
	w.known.Prov = folder.At(r.stage.Root()).Has(w.file + folder.ProvExt)
}

// deliver hands over what is in the stage; false: nothing is.
func (r *run) deliver() (bool, error) {
	var entries []*index.Entry
	for _, w := range r.wants {
		if w.status != statusNew && w.status != statusStaged {
			continue
		}
		fi, err := r.stage.Root().Stat(w.file)
		if err != nil {
			return false, err
		}
		w.known.Size, w.known.Time = fi.Size(), fi.ModTime().UTC()
		entries = append(entries, w.entry)
	}
	if len(entries) > 0 {
		if err := r.stage.Deliver(entries); err != nil {
			return false, err
		}
	}
	r.noteFiles()
	return len(entries) > 0, nil
}

// noteFiles puts into the state what is in the repository folder now.
func (r *run) noteFiles() {
	for name := range r.state.Files {
		if !r.dir.Has(name) {
			delete(r.state.Files, name)
		}
	}
	for _, w := range r.wants {
		if w.file != "" && w.status != statusFailed && w.status != statusOpen && w.status != statusTwice {
			r.state.Files[w.file] = w.known
		}
	}
}
