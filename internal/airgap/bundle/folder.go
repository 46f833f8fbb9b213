package bundle

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// presence is how a folder has a file of a bundle.
type presence int

const (
	missing presence = iota
	same             // the same bytes
	other            // other bytes under the same name
)

// target is a repository folder that a bundle is compared with.
type target struct {
	dir     *folder.Folder          // nil: there is none yet
	entries map[string]*index.Entry // of its index, if it has one, by archive name
}

// openTarget opens a repository folder; it need not be there, or have an index.
func openTarget(dir string) (*target, error) {
	d, err := folder.Open(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	t := &target{dir: d, entries: map[string]*index.Entry{}}
	f, err := d.Index()
	if err != nil {
		return t, nil // then only the top is looked at
	}
	for _, e := range f.Entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		t.entries[md.ArchiveName()] = e
	}
	return t, nil
}

// place returns the name under which f is in the folder, or would be.
func (t *target) place(f *File) string {
	archive, isProv := strings.CutSuffix(f.Name, folder.ProvExt)
	e := t.entries[archive]
	if e == nil || t.dir.Has(f.Name) {
		return f.Name
	}
	at, err := t.dir.Locate(e)
	switch {
	case err != nil:
		return f.Name
	case isProv:
		return at + folder.ProvExt
	}
	return at
}

// compare reports whether the file of that name is f.
func compare(ctx context.Context, dir *folder.Folder, name string, f *File) (presence, error) {
	if err := ctx.Err(); err != nil {
		return missing, err
	}
	r, err := dir.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing, nil
	case errors.Is(err, folder.ErrIrregular):
		return other, nil
	case err != nil:
		return missing, &fs.PathError{Op: "open", Path: filepath.ToSlash(dir.Path(name)), Err: err}
	}
	defer r.Close()
	if fi, err := r.Stat(); err == nil && fi.Size() != f.Size {
		return other, nil
	}
	digest, _, err := chart.DigestOf(r)
	switch {
	case err != nil:
		return missing, err
	case digest != f.SHA256:
		return other, nil
	}
	return same, nil
}
