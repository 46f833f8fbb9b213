package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/index"
)

// Delivery is a delivery that waits to be taken in.
type Delivery struct {
	// Entries are those of the archives that it brings, and of those that are
	// expected to be there.
	Entries []*index.Entry

	folder Folder
	files  []string
}

// maxIndex bounds the index of a delivery, in bytes.
const maxIndex = 1 << 30

// Waiting reports whether a delivery in the repository folder was not taken in yet.
func Waiting(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, incoming))
	return err == nil
}

// Folder is a repository folder. Names are as an os.Root takes them, which is one.
type Folder interface {
	OpenRoot(name string) (*os.Root, error)
	Rename(from, to string) error
	RemoveAll(name string) error
}

// Receive gives the delivery in a repository folder; nil: there is none.
func Receive(folder Folder) (*Delivery, error) {
	dir, err := folder.OpenRoot(incoming)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", incoming, err)
	}
	defer dir.Close()
	d := &Delivery{folder: folder}
	names, err := list(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", incoming, err)
	}
	// Provenance first: an archive that is there has its own beside it.
	for _, suffix := range []string{".tgz.prov", ".tgz"} {
		for _, name := range names {
			if strings.HasSuffix(name, suffix) && name[0] != '.' {
				d.files = append(d.files, name)
			}
		}
	}
	if slices.Contains(names, indexName) {
		if d.Entries, err = readIndex(dir); err != nil {
			return nil, fmt.Errorf("%s: %w (remove that directory, and deliver again)", path.Join(incoming, indexName), err)
		}
	}
	return d, nil
}

func readIndex(dir *os.Root) ([]*index.Entry, error) {
	fi, err := dir.Stat(indexName)
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxIndex {
		return nil, fmt.Errorf("larger than %d bytes", maxIndex)
	}
	data, err := dir.ReadFile(indexName)
	if err != nil {
		return nil, err
	}
	f, err := index.Decode(data)
	if err != nil {
		return nil, err
	}
	return f.Entries, nil
}

// Files are the names of the files that it brings: archives, and provenance before
// them. Those that were taken before an interruption are not among them.
func (d *Delivery) Files() []string { return d.files }

// Take moves one of the Files to the top of the repository folder, in place of
// what has its name there.
func (d *Delivery) Take(name string) error {
	return d.folder.Rename(path.Join(incoming, name), name)
}

// Done removes the delivery, once its files are taken and the repository's own
// index has its creation times.
func (d *Delivery) Done() error {
	// Out of the way first: what comes next may be delivered while this is removed.
	if err := d.folder.Rename(incoming, doneName); err != nil {
		return err
	}
	return d.folder.RemoveAll(doneName)
}
