package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Everything that lists or changes the folder goes through these methods, so that a
// test can let any of them fail (Options.Fault). They take names as an os.Root does.

func (s *Store) create(name string) (*os.File, error) {
	if err := s.fail("create", name); err != nil {
		return nil, err
	}
	return s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
}

func (s *Store) rename(from, to string) error {
	if err := s.fail("rename", to); err != nil {
		return err
	}
	return s.root.Rename(from, to)
}

func (s *Store) remove(name string) error {
	if err := s.fail("remove", name); err != nil {
		return err
	}
	return s.root.Remove(name)
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

func (s *Store) link(from, to string) error {
	if err := s.fail("link", to); err != nil {
		return err
	}
	return s.root.Link(from, to)
}

// mkdirAll makes a directory and those above it. A link on the way is an error.
func (s *Store) mkdirAll(name string) error {
	if err := s.fail("mkdir", name); err != nil {
		return err
	}
	if err := s.root.MkdirAll(name, 0o755); err != nil {
		return err
	}
	fi, err := s.lstat(name)
	if err == nil && !fi.IsDir() {
		err = &fs.PathError{Op: "mkdir", Path: name, Err: ErrNotRegular}
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

// syncFile brings an open file, or directory, to disk and closes it.
func (s *Store) syncFile(file *os.File) error {
	err := s.fail("sync", file.Name())
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncDir makes renames in the folder durable.
func (s *Store) syncDir() error {
	d, err := s.root.Open(".")
	if err != nil {
		return err
	}
	if err := s.syncFile(d); err != nil {
		return fmt.Errorf("bringing the folder to disk: %w", err)
	}
	return nil
}
