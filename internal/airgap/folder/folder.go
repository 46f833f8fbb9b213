// Package folder is the one view that the commands for sites without a network have
// of a folder of archives: it lists archives and provenance, finds the archive of an
// index entry, and reads the index within bounds.
//
// All of it goes through one os.Root: a link that leads out of the folder is refused,
// also one that appears between a check and its use. Files are opened without
// blocking and have to be regular once they are open, so that a FIFO or a device in
// the folder is an error and not an endless wait.
//
// The view writes nothing. How archives get into a repository folder is package
// store's, whether they are charts pkgr's.
package folder

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

const (
	// IndexName is the index of a repository folder.
	IndexName = "index.yaml"
	// ProvExt is appended to an archive's name to name its provenance.
	ProvExt = ".prov"
)

// ErrIrregular is a directory, a FIFO, a device or a socket in place of a file.
var ErrIrregular = errors.New("not a regular file")

// Folder is an open folder. A nil Folder is one that is not there: it holds nothing.
// It is safe for concurrent use.
type Folder struct {
	root *os.Root
	dir  string
}

// Open opens the folder dir. The error does not repeat dir.
func Open(dir string) (*Folder, error) {
	// The trailing "." has the system refuse a FIFO at once, where opening it would
	// wait for a writer.
	root, err := os.OpenRoot(dir + string(filepath.Separator) + ".")
	if err != nil {
		return nil, Bare(err)
	}
	return &Folder{root: root, dir: dir}, nil
}

// At is the view of a directory that is open already, such as a stage's. It needs no
// Close.
func At(root *os.Root) *Folder { return &Folder{root: root, dir: root.Name()} }

// Close closes the folder.
func (f *Folder) Close() {
	if f != nil {
		f.root.Close() // it was only read
	}
}

// Path returns the path of a file of the folder, for messages.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Has reports whether the folder has anything of that name.
func (f *Folder) Has(name string) bool {
	if f == nil {
		return false
	}
	_, err := f.root.Lstat(name)
	return err == nil
}

// Same reports whether two names lead to one file.
func (f *Folder) Same(a, b string) bool {
	x, err := f.root.Stat(a)
	y, err2 := f.root.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// Open opens a file to read; name is slash-separated. The error does not repeat name.
func (f *Folder) Open(name string) (*os.File, error) {
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return regular(f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

// OpenFile opens a file that the user has named by its path, which may be a link. The
// error does not repeat the path.
func OpenFile(path string) (*os.File, error) {
	return regular(os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

func regular(file *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, Bare(err)
	}
	fi, err := file.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = ErrIrregular
	}
	if err != nil {
		file.Close() // it was only opened
		return nil, Bare(err)
	}
	return file, nil
}

// Read reads a file of at most limit bytes. The error does not repeat name.
func (f *Folder) Read(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := chart.ReadAtMost(file, limit)
	return data, Bare(err)
}

// IndexData reads index.yaml as it stands.
func (f *Folder) IndexData() ([]byte, error) { return f.Read(IndexName, index.MaxJSON) }

// Index reads and decodes index.yaml.
func (f *Folder) Index() (*index.File, error) {
	data, err := f.IndexData()
	if err != nil {
		return nil, err
	}
	return index.Decode(data)
}

// Follow returns the name of the file that the URL of an entry leads a client of this
// folder to. The error is fs.ErrNotExist where nothing is there.
func (f *Folder) Follow(u *url.URL) (string, error) { return f.first(index.FolderPaths(u)) }

// Locate returns the name of the archive of an entry: where its URL leads, else under
// its usual name, as in a folder whose index has the URLs of a server. Whether it is
// the entry's chart, only the archive says. The error is fs.ErrNotExist where none is
// there.
func (f *Folder) Locate(e *index.Entry) (string, error) {
	md := chart.Metadata{Name: e.Name, Version: e.Version}
	if u, err := url.Parse(e.URL); err == nil {
		return f.first(append(index.FolderPaths(u), md.ArchiveName()))
	}
	return f.first([]string{md.ArchiveName()})
}

// first returns the first name that is there and no directory.
func (f *Folder) first(names []string) (string, error) {
	missing := fs.ErrNotExist
	for _, name := range names {
		fi, err := f.root.Lstat(name)
		switch {
		case err == nil && !fi.IsDir():
			return name, nil
		case err == nil: // a directory
		case errors.Is(err, syscall.ENOTDIR):
		case errors.Is(err, fs.ErrNotExist):
			missing = Bare(err)
		default:
			return "", Bare(err)
		}
	}
	return "", missing
}

// Bare is an error of the file system without the path, for messages that have it.
func Bare(err error) error {
	if pe := new(fs.PathError); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
