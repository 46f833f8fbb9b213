package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

// openFolder opens the repository folder at path, and makes it where it is missing.
// It returns the folder's absolute path without links.
func openFolder(path string) (string, *os.Root, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	if err := makeFolder(abs, filepath.Base(abs) == DefaultFolder); err != nil {
		return "", nil, fmt.Errorf("repository folder %q: %w", path, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return "", nil, fmt.Errorf("repository folder %q: %w", path, err)
	}
	return abs, root, nil
}

// makeFolder creates the folder. One with the default name keeps itself out of
// version control, because it stands in the midst of people's work. It may be there
// already, with nothing but a delivery in it.
func makeFolder(path string, byDefault bool) error {
	fi, err := os.Lstat(path)
	if err == nil && byDefault && fi.Mode()&fs.ModeSymlink != 0 {
		return errors.New("is a link, which a checkout may have brought along (remove it; or name its target with --repo-path, if that is the folder you want)")
	}
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		return errors.New("is a file, not a directory (--repo-path names the folder for archives and index.yaml)")
	}
	if _, err := os.Lstat(filepath.Join(path, lockName)); err == nil {
		return nil // a chartserve was here before
	}
	err = os.MkdirAll(path, 0o755)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w (part of its path is a file: name another folder with --repo-path)", err)
	case err != nil:
		return fmt.Errorf("%w (make its parent writable, or name another folder with --repo-path)", err)
	}
	if !byDefault {
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

// dirLock is the lock of a directory: of the file .lock in it, which network file
// systems and other hosts understand, and of the directory itself, which holds also
// when someone removes that file. Both end with the process.
type dirLock struct{ file, dir *flock.Flock }

// lockDir locks the directory that root has open at path; nil: another process has
// the lock.
func lockDir(path string, root *os.Root) (*dirLock, error) {
	fi, err := root.Lstat(lockName)
	if err == nil && !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file (remove it)", lockName)
	}
	l := &dirLock{flock.New(filepath.Join(path, lockName)), flock.New(path, flock.SetFlag(os.O_RDONLY))}
	ok, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%w (it must be writable; --repo-path names another)", err)
	}
	if !ok {
		return nil, nil
	}
	if ok, err = l.dir.TryLock(); err == nil && !ok {
		return nil, l.Close()
	}
	// Not every file system locks directories: the file has to do there.
	if !l.holds(root) {
		return nil, errors.Join(errors.New("was replaced while it was opened (try again)"), l.Close())
	}
	return l, nil
}

// holds reports whether what is locked is the directory of root, and its own file:
// between two looks at a path there may be a link in its place.
func (l *dirLock) holds(root *os.Root) bool {
	locked, err := l.file.Stat()
	if err != nil {
		return false
	}
	now, err := root.Lstat(lockName)
	return err == nil && os.SameFile(locked, now)
}

func (l *dirLock) Close() error { return errors.Join(l.dir.Close(), l.file.Close()) }
