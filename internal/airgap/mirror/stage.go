package mirror

import (
	"cmp"

	"chartserve/internal/index"
)

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
	for name, known := range r.state.Files {
		if !r.dir.Has(cmp.Or(known.As, name)) {
			delete(r.state.Files, name)
		}
	}
	for _, w := range r.wants {
		if w.file == "" || w.status == statusFailed || w.status == statusOpen {
			continue
		}
		if w.status != statusTwice {
			r.state.Files[w.file] = w.known
		}
		if w.asked != "" && w.asked != w.file {
			r.state.Files[w.asked] = seen{As: w.file}
		}
	}
}
