package repo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/store"
)

// roots opens files of the SOURCEs that are published or read as they are: archives,
// their provenance, the Chart.yaml of a sibling. A file is opened below the root of
// its SOURCE, so that no link leads out of it, whenever the link came; without
// waiting for the other end of a pipe; and it must be a regular file once it is open.
//
// One goroutine changes it with replace; Open and Stat are safe for concurrent use
// between those calls. The zero value holds nothing.
type roots []openRoot

type openRoot struct {
	dir  string
	root *os.Root
}

// replace opens the roots of the sources, and closes those that were open before: a
// directory may have been replaced by another of its name. The error is a shortage of
// the moment; a root that can't be opened for another reason has no files.
func (rs *roots) replace(sources []source) (short error) {
	rs.close()
	seen := map[string]bool{}
	for _, s := range sources {
		if seen[s.root] || s.err != nil {
			continue
		}
		seen[s.root] = true
		root, err := os.OpenRoot(s.root)
		switch {
		case err == nil:
			*rs = append(*rs, openRoot{s.root, root})
		case store.Passing(err):
			short = err
		}
	}
	return short
}

func (rs *roots) close() {
	for _, r := range *rs {
		r.root.Close()
	}
	*rs = nil
}

// find is the first root that path lies below, and the rest of the way.
func (rs roots) find(path string) (*os.Root, string, error) {
	for _, r := range rs {
		if path != r.dir && within(r.dir, path) {
			return r.root, strings.TrimPrefix(path[len(r.dir):], "/"), nil
		}
	}
	return nil, "", &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// Stat is the file's description, of what a link leads to.
func (rs roots) Stat(path string) (fs.FileInfo, error) {
	root, rel, err := rs.find(path)
	if err != nil {
		return nil, err
	}
	fi, err := root.Stat(rel)
	if err == nil && !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return fi, rs.explain(path, err)
}

// Open opens the file for reading.
func (rs roots) Open(path string) (*os.File, error) {
	root, rel, err := rs.find(path)
	if err != nil {
		return nil, err
	}
	file, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, rs.explain(path, err)
	}
	fi, err := file.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// read returns the content of a file of at most limit bytes. The size that the
// system tells is not believed: files of /proc have none.
func (rs roots) read(path string, limit int64) ([]byte, error) {
	file, err := rs.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("larger than %d bytes", limit)}
	}
	return data, err
}

var errNotRegular = &chart.Error{Kind: chart.ErrFile, Reason: "not a regular file", Remedy: "remove it, or leave it out with --exclude"}

// explain says what is wrong where a link leads out of the SOURCE; os.Root has no
// error of its own for that.
func (rs roots) explain(path string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if target, failed := filepath.EvalSymlinks(path); failed == nil {
		if _, _, outside := rs.find(target); outside != nil {
			return linkOut(target)
		}
	}
	return err
}

// linkOut is the error of a link to target, which lies in no SOURCE.
func linkOut(target string) error {
	return &chart.Error{Kind: chart.ErrUnsafe, Reason: "link points out of the source",
		Value: target, Remedy: "name its target as a SOURCE of its own, or --exclude the link"}
}
