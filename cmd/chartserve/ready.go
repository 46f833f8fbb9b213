package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"chartserve/internal/wholefile"
)

// readyFile tells scripts that the repository is served, and where: it holds the
// base URL and a newline. An empty path is no file.
type readyFile struct {
	path string
}

// clear removes what an earlier run, killed perhaps, has left, so that nobody
// takes that for this run's; and it finds out early that there is no place for
// the file.
func (f readyFile) clear() error {
	if f.path == "" {
		return nil
	}
	if fi, err := os.Stat(filepath.Dir(f.path)); err != nil || !fi.IsDir() {
		return fmt.Errorf("ready file %s: %s is not a directory (create it, or correct --ready-file)", f.path, filepath.Dir(f.path))
	}
	if fi, err := os.Stat(f.path); err == nil && !fi.Mode().IsRegular() {
		return fmt.Errorf("ready file %s: there is something that is not a file (correct --ready-file)", f.path)
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ready file: %w (name a file that may be written with --ready-file)", err)
	}
	return nil
}

// write makes the file appear whole.
func (f readyFile) write(baseURL string) error {
	if f.path == "" {
		return nil
	}
	if err := wholefile.Write(f.path, []byte(baseURL+"\n")); err != nil {
		return fmt.Errorf("ready file: %w (name a file that may be written with --ready-file)", err)
	}
	return nil
}

// remove takes the file away, unless another chartserve has written it since.
func (f readyFile) remove(baseURL string) {
	if f.path == "" {
		return
	}
	if data, err := os.ReadFile(f.path); err == nil && string(data) == baseURL+"\n" {
		os.Remove(f.path)
	}
}
