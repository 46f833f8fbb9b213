package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// IndexFolder writes dir/index.yaml for the archives in dir, at any depth, but for
// those that charts below dir hold. What the index file merge has beyond them
// (another name or version) is added as it stands there; an empty merge adds nothing,
// nor does a file that is not there. Archives that can't be read are in the Status;
// with Options.Strict they make it ErrBadCharts, and nothing is written.
//
// Options.Timestamp is SOURCE_DATE_EPOCH here, see index.Dates. Options.URL may be
// what Helm takes: with any scheme or none.
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
	r.lookAtFolder(w, outsideCharts(files))
	if err := r.refresh(ctx, w); err != nil {
		return Status{}, err
	}
	p := &plan{failures: r.folderErrors}
	r.archiveFailures(p)
	r.archiveWarnings(p)
	e, err := r.merged(more, o.Timestamp)
	if err != nil {
		return Status{}, err
	}
	st := Status{Version: r.opts.Version, Charts: e.Charts, Archives: e.Versions, Failures: r.failuresSince(p.failures),
		Warnings: p.warnings, Repository: dir}
	if r.opts.Strict && len(st.Failures) > 0 {
		return st, ErrBadCharts
	}
	file := filepath.Join(dir, store.IndexName)
	if err := renameio.WriteFile(file, e.YAML.Data.Bytes(), 0o644, renameio.IgnoreUmask()); err != nil {
		return st, fmt.Errorf("%s can't be written: %w (make the folder writable)", file, err)
	}
	return st, nil
}

// folderOnly is a repository that only reads dir: no lock, no state, no sources.
func folderOnly(dir string, o Options) (*Repository, error) {
	base := o.URL
	u, err := url.Parse(base)
	if err != nil || u.Host == "" && (u.Scheme == "http" || u.Scheme == "https") {
		return nil, fmt.Errorf("url %q: not an address (write it as https://charts.example.com/charts)", base)
	}
	o.URL = "" // a server's has to be one of http or https
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	o.URL = base
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

// outsideCharts drops the files of charts: what stands below a directory with a
// Chart.yaml. Where that is the folder itself its charts/ are dropped.
func outsideCharts(files []store.Found) []store.Found {
	charts := map[string]bool{}
	for _, f := range files {
		if dir, base := path.Split(f.Name); base == chart.MetadataFile {
			charts[cmp.Or(dir, "charts/")] = true
		}
	}
	return slices.DeleteFunc(files, func(f store.Found) bool {
		for i, c := range f.Name {
			if c == '/' && charts[f.Name[:i+1]] {
				return true
			}
		}
		return false
	})
}

func (r *Repository) readIndex(path string) ([]*index.Entry, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) { // not an error to Helm
		r.opts.Logger.Warn("there is no such index; nothing is merged", "index", path)
		return nil, nil
	}
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

// merged returns the index of the folder's archives and of those in more that are
// not among them.
func (r *Repository) merged(more []*index.Entry, epoch time.Time) (*index.Encoded, error) {
	byName := map[string][]*index.Entry{}
	have := map[ident]bool{}
	now := r.opts.Now()
	for name := range r.dirty {
		byName[name] = r.entries(name)
		for i, e := range byName[name] {
			have[ident{e.Name, e.Version}] = true
			var err error
			if byName[name][i], err = dated(e, index.Dates{Epoch: epoch, Listed: e.Created}.Created(now)); err != nil {
				return nil, err
			}
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
	return r.builder.EncodeIdentity(), nil
}

// dated returns e, created when that says.
func dated(e *index.Entry, created time.Time) (*index.Entry, error) {
	if created.Equal(e.Created) {
		return e, nil
	}
	md, err := e.Metadata()
	if err != nil {
		return nil, err
	}
	return index.NewEntry(md, e.URL, e.Digest, created)
}
