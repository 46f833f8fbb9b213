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

	"github.com/gofrs/flock"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// Names in the repository folder and in a stage. All begin with a dot: nothing
// that does is served.
const (
	stagePrefix = ".staging-"
	incoming    = ".incoming"
	lockName    = ".lock"
	tempPrefix  = ".tmp-"
	doneName    = tempPrefix + "delivered" // a repository removes such files when it is opened
	indexName   = "index.yaml"
)

// Kinds of errors, for errors.Is.
var (
	// ErrBusy is a stage of the same name that another process is at.
	ErrBusy = errors.New("another chartserve is putting the same together")
	// ErrWaiting is a delivery that was not taken in yet.
	ErrWaiting = errors.New("a delivery before this one waits to be taken in")
)

// Stage is where a delivery is put together. Its methods are safe for concurrent
// use, but for Deliver and Close, which come last.
type Stage struct {
	folder, name string
	root         *os.Root
	lock         *flock.Flock
	temps        atomic.Uint64
}

// OpenStage makes the stage of that name in the repository folder, both where they are
// missing, and locks it (ErrBusy). What an interrupted run has left whole in it is
// there still; what it left unfinished is removed.
func OpenStage(folder, name string) (*Stage, error) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("store: %q is no name for a stage", name)
	}
	dir := filepath.Join(folder, stagePrefix+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("repository folder %q: %w (it must be writable; --repo-path names another)", folder, err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("repository folder %q: %w (it must be writable; --repo-path names another)", folder, err)
	}
	if !ok {
		return nil, fmt.Errorf("repository folder %q: %w (wait for it, or stop it)", folder, ErrBusy)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s := &Stage{folder: folder, name: name, root: root, lock: lock}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sweep removes the temporary files of an interrupted run.
func (s *Stage) sweep() error {
	names, err := list(s.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) {
			if err := s.root.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Root is the stage's directory, to list and to read what stands in it.
func (s *Stage) Root() *os.Root { return s.root }

// Remove takes a file out of the stage; one that is not there is no error.
func (s *Stage) Remove(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close lets go of the stage. What is in it stays for the next Open, unless it was
// delivered; an empty one is removed.
func (s *Stage) Close() error {
	if names, err := list(s.root); err == nil && slices.Equal(names, []string{lockName}) {
		// Whoever opens the stage meanwhile has a lock of its own, and the directory
		// stays.
		_ = s.root.Remove(lockName)
		_ = os.Remove(filepath.Join(s.folder, stagePrefix+s.name))
	}
	return errors.Join(s.root.Close(), s.lock.Close())
}

// Deliver hands the archives of the entries over, with their provenance. Entries
// without an archive in the stage are fine: theirs stands in the repository folder
// already. Files that no entry names are removed first. The entries' creation times
// go along, and become those of the repository's index.
//
// When Deliver returns nil all of it is on disk, and will be taken in. ErrWaiting
// is a delivery that stands in the way; the stage stays as it is then.
func (s *Stage) Deliver(entries []*index.Entry) error {
	if Waiting(s.folder) {
		return fmt.Errorf("repository folder %q: %w (chartserve build --repo-path takes it in, as does a server on the folder)", s.folder, ErrWaiting)
	}
	if err := s.drop(entries); err != nil {
		return err
	}
	if err := s.writeIndex(entries); err != nil {
		return err
	}
	if err := syncDir(s.root, "."); err != nil {
		return err
	}
	folder, err := os.OpenRoot(s.folder)
	if err != nil {
		return err
	}
	defer folder.Close()
	// A directory replaces none but an empty one, which a delivery never is.
	if err := folder.Rename(stagePrefix+s.name, incoming); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = ErrWaiting
		}
		return fmt.Errorf("repository folder %q: %w", s.folder, err)
	}
	return syncDir(folder, ".")
}

// drop removes what no entry names.
func (s *Stage) drop(entries []*index.Entry) error {
	wanted := map[string]bool{lockName: true}
	for _, e := range entries {
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		wanted[md.ArchiveName()], wanted[md.ArchiveName()+".prov"] = true, true
	}
	names, err := list(s.root)
	if err != nil {
		return err
	}
	for _, name := range names {
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
	f, err := s.create(indexName)
	if err != nil {
		return err
	}
	if _, err := b.EncodePlain().JSON.Data.WriteTo(f); err != nil {
		f.Discard()
		return err
	}
	return f.Keep()
}

// list is the names in a directory, in no order.
func list(root *os.Root) ([]string, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// syncDir makes the names in a directory durable.
func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
