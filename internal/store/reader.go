package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"chartserve/internal/chart"
)

// ErrNotRegular is returned for a name that is no regular file: a link, a directory,
// a FIFO, a device, or a name below a link.
var ErrNotRegular = errors.New("not a regular file")

// Reader reads files below a directory: never outside of it, never through a link,
// regular files only, and without waiting for the other end of a FIFO. Names are
// relative, with slashes. The methods may be called from any goroutine.
type Reader struct {
	root  *os.Root
	fault func(op, name string) error
}

// NewReader returns a Reader of the files below root.
func NewReader(root *os.Root) Reader { return Reader{root: root} }

func (r Reader) fail(op, name string) error {
	if r.fault == nil {
		return nil
	}
	return r.fault(op, name)
}

// Stat describes a regular file. The error is fs.ErrNotExist if there is nothing by
// that name, ErrNotRegular if it is something else, or the system's.
func (r Reader) Stat(name string) (fs.FileInfo, error) {
	if err := r.fail("stat", name); err != nil {
		return nil, err
	}
	fi, err := r.lstat(name)
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "stat", Path: name, Err: ErrNotRegular}
	}
	return fi, err
}

// Open opens a regular file. The errors are those of Stat. Whoever replaces the file
// meanwhile, with a link or a FIFO too, gets an error or the file that was there.
func (r Reader) Open(name string) (*os.File, error) { return r.open(name, os.O_RDONLY) }

func (r Reader) open(name string, flag int) (*os.File, error) {
	before, err := r.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := r.fail("open", name); err != nil {
		return nil, err
	}
	f, err := r.root.OpenFile(name, flag|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && (!os.SameFile(before, fi) || !fi.Mode().IsRegular()) {
		// It was replaced in between: what is there now may be behind a link.
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadFile reads a regular file of at most limit bytes.
func (r Reader) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// ReadDir describes what is in a directory, in no order. It follows no link on the way
// there.
func (r Reader) ReadDir(name string) (all []fs.FileInfo, err error) {
	err = r.EachIn(name, func(fi fs.FileInfo) error {
		all = append(all, fi)
		return nil
	})
	return all, err
}

// EachIn is ReadDir for a directory that may hold any number of files. An error of do ends it.
func (r Reader) EachIn(name string, do func(fs.FileInfo) error) error {
	if err := r.fail("list", name); err != nil {
		return err
	}
	root, err := r.openDir(name)
	if err != nil {
		return err
	}
	defer root.Close()
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		some, err := dir.Readdir(512)
		for _, fi := range some {
			if err := do(fi); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lstat describes what has that name, and no link is followed on the way to it.
func (r Reader) lstat(name string) (fs.FileInfo, error) {
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		fi, err := r.root.Lstat(name[:i])
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			return nil, &fs.PathError{Op: "lstat", Path: name[:i], Err: ErrNotRegular}
		}
	}
	return r.root.Lstat(name)
}

// openDir opens a directory that no link leads to.
func (r Reader) openDir(name string) (*os.Root, error) {
	before, err := r.lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOTDIR}
	}
	dir, err := r.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	fi, err := dir.Stat(".")
	if err == nil && !os.SameFile(before, fi) {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}
