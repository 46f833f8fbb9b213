package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Names of deliveries in the folder.
const (
	stagingPrefix = ".staging-"
	incoming      = ".incoming"
	doneName      = tempPrefix + "delivered"
)

// Errors of a Delivery, for errors.Is.
var (
	// ErrBusy is returned for a delivery that another process puts together.
	ErrBusy = errors.New("another chartserve is putting the same together")
	// ErrWaiting is returned while an earlier delivery was not taken in.
	ErrWaiting = errors.New("a delivery before this one waits to be taken in")
)

// Delivery is a directory in the repository folder, .staging-NAME, in which a process
// that does not own the folder puts archives together. It outlives the process, so that
// the next one by that name goes on where the last was interrupted. Send renames it to
// .incoming, which is one step: the owner of the folder, now or later, sees all of the
// delivery or nothing. One delivery waits at a time.
//
// The methods may be called from any goroutine, but for Send and Close, which come last.
type Delivery struct {
	folder, dir *Store // the repository folder, which is not locked, and the directory
	name        string // of the directory
}

// OpenDelivery opens the delivery of that name in the repository folder at path, makes
// both where they are missing, and locks the delivery (ErrBusy). Files that an earlier
// process kept are in it; what that left unfinished is removed. The folder itself is not
// locked: its owner may run.
func OpenDelivery(path, name string) (*Delivery, error) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("store: %q is no name for a delivery", name)
	}
	abs, root, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	d := &Delivery{folder: newStore(abs, root, Options{}), name: stagingPrefix + name}
	if err := d.open(filepath.Join(abs, d.name)); err != nil {
		return nil, errors.Join(fmt.Errorf("repository folder %q: %w", path, err), root.Close())
	}
	return d, nil
}

// open opens and locks the delivery's directory, which is at path.
func (d *Delivery) open(path string) error {
	if err := d.folder.root.Mkdir(d.name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w (it must be writable; --repo-path names another)", err)
	}
	root, err := d.folder.openDir(d.name)
	if err != nil {
		return err
	}
	d.dir = newStore(path, root, Options{})
	d.dir.lock, err = lockDir(path, root)
	if err == nil && d.dir.lock == nil {
		err = fmt.Errorf("%w (wait for it, or stop it)", ErrBusy)
	}
	if err == nil {
		_, err = d.dir.List(".", func(string) {}) // removes what is unfinished
	}
	if err != nil {
		return errors.Join(err, d.dir.Close())
	}
	return nil
}

// Root is the delivery's directory, to list it and to read the files that were kept.
func (d *Delivery) Root() *os.Root { return d.dir.root }

// Create makes a file. Its content is written to File; then Keep gives it its name, or
// Discard removes it.
func (d *Delivery) Create() (*Staged, error) { return d.dir.newStaged() }

// Remove takes a file out of the delivery; one that is not there is no error.
func (d *Delivery) Remove(name string) error {
	if err := d.dir.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close unlocks the delivery. The files in it stay for the next OpenDelivery, unless they
// were sent; an empty one is removed.
func (d *Delivery) Close() error {
	if all, err := d.dir.ReadDir("."); err == nil && len(all) == 1 && all[0].Name() == lockName {
		// Whoever opens it meanwhile has a lock of its own, and the directory stays.
		_ = d.dir.disk.Remove(lockName)
		_ = d.folder.disk.Remove(d.name)
	}
	return errors.Join(d.dir.Close(), d.folder.Close())
}

// Send hands the archives of the entries over, with their provenance. Entries without an
// archive in the delivery are fine: theirs is in the folder already. Files that no entry
// names are removed first. The entries' creation times go along, and become those of the
// folder's index.
//
// When Send returns nil all of it is on disk, and will be taken in. The error is
// ErrWaiting if an earlier delivery is in the way; this one stays as it is then.
func (d *Delivery) Send(entries []*index.Entry) error {
	err := d.send(entries)
	if errors.Is(err, ErrWaiting) {
		err = fmt.Errorf("%w (chartserve build --repo-path takes it in, as does a server on the folder)", err)
	}
	if err != nil {
		return fmt.Errorf("repository folder %q: %w", d.folder.path, err)
	}
	return nil
}

func (d *Delivery) send(entries []*index.Entry) error {
	if Waiting(d.folder.path) {
		return ErrWaiting
	}
	if err := d.drop(entries); err != nil {
		return err
	}
	if _, err := d.dir.WriteFile(IndexName, func(w io.Writer) error { return writeIndex(w, entries) }); err != nil {
		return err
	}
	if err := d.dir.disk.SyncDir("."); err != nil {
		return err
	}
	// A directory replaces none but an empty one, which a delivery never is.
	switch err := d.folder.disk.Rename(d.name, incoming); {
	case errors.Is(err, fs.ErrExist):
		return ErrWaiting
	case err != nil:
		return err
	}
	return d.folder.disk.SyncDir(".")
}

// Waiting reports whether a delivery waits to be taken in by the owner of the
// repository folder at path.
func Waiting(path string) bool {
	_, err := os.Lstat(filepath.Join(path, incoming))
	return err == nil
}

// drop removes files that no entry names.
func (d *Delivery) drop(entries []*index.Entry) error {
	wanted := map[string]bool{lockName: true}
	for _, e := range entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		wanted[md.ArchiveName()], wanted[md.ArchiveName()+provExt] = true, true
	}
	all, err := d.dir.ReadDir(".")
	if err != nil {
		return err
	}
	for _, fi := range all {
		if !wanted[fi.Name()] {
			if err := d.dir.removeAll(fi.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeIndex writes the entries as an index.
func writeIndex(w io.Writer, entries []*index.Entry) error {
	_, err := index.Encode(index.JSON, time.Time{}, entries).JSON.Data.WriteTo(w)
	return err
}
