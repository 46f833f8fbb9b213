package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"chartserve/internal/roots"
)

// sources are the SOURCEs of the command line and what the last scan found of them.
type sources struct {
	patterns, exclude []string
	// output is Options.Output, with the repository folder, which is never a source.
	output func(path string) bool

	list []source
	// dirs confine what links lead to: anywhere in any of them.
	dirs  []string
	files *roots.Roots // of dirs
	// links are on the way to what was found, or missing there: when one of them changes
	// everything may be elsewhere.
	links map[string]bool
	// failures are of the last scan.
	failures []Failure
	// incomplete says that something could not be looked at, so that what was not found
	// is not known to be gone.
	incomplete bool
}

// shown is how messages name a directory outside the SOURCEs: as those are named, from
// the working directory or from the root.
func (s *sources) shown(dir string) string {
	if slices.ContainsFunc(s.patterns, filepath.IsAbs) {
		return dir
	}
	wd, err := os.Getwd()
	if err != nil {
		return dir
	}
	if rel, err := filepath.Rel(wd, dir); err == nil {
		return rel
	}
	return dir
}

// scan walks all SOURCEs. onDir is told of each directory before it is listed, and of
// those where links on the way may change, or something may come. ignored returns which
// directories a chart leaves out.
func (s *sources) scan(short *shortage, onDir func(string), ignored func(string) []string) (charts, archives map[string]place) {
	sc := newScanner(s, short, onDir, ignored)
	s.links, s.failures, s.incomplete = map[string]bool{}, nil, false
	s.expand(sc.unexpanded, sc.onLink, onDir)
	for i, x := range s.list {
		sc.add(i, x)
	}
	return sc.charts, sc.archives
}

// expand finds what the patterns of the command line mean now.
func (s *sources) expand(fail func(pattern string, err error), onLink, onDir func(string)) {
	s.list, s.dirs = nil, nil
	for _, pattern := range s.patterns {
		found, bases, err := expandSources([]string{pattern})
		if err != nil {
			fail(pattern, err)
			followLinks(pattern, onLink)
		}
		for _, b := range bases {
			onDir(b)
		}
		for _, x := range found {
			x.pattern = pattern
			followLinks(x.name, onLink)
			s.list = append(s.list, x)
			if !slices.Contains(s.dirs, x.root) {
				s.dirs = append(s.dirs, x.root)
			}
		}
	}
	s.close()
	s.files = roots.New(s.dirs...)
	for i, x := range s.list {
		if s.files.Of(x.path) == "" {
			s.list[i].err = roots.Outside(x.path)
		}
	}
}

func (s *sources) close() {
	if s.files != nil {
		s.files.Close()
	}
}

// rootOf is the root of the SOURCE that dir lies in; empty where it lies in none.
func (s *sources) rootOf(dir string) string { return s.files.Of(dir) }

// rootsFor are where links of the chart in dir may lead: into any SOURCE, or into the
// chart itself.
func (s *sources) rootsFor(dir string) []string {
	if s.rootOf(dir) != "" {
		return s.dirs
	}
	return append(slices.Clip(s.dirs), dir)
}

// followLinks tells of the links on the way to path, and of what is missing there.
func followLinks(path string, onLink func(string)) {
	if abs, err := filepath.Abs(path); err == nil {
		_, _ = roots.Follow(abs, onLink) // who opens it sees the error
	}
}

// display is how a path is shown to its user.
func (s *sources) display(path string) string {
	for _, x := range s.list {
		if x.err == nil && within(x.path, path) {
			return x.display(path)
		}
	}
	return path
}

// source is one place that is searched for charts and archives.
type source struct {
	// name is the path as the user gave it, or as the glob found it; pattern is what the
	// user gave.
	name, pattern string
	// path is absolute with links resolved: a directory, or an archive that a glob
	// matched.
	path string
	// root confines what a glob found: path, or the directory before the first wildcard.
	root string
	// err is why what a glob found is not looked at.
	err error
}

