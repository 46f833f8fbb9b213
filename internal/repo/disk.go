package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// All that lists or changes the repository folder goes through these, so that a test
// can let any of it fail, in the way that folder.fault says. They take names as an
// os.Root does.

func (f *folder) fail(op, name string) error {
	if f.fault == nil {
		return nil
	}
	return f.fault(op, name)
}

func (f *folder) create(name string) (*os.File, error) {
	if err := f.fail("create", name); err != nil {
		return nil, err
	}
	return f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// Rename gives a file or directory another name; with OpenRoot and RemoveAll it is
// what package store needs.
func (f *folder) Rename(from, to string) error {
	if err := f.fail("rename", to); err != nil {
		return err
	}
	return f.root.Rename(from, to)
}

func (f *folder) RemoveAll(name string) error {
	err := f.fail("remove", name)
	if err == nil {
		err = f.root.RemoveAll(name)
	}
	if err != nil {
		f.leave(name)
	}
	return err
}

func (f *folder) OpenRoot(name string) (*os.Root, error) { return f.root.OpenRoot(name) }

// list is os.ReadDir of the directory that has that name now. Its order is mostly
// that in which files came, and so the one in which a disk reads them best.
func (f *folder) list(dir string) ([]fs.DirEntry, error) {
	if err := f.fail("list", dir); err != nil {
		return nil, err
	}
	return os.ReadDir(filepath.Join(f.path, dir))
}

func (f *folder) remove(name string) error {
	if err := f.fail("remove", name); err != nil {
		return err
	}
	return f.root.Remove(name)
}

func (f *folder) link(from, to string) error {
	if err := f.fail("link", to); err != nil {
		return err
	}
	return f.root.Link(from, to)
}

func (f *folder) mkdirAll(name string) error {
	if err := f.fail("mkdir", name); err != nil {
		return err
	}
	return f.root.MkdirAll(name, 0o755)
}

func (f *folder) chtimes(name string, at time.Time) error {
	if err := f.fail("chtimes", name); err != nil {
		return err
	}
	return f.root.Chtimes(name, at, at)
}

// syncFile brings an open file, or directory, to disk and closes it.
func (f *folder) syncFile(file *os.File) error {
	err := f.fail("sync", file.Name())
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncDir makes renames in the folder durable.
func (f *folder) syncDir() error {
	d, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return f.syncFile(d)
}

// discard removes a temporary file.
func (f *folder) discard(name string) {
	if err := f.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.leave(name)
	}
}

// leave notes a temporary file, or directory, that could not be removed, for tidy.
func (f *folder) leave(name string) {
	f.leftMu.Lock()
	defer f.leftMu.Unlock()
	f.left = append(f.left, name)
}

// tidy removes what could not be removed before.
func (f *folder) tidy() {
	f.leftMu.Lock()
	left := f.left
	f.left = nil
	f.leftMu.Unlock()
	for _, name := range left {
		_ = f.RemoveAll(name)
	}
}
