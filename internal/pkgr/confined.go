package pkgr

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"chartserve/internal/fileid"
	"chartserve/internal/roots"
)

// errChanged means that a file is no longer the one that was listed.
var errChanged = errors.New("changed while it was read")

// readDir lists a directory in the order of names, byte by byte.
func readDir(in *roots.Roots, path string) ([]fs.DirEntry, error) {
	f, err := in.OpenListed(path + "/.")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// readListed fills buf, which has the listed size, from the file that was listed
// as want. The error is errChanged when it is another file by now, or
// was written to meanwhile: it is looked at again after reading.
func readListed(in *roots.Roots, path string, want fileid.Exact, buf []byte) error {
	f, err := in.OpenListed(path)
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
