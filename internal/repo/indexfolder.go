package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// IndexFolder writes dir/index.yaml for the archives in dir, at any depth. What
// the index file merge has beyond them (another name or version) is added as it
// stands there; an empty merge adds nothing. Archives that can't be read are in
// the Status; with Options.Strict they make it ErrBadCharts, and nothing is
// written.
func IndexFolder(ctx context.Context, dir, merge string, o Options) (Status, error) {
	r, err := folderOnly(dir, o)
	if err != nil {
		return Status{}, err
	}
	defer r.store.Close()
	var more []*index.Entry
	if merge != "" {
		if more, err = r.readIndex(merge); err != nil {
			return Status{}, err
		}
	}
	w := &work{}
	files, err := r.store.List(".", r.onDir())
	if err != nil {
		return Status{}, err
	}
	r.lookAtFolder(w, files)
	if err := r.refresh(ctx, w); err != nil {
		return Status{}, err
	}
	p := &plan{failures: r.folderErrors}
	r.archiveFailures(p)
	r.archiveWarnings(p)
	e := r.merged(more)
	st := Status{Version: r.opts.Version, Charts: e.Charts, Archives: e.Versions, Failures: r.failuresSince(p.failures),
		Warnings: p.warnings, Repository: dir}
	if r.opts.Strict && len(st.Failures) > 0 {
		return st, ErrBadCharts
	}
	path := filepath.Join(dir, store.IndexName)
	if err := renameio.WriteFile(path, e.YAML.Data.Bytes(), 0o644, renameio.IgnoreUmask()); err != nil {
		return st, fmt.Errorf("%s can't be written: %w (make the folder writable)", path, err)
	}
	return st, nil
}

// folderOnly is a repository that only reads dir: no lock, no state, no sources.
func folderOnly(dir string, o Options) (*Repository, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%q: %w (name the folder that holds the archives)", dir, err)
	}
	if !fi.IsDir() {
		return nil, fmt.Errorf("%q is a file: name the folder that holds the archives", dir)
	}
	s, err := store.OpenReadOnly(dir, o.store())
	if err != nil {
		return nil, err
	}
	r := &Repository{opts: o, store: s, checker: pkgr.NewChecker(o.Limits)}
	r.forget()
	r.inherit()
	return r, nil
}

func (r *Repository) readIndex(path string) ([]*index.Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("index to merge: %w (name an index.yaml, or leave it out)", err)
	}
	f, err := index.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("index to merge: %s: %w", path, err)
	}
	for _, err := range f.Skipped {
		r.opts.Logger.Warn("an entry is not merged", "index", path, "reason", err)
	}
	return f.Entries, nil
}

// merged is the index of the folder's archives and of those in more that are not
// among them.
func (r *Repository) merged(more []*index.Entry) *index.Encoded {
	byName := map[string][]*index.Entry{}
	have := map[ident]bool{}
	for name := range r.dirty {
		byName[name] = r.entries(name)
		for _, e := range byName[name] {
			have[ident{e.Name, e.Version}] = true
		}
	}
	for _, e := range more {
		if !have[ident{e.Name, e.Version}] {
			byName[e.Name] = append(byName[e.Name], e)
		}
	}
	for name, entries := range byName {
		r.builder.Set(name, entries)
	}
	return r.builder.EncodePlain()
}
