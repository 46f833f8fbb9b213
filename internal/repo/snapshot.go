package repo

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/store"
)

// Snapshot is everything that a request needs, ready encoded. It is immutable;
// a new state of the repository is a new Snapshot.
type Snapshot struct {
	// Index is nil until the first complete index.
	Index *index.Encoded
	// Page is the HTML list of the repository, PageETag its quoted validator.
	Page     index.Text
	PageETag string
	// Status is the JSON form of a Status.
	Status []byte

	files    fileTable
	replaced store.Replaced
	reader   store.Reader
}

// File is one file that the repository serves.
type File struct {
	// Name is the URL path below the repository's root, unescaped, such as
	// "nova-1.0.0+a.tgz".
	Name string
	// Size is in bytes; ModTime is the file's own, as a fileid.Stamp holds it.
	Size    int64
	ModTime time.Time
	// ETag is quoted and strong: the SHA-256 of the content.
	ETag string
	// Archive is true for chart archives, false for provenance and other files.
	Archive bool
	// Immutable says that Name will never mean other bytes.
	Immutable bool
	// Path is relative to the repository folder.
	Path string
}

// NewSnapshot makes a Snapshot of files below root without a Repository, for
// whoever serves a folder that does not change, and for tests. The exported
// fields are the caller's to set before the Snapshot is shared.
func NewSnapshot(root *os.Root, files ...*File) *Snapshot {
	s := &Snapshot{reader: store.NewReader(root)}
	for _, f := range files {
		s.files.put(f)
	}
	return s
}

// Lookup finds the file that is served under name, a path below the
// repository's root, unescaped and without a leading slash.
func (s *Snapshot) Lookup(name string) (*File, bool) {
	if digest, base, ok := store.SplitAddress(name); ok {
		return s.byDigest(name, digest, base)
	}
	return s.files.get(name)
}

// Open opens f for reading. The error is fs.ErrNotExist when the file is gone
// or is no longer the one that was listed, so that a client never gets bytes
// under the wrong ETag. One that was replaced is found at its content address
// for as long as it is kept, also while the pass that replaced it goes on.
func (s *Snapshot) Open(f *File) (*os.File, error) {
	file, err := s.open(f, f.Path)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if archive, ok := s.files.get(strings.TrimSuffix(f.Path, ".prov")); ok {
		return s.open(f, store.Address(strings.Trim(archive.ETag, `"`), f.Path))
	}
	return nil, err
}

func (s *Snapshot) open(f *File, path string) (*os.File, error) {
	file, err := s.reader.Open(path)
	if errors.Is(err, store.ErrNotRegular) {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	fi, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	if fi.Size() != f.Size || !fileid.StampOf(fi).Time().Equal(f.ModTime) {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return file, nil
}

// Pages renders what a browser sees.
type Pages interface {
	// Rows renders one chart's part of the list, newest version first; it is called
	// from several goroutines. The result is kept until the chart's versions change.
	Rows(name string, versions []*index.Entry) []byte
	// Frame renders what stands before and behind the rows of all charts.
	Frame(failures []Failure, info PageInfo) (head, tail []byte)
}

// PageInfo is what the page's head says.
type PageInfo struct {
	Charts, Archives int
	Generated        time.Time
}
