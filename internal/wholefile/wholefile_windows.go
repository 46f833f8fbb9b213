package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Create begins a file of path. Its folder's access list says who may read it.
func Create(path string) (File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return nil, err
	}
	return &pending{File: f, path: path}, nil
}

func createForAll(path string) (File, error) { return Create(path) }

type pending struct {
	*os.File
	path string
	done bool // it has its name, or is removed
}

// CloseAtomicallyReplace is of MoveFileEx's making: it fails while someone has the
// earlier file open without sharing its deletion.
func (p *pending) CloseAtomicallyReplace() error {
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		return err
	}
	err := os.Rename(p.Name(), p.path)
	p.done = err == nil
	return err
}

func (p *pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.done = true
	_ = p.Close() // it may be closed already
	return os.Remove(p.Name())
}
