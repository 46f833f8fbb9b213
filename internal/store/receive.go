package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"chartserve/internal/index"
)

// Received is a delivery that waits to be taken in.
type Received struct {
	// Entries are those of the archives that it brings, and of those that are
	// expected to be in the folder already.
	Entries []*index.Entry

	store *Store
	files []string
}

// maxIndex bounds the index of a delivery, in bytes.
const maxIndex = 1 << 30

// Receive returns the delivery that waits in the folder; nil: there is none.
func (s *Store) Receive() (*Received, error) {
	all, err := s.ReadDir(incoming)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", incoming, err)
	}
	d := &Received{store: s}
	// Provenance first: an archive that is there has its own beside it.
	for _, suffix := range []string{".tgz" + provExt, ".tgz"} {
		for _, fi := range all {
			if name := fi.Name(); strings.HasSuffix(name, suffix) && name[0] != '.' {
				d.files = append(d.files, name)
			}
		}
	}
	if d.Entries, err = s.readIndex(path.Join(incoming, IndexName)); err != nil {
		return nil, fmt.Errorf("%s: %w (remove that directory, and deliver again)", path.Join(incoming, IndexName), err)
	}
	return d, nil
}

// readIndex returns the entries of an index; none where there is no such file.
func (s *Store) readIndex(name string) ([]*index.Entry, error) {
	data, err := s.ReadFile(name, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
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
func (d *Received) Files() []string { return d.files }

// Take moves the Files to the top of the folder, in place of what has their names
// there. current returns the archive that has a name, or nil; it is kept under its
// digest as a replaced one. When Take returns nil the files survive a power cut under
// their names. After an error, or when the process is killed, some have their names
// and the next Receive returns the rest.
//
// The archives are not in index.yaml yet: a Commit puts them there, then Done ends
// the delivery.
func (d *Received) Take(current func(name string) *Current) error {
	kept := make([]*Current, len(d.files))
	for i, name := range d.files {
		kept[i] = current(name)
	}
	if err := d.store.keep(kept); err != nil {
		return err
	}
	for _, name := range d.files {
		if err := d.store.disk.Rename(path.Join(incoming, name), name); err != nil {
			return err
		}
	}
	return d.store.disk.SyncDir(".")
}

// Done removes the delivery, once index.yaml has its archives and their creation
// times.
func (d *Received) Done() error {
	// Out of the way first: the next one may be delivered while this is removed.
	if err := d.store.disk.Rename(incoming, doneName); err != nil {
		return err
	}
	return d.store.removeAll(doneName)
}