// expandSources turns directories and globs into sources, in path order for each
// glob, and tells which directories must be watched for new matches.
func expandSources(patterns []string) (found []source, bases []string, err error) {
	for _, p := range patterns {
		fi, err := os.Stat(p)
		switch {
		case err == nil && !fi.IsDir():
			return nil, nil, fmt.Errorf("source %q is a file: name the directory that holds it, or quote the glob that found it", p)
		case err == nil:
			s, err := newSource(p, p)
			if err != nil {
				return nil, nil, err
			}
			found = append(found, s)
			bases = append(bases, filepath.Dir(s.path))
		case isGlob(p):
			matches, base, err := expandGlob(p)
			if err != nil {
				return nil, nil, err
			}
			found = append(found, matches...)
			bases = append(bases, base)
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil, fmt.Errorf("source %q does not exist: create it, or name another directory", p)
		default:
			return nil, nil, fmt.Errorf("source %q: %w", p, err)
		}
	}
	return found, bases, nil
}

// expandGlob finds the directories and archives that pattern matches.
func expandGlob(pattern string) ([]source, string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, "", badOption("source %q: %w (close the bracket, or write \\[ for a name with one)", pattern, err)
	}
	base := globBase(pattern)
	if fi, err := os.Stat(base); err != nil || !fi.IsDir() {
		return nil, "", fmt.Errorf("source %q: there is no directory %q: create it, or mend the glob", pattern, base)
	}
	matches, err := glob(pattern)
	if err != nil {
		return nil, "", fmt.Errorf("source %q: %w", pattern, err)
	}
	realBase, err := realPath(base)
	if err != nil {
		return nil, "", fmt.Errorf("source %q: %w", pattern, err)
	}
	var found []source
	for _, m := range matches {
		fi, err := os.Stat(m)
		if err != nil && !isGone(err) {
			return nil, "", fmt.Errorf("source %q: %w", pattern, err)
		}
		if err != nil || isHidden(filepath.Base(m)) || !fi.IsDir() && !isArchiveName(m) {
			continue
		}
		s, err := newSource(m, base)
		if err != nil {
			return nil, "", err
		}
		found = append(found, s)
	}
	return found, realBase, nil
}

// glob is filepath.Glob, but for what it can't read: that is an error, and not nothing.
func glob(pattern string) (matches []string, err error) {
	dir, last := filepath.Dir(pattern), filepath.Base(pattern)
	dirs := []string{dir}
	if isGlob(dir) {
		if dirs, err = glob(dir); err != nil {
			return nil, err
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !isGone(err) {
			return nil, err
		}
		for _, e := range entries {
			if ok, _ := filepath.Match(last, e.Name()); ok {
				matches = append(matches, filepath.Join(dir, e.Name()))
			}
		}
	}
	return matches, nil
}

// isGone reports whether err says that there is no such file. Other errors of the system
// say nothing of what is there.
func isGone(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err != nil // filepath.EvalSymlinks has one of its own for loops
	}
	return errno == syscall.ENOENT || errno == syscall.ENOTDIR || errno == syscall.ELOOP
}

func newSource(name, root string) (source, error) {
	path, err := realPath(name)
	if err != nil {
		return source{}, fmt.Errorf("source %q: %w", name, err)
	}
	root, err = realPath(root)
	if err != nil {
		return source{}, fmt.Errorf("source %q: %w", name, err)
	}
	return source{name: filepath.Clean(name), path: path, root: root}, nil
}

// display is how a path below the source is shown to its user.
func (s source) display(path string) string {
	rel, err := filepath.Rel(s.path, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return path
	}
	return filepath.Join(s.name, rel)
}

// realPath is the absolute path with links resolved.
func realPath(p string) (string, error) {
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

func isGlob(p string) bool { return strings.ContainsAny(p, "*?[") }

// globBase is the directory before the first path component with a wildcard.
func globBase(pattern string) string {
	dir := pattern
	for isGlob(dir) {
		dir = filepath.Dir(dir)
	}
	return dir
}

func isHidden(base string) bool      { return strings.HasPrefix(base, ".") }
func isArchiveName(path string) bool { return strings.HasSuffix(path, ".tgz") }

func within(dir, path string) bool { return roots.Within(dir, path) }
