package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/repo"
)

// archive is one to look at.
type archive struct {
	path string
	// open opens it: within the folder that it belongs to, where there is one.
	open func() (*os.File, error)
	// shown is what a person knows it by.
	shown string
}

// single is an archive that was named by itself, or made here.
func single(path, shown string) archive {
	return archive{path, func() (*os.File, error) { return folder.OpenFile(path) }, shown}
}

// path adds the archives of what is at a path.
func (s *Scan) path(ctx context.Context, path string) error {
	fi, err := os.Stat(path)
	if err == nil && !fi.IsDir() {
		s.archives = append(s.archives, single(path, path))
		return nil
	}
	scratch, err := os.MkdirTemp("", "chartserve-images-")
	if err != nil {
		return fmt.Errorf("no directory for the archives of charts: %w (TMPDIR names a directory that is writable)", err)
	}
	s.scratch = append(s.scratch, scratch)
	if _, err := os.Stat(filepath.Join(path, "Chart.yaml")); err == nil {
		return s.chart(ctx, path, scratch)
	}
	return s.tree(ctx, path, scratch)
}

// chart packages the chart in one directory.
func (s *Scan) chart(ctx context.Context, dir, scratch string) error {
	paths, failures, err := repo.Package(ctx, []string{dir}, scratch, repo.PackageOptions{Options: s.Options})
	if err != nil {
		return err
	}
	for _, p := range paths {
		s.archives = append(s.archives, single(p, dir))
	}
	for _, bad := range failures {
		s.alone(bad)
	}
	return nil
}

// tree makes a repository of all charts below a directory, or a glob.
func (s *Scan) tree(ctx context.Context, dir, scratch string) error {
	o := s.Options
	o.Sources = []string{dir}
	log := cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Logger = nil // it would speak of publishing
	r, err := repo.Open(scratch, o)
	if err != nil {
		return err
	}
	defer r.Close() // its state is for nobody
	if err := r.Build(ctx); err != nil {
		return err
	}
	st := r.Status()
	for _, w := range st.Warnings {
		log.Warn(w.Message, "path", w.Path)
	}
	for _, bad := range st.Failures {
		s.alone(bad)
	}
	return s.folder(ctx, scratch, dir)
}

// folder adds the archives that the index of a repository folder names, or all
// that are there where it has none. shown stands for the folder in messages.
func (s *Scan) folder(ctx context.Context, path, shown string) error {
	dir, err := folder.Open(path)
	if err != nil {
		return fmt.Errorf("repository folder %q: %w", shown, err)
	}
	s.folders = append(s.folders, dir)
	add := func(name, shown string) {
		s.archives = append(s.archives, archive{dir.Path(name), func() (*os.File, error) { return dir.Open(name) }, shown})
	}
	indexPath := filepath.Join(shown, folder.IndexName)
	file, err := dir.Index()
	if errors.Is(err, fs.ErrNotExist) {
		list, err := dir.List(ctx, func(name string, err error) error {
			s.fail(filepath.Join(shown, name), err)
			return nil
		})
		for _, name := range list.Archives {
			add(name, filepath.Join(shown, name))
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", indexPath, err)
	}
	for _, err := range file.Skipped {
		s.fail(indexPath, err)
	}
	for _, e := range file.Entries {
		name, err := dir.Locate(e)
		switch {
		case err != nil:
			s.fail(indexPath, fmt.Errorf("%s %s is not in the folder (mirror it, or remove it from the index)", e.Name, e.Version))
		case path != shown: // a person never sees path
			add(name, filepath.Join(shown, e.Name)+" "+e.Version)
		default:
			add(name, filepath.Join(shown, name))
		}
	}
	return nil
}

// alone lists what a chart that can't be packaged names by itself: most often a
// dependency is missing, whose images are then all that is missing.
func (s *Scan) alone(bad repo.Failure) {
	s.fail(bad.Path, errors.New(bad.Reason))
	if _, err := os.Stat(filepath.Join(bad.Path, "Chart.yaml")); err != nil {
		return
	}
	dir, err := filepath.Abs(bad.Path)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return
	}
	tree, err := s.checker.List(dir, []string{filepath.Dir(dir)}, nil)
	if err != nil {
		return
	}
	if c, err := tree.Load(); err == nil {
		found, undecided := s.Finder.Find(c)
		s.add(c, found, undecided)
	}
}
