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

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
	"chartserve/internal/wholefile"
)

// IndexFolder writes dir/index.yaml for the archives in dir, at any depth, but for
// those that charts below dir hold. What the index file merge has beyond them
// (another name or version) is added as it stands there, with a date if it has none; an empty merge adds nothing,
// nor does a file that is not there. Archives that can't be read are in the Status;
// with Options.Strict they make it ErrBadCharts, and nothing is written. Warnings are
// logged.
//
// Options.URL may be what Helm takes: with any scheme or none.
func IndexFolder(ctx context.Context, dir, merge string, o Options) (Status, error) {
	o, err := forIndexing(o)
	if err != nil {
		return Status{}, err
	}
	s, err := openFolder(dir, &o)
	if err != nil {
		return Status{}, err
	}
	defer s.Close()
	more, err := readIndex(merge, &o)
	if err != nil {
		return Status{}, err
	}
	r := newRepository(o, resolve.Own{}, s)
	if err := r.lookAtFolder(ctx); err != nil {
		return Status{}, err
	}
	e := r.merged(more)
	p := &plan{failures: r.folder.failures}
	r.archives.report(p, nil)
	st := Status{
		Version: o.Version, Charts: e.Charts, Archives: e.Versions,
		Failures: r.reporter.failures(p.failures), Warnings: p.warnings, Repository: dir,
	}
	r.reporter.log(Status{}, st, false)
	if o.Strict && len(st.Failures) > 0 {
		return st, ErrBadCharts
	}
	file := filepath.Join(dir, store.IndexName)
	if err := wholefile.WriteForAll(file, e.YAML.Data.Bytes()); err != nil {
		return st, fmt.Errorf("%s can't be written: %w (make the folder writable)", file, err)
	}
	return st, nil
}

// forIndexing is Options.check, but for the URL: a server's has to be one of http or
// https.
func forIndexing(o Options) (Options, error) {
	base := o.URL
	u, err := url.Parse(base)
	if err != nil || u.Host == "" && (u.Scheme == "http" || u.Scheme == "https") {
		return o, badOption("url %q: not an address (write it as https://charts.example.com/charts)", base)
	}
	o.URL = ""
	if o, _, err = o.check(); err != nil {
		return o, err
	}
	o.URL = base
	return o, nil
}

func openFolder(dir string, o *Options) (*store.Store, error) {
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%q: %w (name the folder that holds the archives)", dir, err)
	}
	if !fi.IsDir() {
		return nil, fmt.Errorf("%q is a file: name the folder that holds the archives", dir)
	}
	return store.OpenReadOnly(dir, o.store())
}

// lookAtFolder reads the archives of the folder, but for those that charts hold.
func (r *Repository) lookAtFolder(ctx context.Context) error {
	r.creations.inherit(r.folder)
	files, err := r.store.List(".", r.charts.onDir)
	if err != nil {
		return err
	}
	w := &work{}
	r.folder.listAll(w, outsideCharts(files))
	return cmp.Or(r.lookAtArchives(ctx, w.archives), r.short.met())
}

// outsideCharts drops the files of charts: what is below a directory with a
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

// readIndex reads the entries of an index that is to be merged. A file that is not there
// has none, as with Helm.
func readIndex(path string, o *Options) ([]*index.Entry, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		o.Logger.Warn("there is no such index; nothing is merged", "index", path)
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
		o.Logger.Warn("an entry is not merged", "index", path, "reason", err)
	}
	return f.Entries, nil
}

// merged is the index of the archives that were looked at, and of the entries in more
// that are not among them.
func (r *Repository) merged(more []*index.Entry) *index.Encoded {
	var entries []*index.Entry
	have := map[ident]bool{}
	for name := range r.dirty {
		_, c := r.chart(name)
		entries = append(entries, c.Entries...)
		for _, e := range c.Entries {
			have[ident{name, e.Version}] = true
		}
	}
	for _, e := range more {
		if !have[ident{e.Name, e.Version}] {
			entries = append(entries, r.dated(e))
		}
	}
	return index.Encode(r.opts.IndexFormat, r.emptied(), entries)
}

// dated is an entry of another index, with the date of an archive that is not looked at
// where it has none.
func (r *Repository) dated(e *index.Entry) *index.Entry {
	md, err := e.Metadata()
	if index.IsDate(e.Created) || err != nil {
		return e
	}
	next, err := index.NewEntry(md, e.URL, e.Digest, r.creationOf(ident{e.Name, e.Version}, e.Digest, time.Time{}))
	if err != nil {
		return e
	}
	return next
}
