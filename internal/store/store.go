package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// DefaultFolder is the repository folder where none is named.
const DefaultFolder = ".chartserve"

// IndexName is the name of the index in the folder.
const IndexName = "index.yaml"

// Names in the folder that are not served.
const (
	lockName   = ".lock"
	stateName  = ".state"
	tempPrefix = ".tmp-"
)

// ErrLocked is returned for a folder that another process owns.
var ErrLocked = errors.New("the repository folder is in use by another chartserve")

// Options say how a folder is kept. The zero value works.
type Options struct {
	// KeepReplaced is how long an archive that was replaced or removed can still be
	// had under its digest; zero: not at all.
	KeepReplaced time.Duration
	// Now is the clock by which KeepReplaced is reckoned; nil: time.Now.
	Now func() time.Time
	// Apart reports whether a directory in the folder, by its name relative to that, with
	// slashes, is another repository's, or holds others': List passes it over. nil: none is.
	Apart func(dir string) bool
	// Logger takes warnings; nil discards them.
	Logger *slog.Logger
	// Fault is for tests. It is asked before each operation on the folder, from any
	// goroutine; where it returns an error, the operation fails with it and nothing is
	// done. The operations are create, write, sync, rename, remove, link, mkdir,
	// chtimes, list, stat and open. nil: nothing fails.
	Fault func(op, name string) error
}

// Store is a repository folder that is open.
type Store struct {
	Reader
	disk Disk     // has Reader too
	path string   // absolute, without links
	name string   // the path as it was opened
	lock *dirLock // nil for who only reads
	opts Options

	temp     string          // begins the names of this Store's staged files
	temps    atomic.Uint64   // keeps them apart
	swept    bool            // files that a killed owner had staged have been removed
	pages    map[string]bool // files and directories of a Site that List passes over: see setPages
	replaced Replaced        // see LoadReplaced
	loaded   bool            // replaced has been loaded

	leftMu sync.Mutex
	left   []string // files and directories that Tidy has to remove

	// lastIndex is the index.yaml that a Commit has replaced, open, until Tidy closes it: its
	// room on the disk is given back then. That takes milliseconds where an index has
	// megabytes, and would be part of the rename.
	lastIndex *os.File
}

// Open opens the repository folder at path and locks it until Close. It makes the
// folder where it is missing; one that has the DefaultFolder's name gets a .gitignore
// of its own then.
//
// The error is ErrLocked if another process owns the folder, or a sentence that names
// the folder and what to do: the path is a file, a link by the DefaultFolder's name,
// or not writable.
func Open(path string, o Options) (*Store, error) {
	abs, root, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(abs, root)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("repository folder %q: %w", path, err), root.Close())
	}
	if lock == nil {
		return nil, errors.Join(fmt.Errorf("repository folder %q: %w (stop that one, or name another folder with --repo-path)", path, ErrLocked), root.Close())
	}
	s := newStore(abs, root, o)
	s.name, s.lock = filepath.Clean(path), lock
	return s, nil
}

// Reopen is Open for the folder that has taken the place of s, which has Moved.
func (s *Store) Reopen() (*Store, error) {
	next, err := Open(s.path, s.opts)
	if err == nil {
		next.name = s.name
	}
	return next, err
}

// OpenReadOnly opens the folder at path to list and read it. It takes no lock, and
// makes and removes nothing. The folder must be there.
func OpenReadOnly(path string, o Options) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	s := newStore(abs, root, o)
	s.name = filepath.Clean(path)
	return s, nil
}

func newStore(abs string, root *os.Root, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	// A process id is not enough: in a container each run has the same.
	temp := fmt.Sprintf("%s%d-%x-", tempPrefix, os.Getpid(), time.Now().UnixNano())
	disk := NewDisk(root, o.Fault)
	return &Store{Reader: disk.Reader, disk: disk, path: abs, opts: o, temp: temp}
}

// Path is the folder's absolute path, without links.
func (s *Store) Path() string { return s.path }

// Name is the folder's path as it was opened: what messages call it.
func (s *Store) Name() string { return s.name }

// Moved reports whether Path no longer leads to the folder that is open, because
// someone removed it or put another in its place. The open one is of no use then:
// Close it and Open the path again.
func (s *Store) Moved() bool {
	now, err := os.Stat(s.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	}
	open, err := s.root.Stat(".")
	return err != nil || !os.SameFile(now, open)
}

// Close removes what Tidy would and unlocks the folder. Files that were opened
// through a Reader stay open; the Reader opens no more.
func (s *Store) Close() error {
	s.Tidy()
	err := s.root.Close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// discard removes a staged file, or leaves it to Tidy.
func (s *Store) discard(name string) {
	if err := s.disk.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.leave(name)
	}
}

func (s *Store) leave(name string) {
	s.leftMu.Lock()
	defer s.leftMu.Unlock()
	s.left = append(s.left, name)
}

// Tidy removes staged files that could not be removed when they were discarded, and gives
// back the room of a replaced index. The owner calls it at the end of each change, also of
// one that failed, when nobody waits for the change any more.
func (s *Store) Tidy() {
	s.closeLastIndex()
	s.leftMu.Lock()
	left := s.left
	s.left = nil
	s.leftMu.Unlock()
	for _, name := range left {
		_ = s.removeAll(name) // leaves it once more where that fails
	}
}

func (s *Store) closeLastIndex() {
	if s.lastIndex != nil {
		_ = s.lastIndex.Close() // it was only read
		s.lastIndex = nil
	}
}

// sweep removes a staged file of a process that was killed. The first listing of the
// folder finds them.
func (s *Store) sweep(name string) {
	if s.lock != nil && !s.swept && strings.HasPrefix(name, tempPrefix) && !strings.HasPrefix(name, s.temp) {
		_ = s.removeAll(name) // where that fails nothing can be written either
	}
}
