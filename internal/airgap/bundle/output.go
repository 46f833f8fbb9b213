package bundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Output writes a bundle to one file, or cuts it into parts: PATH.001, PATH.002
// and so on, with their checksums in PATH.sha256, which sha256sum -c reads. None
// of them has its name before Commit.
type Output struct {
	path  string
	split int64
	dir   string // where the parts are until Commit
	parts []string
	sums  []string

	file *os.File
	buf  *bufio.Writer
	hash hash.Hash
	left int64 // of this part
}

// NewOutput makes an Output for path; split is the size of a part in bytes, zero
// for one file. Call Commit or Abort in the end.
func NewOutput(path string, split int64) (*Output, error) {
	if split < 0 {
		return nil, fmt.Errorf("parts of %d bytes can't be", split)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".unfinished-")
	if err != nil {
		return nil, fmt.Errorf("%s can't be written: %w (name a file in a directory that is there and writable)", path, err)
	}
	o := &Output{path: path, split: split, dir: dir}
	if err := o.next(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return o, nil
}

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
	if o.split > 0 {
		o.sums = append(o.sums, hex.EncodeToString(o.hash.Sum(nil)))
	}
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
	to := filepath.Dir(o.path)
	if o.split > 0 {
		if err := o.removeOld(); err != nil {
			return err
		}
	}
	for _, name := range o.parts {
		if err := os.Rename(filepath.Join(o.dir, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	if o.split > 0 {
		sums := encodeSums(filepath.Base(o.path), o.sums)
		if err := renameio.WriteFile(o.path+sumsExt, sums, 0o644); err != nil {
			return err
		}
	}
	d, err := os.Open(to)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
	_ = os.RemoveAll(o.dir) // hidden, and no bundle
}
