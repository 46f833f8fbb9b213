package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chartserve/internal/wholefile"
)

// Disk changes the files below a directory, and reads them as a Reader does. Everything that
// changes a repository folder goes through it, so that a test can let any of it fail
// (Options.Fault). The methods may be called from any goroutine.
type Disk struct{ Reader }

// NewDisk returns a Disk of the files below root. fault is Options.Fault; nil: nothing fails.
func NewDisk(root *os.Root, fault func(op, name string) error) Disk {
	return Disk{Reader{root, fault}}
}

// Create makes a file, to write and read it. The error is fs.ErrExist if there is one.
func (d Disk) Create(name string) (*os.File, error) {
	if err := d.fail("create", name); err != nil {
		return nil, err
	}
	return d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
}

// OpenFile is Open, to write with the flag of os.OpenFile too.
func (d Disk) OpenFile(name string, flag int) (*os.File, error) { return d.open(name, flag) }

// Writer writes to an open file.
func (d Disk) Writer(f *os.File) io.Writer { return diskWriter{d, f} }

type diskWriter struct {
	disk Disk
	file *os.File
}

func (w diskWriter) Write(b []byte) (int, error) {
	if err := w.disk.fail("write", w.file.Name()); err != nil {
		return 0, err
	}
	return w.file.Write(b)
}

// Rename is os.Rename.
func (d Disk) Rename(from, to string) error {
	if err := d.fail("rename", to); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

// Remove is os.Remove.
func (d Disk) Remove(name string) error {
	if err := d.fail("remove", name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// Link is os.Link.
func (d Disk) Link(from, to string) error {
	if err := d.fail("link", to); err != nil {
		return err
	}
	return d.root.Link(from, to)
}

// MkdirAll makes a directory and those above it. A link on the way is an error.
func (d Disk) MkdirAll(name string) error {
	if fi, err := d.lstat(name); err == nil && fi.IsDir() {
		return nil
	}
	if err := d.fail("mkdir", name); err != nil {
		return err
	}
	if err := d.root.MkdirAll(name, 0o755); err != nil {
		return err
	}
	fi, err := d.lstat(name)
	if err == nil && !fi.IsDir() {
		err = &fs.PathError{Op: "mkdir", Path: name, Err: ErrNotRegular}
	}
	return err
}

// SyncFile brings an open file to disk and closes it.
func (d Disk) SyncFile(file *os.File) error {
	err := d.fail("sync", file.Name())
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// SyncDir makes the names in a directory durable.
func (d Disk) SyncDir(name string) error {
	dir, err := d.root.Open(name)
	if err != nil {
		return err
	}
	if err = d.fail("sync", dir.Name()); err != nil {
		err = errors.Join(err, dir.Close())
	} else {
		err = wholefile.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("bringing %s to disk: %w", filepath.Clean(dir.Name()), err)
	}
	return nil
}

// removeAll removes a file or a directory. Where it fails Tidy tries again.
func (s *Store) removeAll(name string) error {
	err := s.fail("remove", name)
	if err == nil {
		err = s.root.RemoveAll(name)
	}
	if err != nil {
		s.leave(name)
	}
	return err
}

func (s *Store) chtimes(name string, at time.Time) error {
	if err := s.fail("chtimes", name); err != nil {
		return err
	}
	return s.root.Chtimes(name, at, at)
}

// readDir is os.ReadDir of the directory that has that name now: a folder that was
// removed while it is open would be an empty one, and not an error.
func (s *Store) readDir(dir string) ([]fs.DirEntry, error) {
	if err := s.fail("list", dir); err != nil {
		return nil, err
	}
	return os.ReadDir(filepath.Join(s.path, dir))
}
