package layout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/go-digest"
)

// OpenBlob opens a blob of a name, which may be a manifest. The error is fs.ErrNotExist if
// there is none, and ErrDigest if d is no digest that a blob can have. What was opened is not
// collected in the next hour.
func (l *Layout) OpenBlob(name string, d digest.Digest) (*os.File, error) {
	file, err := blobOf(name, d)
	if err != nil {
		return nil, err
	}
	l.sweep.RLock()
	defer l.sweep.RUnlock()
	l.condemned.spare(file)
	return l.files.Open(file)
}

// Mount gives a name the blob that another one has, without a second copy of it. It reports
// whether that has it.
func (l *Layout) Mount(name, from string, d digest.Digest) (bool, error) {
	source, err := blobOf(from, d)
	if err != nil {
		return false, err
	}
	temp, err := l.stageLink(source)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer l.discard(temp)
	return true, l.adopt(name, d, temp, false)
}

// Link gives a name a blob that is a file of the repository folder, such as an archive, and
// makes it the same file. The error is ErrDigest if the file has another content.
func (l *Layout) Link(name string, d digest.Digest, file string) error {
	target, err := blobOf(name, d)
	if err != nil {
		return err
	}
	fi, err := l.files.Stat(file)
	if err != nil {
		return err
	}
	if l.has(target, fi.Size()) {
		if have, err := l.files.Stat(target); err == nil && os.SameFile(have, fi) {
			return l.settle(path.Dir(target))
		}
	}
	temp, err := l.stageLink(file)
	if err != nil {
		return err
	}
	defer l.discard(temp)
	if err := l.verify(temp, d); err != nil {
		return err
	}
	return l.adopt(name, d, temp, true)
}

// Write gives a name a small blob. The error is ErrDigest if d is another content's.
func (l *Layout) Write(name string, d digest.Digest, data []byte) error {
	target, err := blobOf(name, d)
	if err != nil {
		return err
	}
	if got := d.Algorithm().FromBytes(data); got != d {
		return fmt.Errorf("%w: it is %s, not %s", ErrDigest, got, d)
	}
	if l.has(target, int64(len(data))) {
		return l.settle(path.Dir(target))
	}
	temp, err := l.stage(data)
	if err != nil {
		return err
	}
	defer l.discard(temp)
	return l.adopt(name, d, temp, false)
}

// DropBlob takes a blob away from a name, at once; other names keep it. The error is
// fs.ErrNotExist if the name has no such blob, or has a manifest of that digest (see Drop).
func (l *Layout) DropBlob(name string, d digest.Digest) error {
	target, err := blobOf(name, d)
	if err != nil {
		return err
	}
	c, err := l.Content(name)
	if err != nil {
		return err
	}
	if c.Digest(d) != nil {
		return &fs.PathError{Op: "remove", Path: target, Err: fs.ErrNotExist}
	}
	if _, err := l.files.Stat(target); err != nil {
		return err
	}
	if _, err := l.removeBlob(target, func() bool { return true }); err != nil {
		return err
	}
	return l.settle(path.Dir(target))
}

// removeBlob removes the file of a blob if it may, which is asked while nothing is linked or
// looked up. A disk takes its time to free a large file: nobody waits for that.
func (l *Layout) removeBlob(file string, may func() bool) (removed bool, err error) {
	temp, err := l.newTemp()
	if err != nil {
		return false, err
	}
	l.sweep.Lock()
	if removed = may(); removed {
		err = l.files.Rename(file, temp)
		l.condemned.spare(file)
	}
	l.sweep.Unlock()
	if removed && err == nil {
		l.discard(temp)
	}
	return removed, err
}

// has reports whether a blob is there; it is not collected in the next hour then.
func (l *Layout) has(file string, size int64) bool {
	l.sweep.RLock()
	defer l.sweep.RUnlock()
	return l.hasHeld(file, size)
}

func (l *Layout) hasHeld(file string, size int64) bool {
	fi, err := l.files.Stat(file)
	l.condemned.spare(file)
	return err == nil && fi.Size() == size
}

// adopt gives a file, whose content has that digest and is on disk, its name as a blob of a
// name, durably. A blob that is there already, or that another name has, is not stored
// again, unless the file is to replace it. The file may have its old name still.
func (l *Layout) adopt(name string, d digest.Digest, file string, replace bool) error {
	target, err := blobOf(name, d)
	if err != nil {
		return err
	}
	if err := l.place(file, target, blobIn(pool, d), replace); err != nil {
		return err
	}
	return l.settle(path.Dir(target))
}

func (l *Layout) place(file, target, shared string, replace bool) error {
	fi, err := l.files.Stat(file)
	if err != nil {
		return err
	}
	l.sweep.RLock()
	defer l.sweep.RUnlock()
	if !replace && l.hasHeld(target, fi.Size()) {
		return nil
	}
	for _, dir := range []string{path.Dir(target), path.Dir(shared)} {
		if err := l.files.MkdirAll(dir); err != nil {
			return err
		}
	}
	l.condemned.spare(target)
	if have, err := l.files.Stat(shared); !replace && err == nil && have.Size() == fi.Size() && l.files.Link(shared, target) == nil {
		return nil
	}
	if err := l.files.Rename(file, target); err != nil {
		return err
	}
	if replace {
		_ = l.files.Remove(shared)
	}
	_ = l.files.Link(target, shared) // where it fails the next one has a copy
	return nil
}

// stageLink links a regular file under a new name, or copies it where that can't be.
func (l *Layout) stageLink(file string) (temp string, err error) {
	if _, err := l.files.Stat(file); err != nil {
		return "", err
	}
	if temp, err = l.newTemp(); err != nil {
		return "", err
	}
	err = l.files.Link(file, temp)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return temp, err
	}
	from, err := l.files.Open(file)
	if err != nil {
		return "", err
	}
	defer from.Close()
	if err := l.write(temp, from); err != nil {
		l.discard(temp)
		return "", err
	}
	return temp, nil
}

// verify is ErrDigest if the content of a file has not that digest.
func (l *Layout) verify(file string, d digest.Digest) error {
	f, err := l.files.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return verifyOpen(f, d)
}

func verifyOpen(f io.Reader, d digest.Digest) error {
	v := d.Verifier()
	if _, err := io.Copy(v, f); err != nil {
		return err
	}
	if !v.Verified() {
		return fmt.Errorf("%w: %s", ErrDigest, d)
	}
	return nil
}
