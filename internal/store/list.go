package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Found is a file that List found, or a directory that can't be listed.
type Found struct {
	// Name is relative to the folder, with slashes. A file may be of any kind:
	// Reader.Stat knows.
	Name string
	// Err is why the directory of that name can't be listed, or nil: nothing is known
	// of what is below it.
	Err error
}

// List finds the files in dir and below it: "." is the whole folder. It leaves out
// names that begin with a dot, what is under by-digest, what Options.Apart names, and a
// Site. Names of one directory are sorted. onDir is called with the absolute
// path of each directory before that is listed, so that its watcher misses nothing.
//
// The error is that the folder itself can't be listed. Another dir that is gone is
// empty. The first List of the folder removes what a killed owner had staged.
func (s *Store) List(dir string, onDir func(path string)) ([]Found, error) {
	if dir == "." && s.pages == nil {
		if l, err := s.readSite(); err == nil { // else pages are files like others
			s.setPages(l.files)
		}
	}
	files := s.walk(nil, dir, onDir)
	if dir == "." {
		if len(files) == 1 && files[0].Name == "." {
			return nil, files[0].Err
		}
		s.swept = true
	}
	return files, nil
}

func (s *Store) walk(files []Found, dir string, onDir func(string)) []Found {
	onDir(filepath.Join(s.path, dir))
	entries, err := s.readDir(dir)
	if dir != "." && errors.Is(err, fs.ErrNotExist) {
		return files
	}
	if err != nil {
		return append(files, Found{Name: dir, Err: err})
	}
	files = slices.Grow(files, len(entries))
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."):
			if dir == "." {
				s.sweep(name)
			}
			continue
		case dir != ".":
			name = dir + "/" + name
		case name == digestFolder:
			continue
		}
		switch {
		case s.IsPage(name):
		case !e.IsDir():
			files = append(files, Found{Name: name})
		case !s.IsApart(name):
			files = s.walk(files, name, onDir)
		}
	}
	return files
}

// IsApart reports whether a directory is one that Options.Apart names.
func (s *Store) IsApart(dir string) bool { return s.opts.Apart != nil && s.opts.Apart(dir) }

// IsPage reports whether a file or a directory is one of a Site that List passes over.
func (s *Store) IsPage(name string) bool { return s.pages[name] }
