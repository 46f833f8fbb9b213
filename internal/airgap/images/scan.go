package images

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// Scan lists the images of charts in directories, archives and repository folders. It is
// run once.
type Scan struct {
	// Options are for the charts in directories, which are packaged. Archives have its Limits
	// and Jobs.
	Options repo.Options
	Finder  Finder
	// Exclude are globs of images to leave out.
	Exclude []string
	// List gets what is found.
	List List

	checker  *pkgr.Checker
	archives []archive
	folders  []*folder.Folder // that archives are opened in
	scratch  []string         // directories with archives that were made

	mu       sync.Mutex // of List and what follows
	failures []Failure
	charts   map[string]bool // the names of those that were read
	excluded map[string]bool // the globs that left something out
}

// Run looks at charts, directories of charts and archives, and at the repository folder
// repoPath unless it is empty. What can't be read is a failure and no error.
func (s *Scan) Run(ctx context.Context, paths []string, repoPath string) error {
	s.checker = pkgr.NewChecker(s.Options.Limits)
	defer func() {
		for _, dir := range s.folders {
			dir.Close()
		}
		for _, dir := range s.scratch {
			_ = os.RemoveAll(dir)
		}
	}()
	for _, path := range paths {
		if err := s.path(ctx, path); err != nil {
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

// Failures are the charts that could not be read or rendered in full, sorted.
func (s *Scan) Failures() []Failure {
	slices.SortFunc(s.failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Reason, b.Reason))
	})
	return s.failures
}

// Unused are the globs and values for images and charts that are not there. Messages name
// the flags of the command.
func (s *Scan) Unused() (list []Failure) {
	for _, glob := range s.Exclude {
		if !s.excluded[glob] {
			list = append(list, Failure{Chart: "--exclude-image " + glob, Reason: "no image is left out by it (it is compared with the whole name, as it is listed)"})
		}
	}
	for _, v := range s.Finder.Values {
		if v.Chart != "" && !s.charts[v.Chart] {
			list = append(list, Failure{Chart: "--values " + v.Chart + "=" + v.File, Reason: "there is no chart of that name here (name it as its Chart.yaml does)"})
		}
	}
	return list
}

// read lists the images of all archives, several at a time.
func (s *Scan) read(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(s.Options.Jobs, runtime.GOMAXPROCS(0)))
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
func (s *Scan) imagesOf(ctx context.Context, a archive) error {
	c, err := s.load(a)
	if err != nil {
		return err
	}
	for _, name := range Missing(c) {
		s.fail(a.shown, fmt.Errorf("the images of its dependency %s are missing: it is not in charts/ (helm dependency update and helm package make a whole archive)", name))
	}
	found, undecided, err := s.Finder.FindIn(ctx, c, a.path)
	s.add(c, found, undecided)
	return err
}

func (s *Scan) load(a archive) (*pkgr.Chart, error) {
	f, err := a.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := s.checker.ReadParts(f, Reads)
	return c, err
}

func (s *Scan) add(c *pkgr.Chart, found []Image, undecided []Undecided) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.charts == nil {
		s.charts, s.excluded = map[string]bool{}, map[string]bool{}
	}
	s.charts[c.Metadata.Name] = true
	left := func(matches func(glob string) bool) bool {
		i := slices.IndexFunc(s.Exclude, matches)
		if i >= 0 {
			s.excluded[s.Exclude[i]] = true
		}
		return i >= 0
	}
	s.List.Add(
		slices.DeleteFunc(found, func(i Image) bool { return left(i.Matches) }),
		slices.DeleteFunc(undecided, func(u Undecided) bool { return left(u.Matches) }),
	)
}

func (s *Scan) fail(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Chart: what, Reason: err.Error()})
}
