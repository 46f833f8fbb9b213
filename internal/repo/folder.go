package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/gofrs/flock"
)

// DefaultFolder is the repository folder where none is named.
const DefaultFolder = ".chartserve"

// Names in the repository folder that are not archives. They begin with a dot,
// and nothing that does is ever served.
const (
	lockName   = ".lock"
	stateName  = ".state"
	tempPrefix = ".tmp-"
	indexName  = "index.yaml"
)

// folder is the repository folder: where archives and index.yaml stand.
type folder struct {
	path string // absolute
	root *os.Root
	lock *flock.Flock // nil for who only reads
	// swept says that what an interrupted chartserve left has been removed.
	swept bool
	// fault, in tests, says whether an operation fails, and with what.
	fault func(op, name string) error

	leftMu sync.Mutex
	left   []string // see leave
}

// openFolder makes the folder where it is missing, and takes its lock.
func openFolder(path string) (*folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(abs, filepath.Base(path) == DefaultFolder); err != nil {
		return nil, fmt.Errorf("repository folder %q: %w", path, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(abs, lockName))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("repository folder %q: %w (it must be writable; --repo-path names another)", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("repository folder %q: %w (stop that one, or name another folder with --repo-path)", path, ErrLocked)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &folder{path: abs, root: root, lock: lock}, nil
}

// makeFolder creates the folder; one with the default name keeps itself out of
// version control, because it stands in the midst of people's work. It may be there
// already, with nothing but a delivery in it.
func makeFolder(path string, ignored bool) error {
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		return errors.New("is a file, not a directory (--repo-path names the folder for archives and index.yaml)")
	}
	if _, err := os.Stat(filepath.Join(path, lockName)); err == nil {
		return nil // a chartserve was here before
	}
	err := os.MkdirAll(path, 0o755)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w (part of its path is a file: name another folder with --repo-path)", err)
	case err != nil:
		return fmt.Errorf("%w (make its parent writable, or name another folder with --repo-path)", err)
	}
	if !ignored {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(path, ".gitignore"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("*\n")
	return errors.Join(err, f.Close())
}

// sweep removes one of the folder's hidden files if a killed chartserve has left it.
// The first listing of the folder finds them; later ones may see our own.
func (f *folder) sweep(name string) {
	if f.lock != nil && !f.swept && strings.HasPrefix(name, tempPrefix) {
		_ = f.RemoveAll(name) // where that fails nothing can be written either
	}
}

// replaced reports whether the path no longer leads to the folder that is open,
// because someone removed it or put another in its place.
func (f *folder) replaced() bool {
	now, err := os.Stat(f.path)
	if err != nil {
		return true
	}
	open, err := f.root.Stat(".")
	return err != nil || !os.SameFile(now, open)
}

func (f *folder) close() error {
	f.tidy()
	return errors.Join(f.root.Close(), f.lock.Close())
}
