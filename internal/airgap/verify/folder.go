package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"chartserve/internal/index"
	"chartserve/internal/provenance"
	"chartserve/internal/remote"
)

// byDigest holds archives under their digest; only entries lead there (see
// package repo).
const byDigest = "by-digest"

// Folder verifies the repository in dir. The error is about dir itself, or ctx's;
// whatever is wrong in it is in the Report.
func (v *Verifier) Folder(ctx context.Context, dir string) (*Report, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%q: %w (name the folder that holds index.yaml and the archives)", dir, err)
	}
	defer root.Close()
	f := &folder{root: root, jobs: map[string]*job{}}
	r := &run{Verifier: v, place: f, inside: newHosts("", v.opts.AllowHosts), by: map[provenance.Signer]int{}}
	r.report.Repository = filepath.ToSlash(dir)
	if err := f.list(r); err != nil {
		return nil, err
	}
	if data, ok := f.readIndex(r); ok {
		r.index(data)
	}
	for _, e := range r.known.entries {
		f.locate(r, e)
	}
	f.orphans(r)
	if err := r.jobs(ctx, f.order); err != nil {
		return nil, err
	}
	return r.finish(), nil
}

// folder is a repository folder.
type folder struct {
	root  *os.Root
	jobs  map[string]*job // by path
	order []*job
	provs []string
}

func (f *folder) open(_ context.Context, name string) (io.ReadCloser, error) {
	fi, err := f.root.Stat(name)
	if err != nil {
		return nil, bare(err)
	}
	if !fi.Mode().IsRegular() {
		return nil, errors.New("not a regular file") // a pipe would never end
	}
	file, err := f.root.Open(name)
	return file, bare(err)
}

// bare is a file system's error without the path, which the finding has.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// list finds archives and provenance, where package repo does: at any depth, but
// not below names with a dot.
func (f *folder) list(r *run) error {
	return fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case name == "." && err != nil:
			return bare(err)
		case err != nil:
			r.error(name, "", bare(err).Error(), "make it readable")
		case name == ".":
		case strings.HasPrefix(base, ".") || name == byDigest:
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case strings.HasSuffix(base, ".tgz"):
			f.add(name)
		case strings.HasSuffix(base, ".tgz"+provExt):
			f.provs = append(f.provs, name)
		}
		return nil
	})
}

func (f *folder) add(name string) *job {
	j := &job{ref: name, name: name, base: path.Base(name)}
	f.jobs[name] = j
	f.order = append(f.order, j)
	return j
}

// readIndex is the index, where there is one that can be read.
func (f *folder) readIndex(r *run) ([]byte, bool) {
	file, err := f.open(context.Background(), indexName)
	if err == nil {
		defer file.Close()
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(file, maxIndex+1)); err == nil && len(data) <= maxIndex {
			return data, true
		}
		if err == nil {
			err = fmt.Errorf("longer than the %d bytes that are read", maxIndex)
		}
	}
	r.error(indexName, "", err.Error(), indexAgain)
	return nil, false
}

// locate finds the archive of an entry among the files of the folder.
func (f *folder) locate(r *run, e *index.Entry) {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil:
		r.error(indexName, at(e, ".urls[0]"), "not a URL", indexAgain)
		return
	case !followed(u):
		r.notFollowed(e, u)
		return
	}
	outside := r.entryOutside(e, u)
	names := index.FolderPaths(u)
	if len(names) == 0 {
		r.error(indexName, at(e, ".urls[0]"), fmt.Sprintf("%.100q leads out of the repository", remote.Show(u)), indexAgain)
		return
	}
	for _, name := range names {
		if j := f.jobs[name]; j != nil {
			j.entries = append(j.entries, e)
			return
		}
		fi, err := f.root.Stat(name)
		if err != nil || fi.IsDir() {
			continue
		}
		j := f.under(name, fi)
		j.entries = append(j.entries, e)
		return
	}
	if !outside {
		r.error(indexName, at(e, ".urls[0]"), "there is no archive at "+remote.Show(u), "copy the archive there, or write the index again with chartserve index")
	}
}

// under is the job of a file that was not listed, such as an archive under its
// digest: where that is a link to the one at the top, it is read once.
func (f *folder) under(name string, fi fs.FileInfo) *job {
	if top := f.jobs[path.Base(name)]; top != nil {
		if other, err := f.root.Stat(top.ref); err == nil && os.SameFile(fi, other) {
			return top
		}
	}
	return f.add(name)
}

// orphans reports provenance whose archive is neither there nor in the index,
// where that would be reported.
func (f *folder) orphans(r *run) {
	wanted := map[string]bool{}
	for _, e := range r.known.entries {
		if u, err := url.Parse(e.URL); err == nil {
			wanted[path.Base(u.Path)] = true
		}
	}
	for _, name := range f.provs {
		archive := strings.TrimSuffix(name, provExt)
		if f.jobs[archive] == nil && !wanted[path.Base(archive)] {
			r.error(name, "", "the archive that it belongs to is not here", "copy the archive, or remove this")
		}
	}
}
