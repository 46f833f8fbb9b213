package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Folder verifies the repository in dir. The error is about dir itself, or ctx's;
// whatever is wrong in it is in the Report.
func (v *Verifier) Folder(ctx context.Context, dir string) (*Report, error) {
	view, err := folder.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%q: %w (name the folder that holds index.yaml and the archives)", dir, err)
	}
	defer view.Close()
	f := &local{view: view, jobs: map[string]*job{}}
	r := v.newRun(f, "", filepath.ToSlash(dir))
	list, err := view.List(ctx, func(name string, err error) error {
		r.error(name, "", err.Error(), "make it readable")
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range list.Archives {
		f.add(name)
	}
	if data, err := view.IndexData(); err != nil {
		r.error(folder.IndexName, "", err.Error(), indexAgain)
	} else {
		r.index(data)
	}
	for _, e := range r.known.entries {
		f.locate(r, e)
	}
	f.orphans(r, list.Provenance)
	if err := r.jobs(ctx, f.order); err != nil {
		return nil, err
	}
	return r.finish(), nil
}

// local is a repository folder.
type local struct {
	view  *folder.Folder
	jobs  map[string]*job // by path
	order []*job
}

func (f *local) open(_ context.Context, name string) (io.ReadCloser, error) {
	return f.view.Open(name)
}

func (f *local) add(name string) *job {
	j := &job{ref: name, name: name, base: path.Base(name)}
	f.jobs[name] = j
	f.order = append(f.order, j)
	return j
}

// locate finds the archive of an entry among the files of the folder.
func (f *local) locate(r *run, e *index.Entry) {
	u := r.followed(e)
	if u == nil {
		return
	}
	outside := r.entryOutside(e, u)
	if len(index.FolderPaths(u)) == 0 {
		r.error(folder.IndexName, at(e, ".urls[0]"), fmt.Sprintf("%.100q leads out of the repository", chart.ShowURL(u)), indexAgain)
		return
	}
	switch name, err := f.view.Follow(u); {
	case err == nil:
		j := f.job(name)
		j.entries = append(j.entries, e)
	case !errors.Is(err, fs.ErrNotExist):
		r.error(folder.IndexName, at(e, ".urls[0]"), fmt.Sprintf("%s: %v", chart.ShowURL(u), err), indexAgain)
	case !outside:
		r.error(folder.IndexName, at(e, ".urls[0]"), "there is no archive at "+chart.ShowURL(u), copyThere)
	}
}

// job returns the job of a file. A file that was not listed, such as an archive under
// its digest, may be a link to the one at the top, which is read once.
func (f *local) job(name string) *job {
	if j := f.jobs[name]; j != nil {
		return j
	}
	if top := f.jobs[path.Base(name)]; top != nil && f.view.Same(name, top.ref) {
		return top
	}
	return f.add(name)
}

// orphans reports provenance whose archive is neither there nor in the index,
// where that would be reported.
func (f *local) orphans(r *run, provenance []string) {
	wanted := map[string]bool{}
	for _, e := range r.known.entries {
		if u, err := url.Parse(e.URL); err == nil {
			wanted[path.Base(u.Path)] = true
		}
	}
	for _, name := range provenance {
		archive := strings.TrimSuffix(name, folder.ProvExt)
		if f.jobs[archive] == nil && !wanted[path.Base(archive)] {
			r.error(name, "", "the archive that it belongs to is not here", "copy the archive, or remove this")
		}
	}
}
