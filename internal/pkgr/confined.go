package pkgr

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"chartserve/internal/fileid"
)

// errChanged means that a file is no longer the one that was listed.
var errChanged = errors.New("changed while it was read")

// confined gives access to what lies below one directory, and to nothing else:
// os.Root refuses links that lead out, also those that appear between a check and
// its use. Paths are slash-separated and relative to that directory; "." is the
// directory itself. Nothing here blocks on a FIFO or a device.
type confined struct {
	dir string // absolute, without links
	*os.Root
}

func openConfined(dir string) (confined, error) {
	// The trailing "." has the system refuse anything but a directory at once,
	// where opening a FIFO of that name would wait for a writer.
	root, err := os.OpenRoot(dir + string(filepath.Separator) + ".")
	return confined{dir, root}, err
}

// abs is the absolute path of rel.
func (c confined) abs(rel string) string {
	return filepath.Join(c.dir, filepath.FromSlash(rel))
}

// readDir lists a directory in the order of names, byte by byte.
func (c confined) readDir(rel string) ([]fs.DirEntry, error) {
	f, err := openPlain(c.Root, rel+"/.")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// openPlain opens for reading without waiting for anything.
func openPlain(r *os.Root, name string) (*os.File, error) {
	return r.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// readListed fills buf, which has the listed size, from the file that was listed
// as want. The error is errChanged when it is another file by now, or
// was written to meanwhile: it is looked at again after reading.
func readListed(r *os.Root, name string, want fileid.Exact, buf []byte) error {
	f, err := openPlain(r, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return errChanged
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return readSame(f, want, buf)
}

// openFile is what readSame needs of an *os.File.
type openFile interface {
	io.Reader
	Stat() (fs.FileInfo, error)
}

func readSame(f openFile, want fileid.Exact, buf []byte) error {
	if err := sameFile(f, want); err != nil {
		return err
	}
	if _, err := io.ReadFull(f, buf); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return errChanged
		}
		return err
	}
	return sameFile(f, want)
}

func sameFile(f openFile, want fileid.Exact) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() || fileid.ExactOf(fi) != want {
		return errChanged
	}
	return nil
}

// join is path.Join for clean parts, without its work.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
