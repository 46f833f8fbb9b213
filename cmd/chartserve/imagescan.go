package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/airgap/images"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// imageScan finds the charts that images looks at, and collects what they name.
type imageScan struct {
	opts     repo.Options
	finder   images.Finder
	exclude  []string // globs of images to leave out
	checker  *pkgr.Checker
	archives []imageArchive
	folders  []*folder.Folder // that archives are opened in
	scratch  []string         // directories with archives that were made

	mu       sync.Mutex // of what follows
	list     images.List
	failures []images.Failure
	charts   map[string]bool // the names of those that were read
	excluded map[string]bool // the globs that left something out
}

// imageArchive is an archive to look at.
type imageArchive struct {
	path string
	// open opens it: within the folder that it belongs to, where there is one.
	open func() (*os.File, error)
	// shown is what a person knows it by.
	shown string
}

// named is an archive that the command line names, or that was made here.
func named(path, shown string) imageArchive {
	return imageArchive{path, func() (*os.File, error) { return folder.OpenFile(path) }, shown}
}

// run looks at charts, directories of charts and archives, and at the repository
// folder repoPath unless it is empty.
func (s *imageScan) run(ctx context.Context, args []string, repoPath string) error {
	s.checker = pkgr.NewChecker(s.opts.Limits)
	defer func() {
		for _, dir := range s.folders {
			dir.Close()
		}
		for _, dir := range s.scratch {
			_ = os.RemoveAll(dir)
		}
	}()
	for _, arg := range args {
		if err := s.argument(ctx, arg); err != nil {
			return err
		}
	}
	if repoPath != "" {
		if err := s.folder(ctx, repoPath, repoPath); err != nil {
			return err
		}
	}
	return s.read(ctx)
}

// unused returns what was given for charts and images that are not there.
func (s *imageScan) unused() (list []images.Failure) {
	for _, v := range s.finder.Values {
		if v.Chart != "" && !s.charts[v.Chart] {
			list = append(list, images.Failure{Chart: "--values " + v.Chart + "=" + v.File, Reason: "there is no chart of that name here (name it as its Chart.yaml does)"})
		}
	}
	for _, glob := range s.exclude {
		if !s.excluded[glob] {
			list = append(list, images.Failure{Chart: "--exclude-image " + glob, Reason: "no image is left out by it (it is compared with the whole name, as it is listed)"})
		}
	}
	return list
}

// argument adds the archives of what was named on the command line.
func (s *imageScan) argument(ctx context.Context, arg string) error {
	fi, err := os.Stat(arg)
	if err == nil && !fi.IsDir() {
		s.archives = append(s.archives, named(arg, arg))
		return nil
	}
	scratch, err := os.MkdirTemp("", "chartserve-images-")
	if err != nil {
		return fmt.Errorf("no directory for the archives of charts: %w (TMPDIR names a directory that is writable)", err)
	}
	s.scratch = append(s.scratch, scratch)
	if _, err := os.Stat(filepath.Join(arg, "Chart.yaml")); err == nil {
		return s.chart(ctx, arg, scratch)
	}
	return s.tree(ctx, arg, scratch)
}

// chart packages the chart in one directory.
func (s *imageScan) chart(ctx context.Context, dir, scratch string) error {
	paths, failures, err := repo.Package(ctx, []string{dir}, scratch, repo.PackageOptions{Options: s.opts})
	if err != nil {
		return err
	}
	for _, p := range paths {
		s.archives = append(s.archives, named(p, dir))
	}
	for _, bad := range failures {
		s.alone(bad)
	}
	return nil
}

// tree makes a repository of all charts below a directory, or a glob.
func (s *imageScan) tree(ctx context.Context, dir, scratch string) error {
	o := s.opts
	o.Sources = []string{dir}
	o.Logger = nil // it would speak of publishing
	r, err := repo.Open(scratch, o)
	if err != nil {
		return err
	}
	defer closeRepo(r, s.opts.Logger)
	if err := r.Build(ctx); err != nil {
		return err
	}
	st := r.Status()
	for _, w := range st.Warnings {
		s.opts.Logger.Warn(w.Message, "path", w.Path)
	}
	for _, bad := range st.Failures {
		s.alone(bad)
	}
	return s.folder(ctx, scratch, dir)
}

// folder adds the archives that the index of a repository folder names, or all
// that are there where it has none. shown stands for the folder in messages.
func (s *imageScan) folder(ctx context.Context, path, shown string) error {
	dir, err := folder.Open(path)
	if err != nil {
		return fmt.Errorf("repository folder %q: %w", shown, err)
	}
	s.folders = append(s.folders, dir)
	add := func(name, shown string) {
		s.archives = append(s.archives, imageArchive{dir.Path(name), func() (*os.File, error) { return dir.Open(name) }, shown})
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
func (s *imageScan) alone(bad repo.Failure) {
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
		found, undecided := s.finder.Find(c)
		s.add(c, found, undecided)
	}
}

// read lists the images of all archives, several at a time.
func (s *imageScan) read(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(s.opts.Jobs, runtime.GOMAXPROCS(0)))
	for _, a := range s.archives {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := s.imagesOf(ctx, a)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.fail(a.shown, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// imagesOf lists the images of one archive.
func (s *imageScan) imagesOf(ctx context.Context, a imageArchive) error {
	c, err := s.load(a)
	if err != nil {
		return err
	}
	for _, d := range c.Metadata.Dependencies {
		if sub, _ := folder.Vendored(c, d); sub == nil {
			s.fail(a.shown, fmt.Errorf("the images of its dependency %s are missing: it is not in charts/ (helm dependency update and helm package make a whole archive)", d.Name))
		}
	}
	found, undecided, err := s.finder.FindIn(ctx, c, a.path)
	s.add(c, found, undecided)
	return err
}

func (s *imageScan) load(a imageArchive) (*pkgr.Chart, error) {
	f, err := a.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := s.checker.ReadParts(f, images.Reads)
	return c, err
}

func (s *imageScan) add(c *pkgr.Chart, found []images.Image, undecided []images.Undecided) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.charts == nil {
		s.charts, s.excluded = map[string]bool{}, map[string]bool{}
	}
	s.charts[c.Metadata.Name] = true
	left := func(matches func(glob string) bool) bool {
		i := slices.IndexFunc(s.exclude, matches)
		if i >= 0 {
			s.excluded[s.exclude[i]] = true
		}
		return i >= 0
	}
	s.list.Add(
		slices.DeleteFunc(found, func(i images.Image) bool { return left(i.Matches) }),
		slices.DeleteFunc(undecided, func(u images.Undecided) bool { return left(u.Matches) }),
	)
}

func (s *imageScan) fail(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, images.Failure{Chart: what, Reason: err.Error()})
}

func (s *imageScan) sortedFailures() []images.Failure {
	slices.SortFunc(s.failures, func(a, b images.Failure) int {
		return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Reason, b.Reason))
	})
	return s.failures
}
