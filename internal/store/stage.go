package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Names of deliveries in the folder.
const (
	stagePrefix = ".staging-"
	incoming    = ".incoming"
	doneName    = tempPrefix + "delivered"
)

// Errors of a Stage, for errors.Is.
var (
	// ErrBusy is returned for a stage that another process has open.
	ErrBusy = errors.New("another chartserve is putting the same together")
	// ErrWaiting is returned while an earlier delivery was not taken in.
	ErrWaiting = errors.New("a delivery before this one waits to be taken in")
)

// Stage is a directory in the repository folder in which a process that does not own
// the folder puts a delivery together: .staging-NAME. It outlives the process, so that
// the next one by that name goes on where the last was interrupted. Deliver renames it
// to .incoming, which is one step: the owner of the folder, now or later, sees all of
// the delivery or nothing. There is one delivery at a time.
//
// The methods may be called from any goroutine, but for Deliver and Close, which come
// last.
type Stage struct {
	path   string // of the folder
	folder *os.Root
	name   string // of the stage's directory
	root   *os.Root
	lock   *dirLock
	temps  atomic.Uint64
}

// OpenStage opens the stage of that name in the repository folder at path, makes both
// where they are missing, and locks the stage (ErrBusy). Files that an earlier process
// kept are in it; what that left unfinished is removed. The folder itself is not
// locked: its owner may run.
func OpenStage(path, name string) (*Stage, error) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("store: %q is no name for a stage", name)
	}
	abs, folder, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	s := &Stage{path: path, folder: folder, name: stagePrefix + name}
	if err := s.open(filepath.Join(abs, s.name)); err != nil {
		return nil, errors.Join(fmt.Errorf("repository folder %q: %w", path, err), folder.Close())
	}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open opens and locks the stage's directory, which is at path.
func (s *Stage) open(path string) error {
	if err := s.folder.Mkdir(s.name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w (it must be writable; --repo-path names another)", err)
	}
	root, err := NewReader(s.folder).openDir(s.name)
	if err != nil {
		return err
	}
	s.lock, err = lockDir(path, root)
	if err == nil && s.lock == nil {
		err = fmt.Errorf("%w (wait for it, or stop it)", ErrBusy)
	}
	if err != nil {
		return errors.Join(err, root.Close())
	}
	s.root = root
	return nil
}

// sweep removes the unfinished files of an interrupted process.
func (s *Stage) sweep() error {
	all, err := names(s.root)
	if err != nil {
		return err
	}
	for _, name := range all {
		if strings.HasPrefix(name, tempPrefix) {
			if err := s.root.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Root is the stage's directory, to list it and to read the files that were kept.
func (s *Stage) Root() *os.Root { return s.root }

// Remove takes a file out of the stage; one that is not there is no error.
func (s *Stage) Remove(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close unlocks the stage. The files in it stay for the next OpenStage, unless they
// were delivered; an empty stage is removed.
func (s *Stage) Close() error {
	if all, err := names(s.root); err == nil && slices.Equal(all, []string{lockName}) {
		// Whoever opens the stage meanwhile has a lock of its own, and the directory
		// stays.
		_ = s.root.Remove(lockName)
		_ = s.folder.Remove(s.name)
	}
	return errors.Join(s.root.Close(), s.folder.Close(), s.lock.Close())
}

// Deliver hands the archives of the entries over, with their provenance. Entries
// without an archive in the stage are fine: theirs is in the folder already. Files
// that no entry names are removed first. The entries' creation times go along, and
// become those of the folder's index.
//
// When Deliver returns nil all of it is on disk, and will be taken in. The error is
// ErrWaiting if an earlier delivery is in the way; the stage stays as it is then.
func (s *Stage) Deliver(entries []*index.Entry) error {
	if _, err := s.folder.Lstat(incoming); err == nil {
		return fmt.Errorf("repository folder %q: %w (chartserve build --repo-path takes it in, as does a server on the folder)", s.path, ErrWaiting)
	}
	if err := s.drop(entries); err != nil {
		return err
	}
	if err := s.writeIndex(entries); err != nil {
		return err
	}
	if err := syncRoot(s.root); err != nil {
		return err
	}
	// A directory replaces none but an empty one, which a delivery never is.
	if err := s.folder.Rename(s.name, incoming); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = ErrWaiting
		}
		return fmt.Errorf("repository folder %q: %w", s.path, err)
	}
	return syncRoot(s.folder)
}

// Waiting reports whether a delivery waits to be taken in by the owner of the
// repository folder at path.
func Waiting(path string) bool {
	_, err := os.Lstat(filepath.Join(path, incoming))
	return err == nil
}

// drop removes files that no entry names.
func (s *Stage) drop(entries []*index.Entry) error {
	wanted := map[string]bool{lockName: true}
	for _, e := range entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		wanted[md.ArchiveName()], wanted[md.ArchiveName()+provExt] = true, true
	}
	all, err := names(s.root)
	if err != nil {
		return err
	}
	for _, name := range all {
		if !wanted[name] {
			if err := s.root.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeIndex writes the entries beside their archives.
func (s *Stage) writeIndex(entries []*index.Entry) error {
	byName := map[string][]*index.Entry{}
	for _, e := range entries {
		byName[e.Name] = append(byName[e.Name], e)
	}
	b := index.NewBuilder(index.JSON)
	for name, versions := range byName {
		b.Set(name, versions)
	}
	f, err := s.create(IndexName)
	if err != nil {
		return err
	}
	if _, err := b.EncodeIdentity().JSON.Data.WriteTo(f); err != nil {
		f.Discard()
		return err
	}
	return f.Keep()
}

// names returns the names in a directory, in no order.
func names(root *os.Root) ([]string, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// syncRoot makes the names in a directory durable.
func syncRoot(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
