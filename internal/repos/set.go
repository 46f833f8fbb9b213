package repos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/repo"
	"chartserve/internal/wholefile"
)

// DefaultMax is Options.Max where that is zero.
const DefaultMax = 100

// Options say which repositories there are. The zero value is the root one alone.
type Options struct {
	// Names are those of the repositories that the operator names.
	Names []string
	// Depth is how many segments other names have; zero: there are no others.
	Depth int
	// Make lets uploads make repositories, as long as there are fewer than Max; zero:
	// DefaultMax.
	Make bool
	Max  int
	// Reserved are words that no segment of a name may be.
	Reserved []string
	// Repository returns the options of a repository; the root one has the empty name.
	Repository func(name string) repo.Options
	// Opened is told of each repository once, when it is there; nil: nobody is.
	Opened func(name string, r *repo.Repository)
	// Logger takes what happens to repositories as a whole; nil discards.
	Logger *slog.Logger
}

// Set is the repositories of a server. Make one with Open, call Run once, and Close then.
// The other methods may be called from any goroutine, at any time.
type Set struct {
	opts  Options
	log   *slog.Logger
	dir   string // as it was given
	path  string // absolute, without links
	root  *repo.Repository
	ready chan struct{}
	named atomic.Pointer[map[string]*repo.Repository] // never changed, but replaced

	mu      sync.Mutex      // guards all below, and is held by who makes a repository
	ctx     context.Context // Run's; nil: no repository can be made
	running *errgroup.Group // of the repositories
	empty   *repo.View      // of those that nobody has made yet
}

// Open opens the repositories in the folder dir and below it, as repo.Open does, and makes
// folders that are missing. An error is about a name, or is one of repo.Open.
func Open(dir string, o Options) (*Set, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &Set{opts: o, log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), dir: dir, ready: make(chan struct{})}
	s.named.Store(&map[string]*repo.Repository{})
	root := o.Repository("")
	root.Apart = s.apart
	s.empty = repo.EmptyView(root, time.Now())
	var err error
	if s.root, err = repo.Open(dir, root); err != nil {
		return nil, err
	}
	if err := s.openAll(); err != nil {
		_ = s.Close() // nothing was done
		return nil, err
	}
	return s, nil
}

// openAll opens the named repositories.
func (s *Set) openAll() (err error) {
	if s.path, err = filepath.Abs(s.dir); err == nil {
		s.path, err = filepath.EvalSymlinks(s.path)
	}
	if err != nil {
		return err
	}
	s.opened("", s.root)
	for _, name := range append(slices.Clone(s.opts.Names), s.found()...) {
		r, err := s.open(name)
		if err != nil {
			return err
		}
		s.add(name, r)
	}
	return nil
}

// Check says what can't be meant; nil: all can.
func (o *Options) Check() error {
	if o.Depth < 0 || o.Depth > maxSegments {
		return fmt.Errorf("depth %d: write 0 to %d", o.Depth, maxSegments)
	}
	for i, name := range o.Names {
		if err := CheckName(name, o.Reserved...); err != nil {
			return fmt.Errorf("repository %q: %w", name, err)
		}
		for _, other := range o.Names[:i] {
			if nested(name, other) {
				return fmt.Errorf("repository %q: its folder is in that of repository %q, or that in its own (choose names of which none begins another)", name, other)
			}
		}
	}
	return nil
}

// apart reports whether a directory below the root repository's folder is none of its own.
// With a depth it has no directories.
func (s *Set) apart(dir string) bool { return s.opts.Depth > 0 || slices.Contains(s.opts.Names, dir) }

// found are the folders that are there and have names of Options.Depth segments.
func (s *Set) found() (names []string) {
	if s.opts.Depth == 0 {
		return nil
	}
	folder := os.DirFS(s.path)
	_ = fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case name == ".":
			return nil
		case err != nil || !d.IsDir():
			return nil
		case CheckName(name, s.opts.Reserved...) != nil:
			return fs.SkipDir
		case strings.Count(name, "/")+1 < s.opts.Depth:
			return nil
		case s.free(name):
			names = append(names, name)
		}
		return fs.SkipDir
	})
	return names
}

// free reports whether a repository of that name would be in the way of none.
func (s *Set) free(name string) bool {
	return !slices.ContainsFunc(append(s.Names(), s.opts.Names...), func(other string) bool { return nested(name, other) })
}

// open makes the folder of a repository, durably, and opens it.
func (s *Set) open(name string) (*repo.Repository, error) {
	if err := s.makeFolder(name); err != nil {
		return nil, fmt.Errorf("repository %q: %w", name, err)
	}
	o := s.opts.Repository(name)
	output := o.Output
	o.Output = func(path string) bool {
		return path == s.path || strings.HasPrefix(path, s.path+string(filepath.Separator)) || output != nil && output(path)
	}
	r, err := repo.Open(filepath.Join(s.dir, filepath.FromSlash(name)), o)
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", name, err)
	}
	return r, nil
}

func (s *Set) opened(name string, r *repo.Repository) {
	if s.opts.Opened != nil {
		s.opts.Opened(name, r)
	}
}

// makeFolder makes the folders of a name's segments, none of which may be a link.
func (s *Set) makeFolder(name string) error {
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, c := range name + "/" {
		if c != '/' {
			continue
		}
		dir := filepath.FromSlash(name[:i])
		if err := root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if fi, err := root.Lstat(dir); err != nil || !fi.IsDir() {
			return cmp.Or(err, fmt.Errorf("%s is there and is no directory (move it away)", filepath.Join(s.dir, dir)))
		}
		if err := syncDir(root, filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir has the names in a directory survive a power cut.
func syncDir(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	return wholefile.SyncDir(f)
}

// add enters a repository.
func (s *Set) add(name string, r *repo.Repository) {
	next := maps.Clone(*s.named.Load())
	next[name] = r
	s.named.Store(&next)
	s.opened(name, r)
}

// Root is the root repository.
func (s *Set) Root() *repo.Repository { return s.root }

// Names are those of the named repositories, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(*s.named.Load())) }

// Named returns the repository of that name; nil: there is none.
func (s *Set) Named(name string) *repo.Repository { return (*s.named.Load())[name] }

// Ready is closed once each repository that was opened by Open is.
func (s *Set) Ready() <-chan struct{} { return s.ready }

// Close closes all repositories, of which Run has ended.
func (s *Set) Close() error {
	errs := []error{s.root.Close()}
	for _, r := range *s.named.Load() {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
