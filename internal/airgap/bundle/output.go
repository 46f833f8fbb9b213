package bundle

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"chartserve/internal/wholefile"
)

// An Output's directory, .NAME.unfinished beside the file NAME, has a lock in it that
// ends with its process.
const (
	unfinished = ".unfinished"
	lockName   = ".lock"
)

// Output writes a bundle to one file, or cuts it into parts: PATH.001, PATH.002
// and so on, with their checksums in PATH.sha256, which sha256sum -c reads. None
// of them has its name before Commit.
type Output struct {
	path  string
	split int64
	dir   string // where the files are until Commit
	lock  *flock.Flock
	parts []string
	sums  []string

	file *os.File
	buf  *bufio.Writer
	hash hash.Hash
	left int64 // of this part; without parts it is of no account
}

// NewOutput makes an Output for path; split is the size of a part in bytes, zero
// for one file. What Outputs of killed processes have left beside path is removed.
// Call Commit or Abort in the end.
func NewOutput(path string, split int64) (*Output, error) {
	if split < 0 {
		return nil, fmt.Errorf("parts of %d bytes can't be", split)
	}
	parent, name := filepath.Split(path)
	o := &Output{path: path, split: split, dir: filepath.Join(parent, "."+name+unfinished)}
	err := sweep(filepath.Dir(path))
	if err == nil {
		err = o.makeDir()
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("%s can't be written: another process writes it, or something else is at %s (wait for it, or remove that)", path, o.dir)
	case err != nil:
		return nil, fmt.Errorf("%s can't be written: %w (name a file in a directory that is there and writable)", path, err)
	}
	if err := o.next(); err != nil {
		o.Abort()
		return nil, err
	}
	return o, nil
}

// makeDir makes the directory and locks it. A sweep may have come between the two: then
// it is made again.
func (o *Output) makeDir() error {
	const tries = 50
	for try := 0; ; try++ {
		err := os.Mkdir(o.dir, 0o755)
		if err == nil {
			var ok bool
			if o.lock, ok, err = lockDir(o.dir); ok || err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil // what can't be locked nobody sweeps
			}
		}
		if try == tries || err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(err, fs.ErrExist)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// lockDir reports whether this process has the lock of an Output's directory now.
func lockDir(dir string) (*flock.Flock, bool, error) {
	lock := flock.New(filepath.Join(dir, lockName))
	if ok, err := lock.TryLock(); !ok {
		return lock, false, err
	}
	// The file that is locked may be that of a directory that is gone.
	mine, err := lock.Stat()
	now, err2 := os.Stat(lock.Path())
	if err != nil || err2 != nil || !os.SameFile(mine, now) {
		return lock, false, lock.Close()
	}
	return lock, true, nil
}

// sweep removes the directories of Outputs whose processes have ended.
func sweep(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := filepath.Join(parent, e.Name())
		if !e.IsDir() || e.Name()[0] != '.' || !strings.HasSuffix(dir, unfinished) {
			continue
		}
		if !exists(filepath.Join(dir, lockName)) {
			_ = os.Remove(dir) // which takes an empty one: there was no lock yet, or no more
			continue
		}
		lock, ok, err := lockDir(dir)
		if err != nil || !ok {
			continue // another user's, or at work
		}
		removeDir(dir)
		_ = lock.Close()
	}
	return nil
}

// removeDir removes the directory of an Output, its lock last: if this is interrupted,
// the next sweep goes on. Where it fails, the directory stays.
func removeDir(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != lockName {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	_ = os.RemoveAll(dir)
}

// Dir is a directory beside the path, for what else is needed until Commit or Abort,
// which remove it.
func (o *Output) Dir() string { return o.dir }

// next begins a part.
func (o *Output) next() error {
	name := filepath.Base(o.path)
	if o.split > 0 {
		if len(o.parts) == maxParts-1 {
			return fmt.Errorf("%s gets more than %d parts (raise --split)", o.path, len(o.parts))
		}
		name = partName(name, len(o.parts)+1)
	}
	f, err := os.OpenFile(filepath.Join(o.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	o.parts = append(o.parts, name)
	o.file, o.left, o.hash = f, o.split, sha256.New()
	o.buf = bufio.NewWriterSize(f, 256<<10)
	return nil
}

// endPart brings a part to disk.
func (o *Output) endPart() error {
	o.sums = append(o.sums, hex.EncodeToString(o.hash.Sum(nil)))
	err := errors.Join(o.buf.Flush(), o.file.Sync(), o.file.Close())
	o.file = nil
	return err
}

func (o *Output) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		now := b
		if o.split > 0 {
			if o.left == 0 {
				if err := errors.Join(o.endPart(), o.next()); err != nil {
					return written, err
				}
			}
			now = b[:min(int64(len(b)), o.left)]
			o.left -= int64(len(now))
			o.hash.Write(now)
		}
		n, err := o.buf.Write(now)
		written += n
		if err != nil {
			return written, err
		}
		b = b[n:]
	}
	return written, nil
}

// Commit renames the files to their names, in place of an earlier bundle's, the
// list of checksums last. On an error what is there does not pass for whole.
func (o *Output) Commit() error {
	defer o.Abort()
	if err := o.endPart(); err != nil {
		return err
	}
	files := o.parts
	if o.split > 0 {
		sums := filepath.Base(o.path) + sumsExt
		if err := wholefile.Write(filepath.Join(o.dir, sums), encodeSums(filepath.Base(o.path), o.sums)); err != nil {
			return err
		}
		if err := o.removeOld(); err != nil {
			return err
		}
		files = append(files, sums)
	}
	to := filepath.Dir(o.path)
	for _, name := range files {
		if err := os.Rename(filepath.Join(o.dir, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	d, err := os.Open(to)
	if err != nil {
		return err
	}
	return wholefile.SyncDir(d)
}

// removeOld takes away the parts of an earlier bundle of that name, which would
// mix with these; their list first, so that what is left does not pass for whole.
func (o *Output) removeOld() error {
	if err := os.Remove(o.path + sumsExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(filepath.Dir(o.path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		stem, _, ok := splitPart(e.Name())
		if !ok || stem != filepath.Base(o.path) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(o.path), e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Files are the paths that Commit makes.
func (o *Output) Files() []string {
	var paths []string
	for _, name := range o.parts {
		paths = append(paths, filepath.Join(filepath.Dir(o.path), name))
	}
	if o.split > 0 {
		paths = append(paths, o.path+sumsExt)
	}
	return paths
}

// Abort removes what was written. After Commit it does nothing.
func (o *Output) Abort() {
	if o.file != nil {
		o.file.Close() // it is removed
		o.file = nil
	}
	removeDir(o.dir)
	_ = o.lock.Close()
}
