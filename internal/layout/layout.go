package layout

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartserve/internal/store"
)

// Bounds of what a Layout takes.
const (
	// MaxManifest bounds a manifest, in bytes: the distribution-spec asks for at least 4 MB.
	MaxManifest = 4<<20 + 64<<10
	// DefaultMaxBlob is Options.MaxBlob where that is zero.
	DefaultMaxBlob = 32 << 30
	// MaxTags bounds the tags of a name.
	MaxTags = 100_000
	// maxUploads bounds the uploads that go on.
	maxUploads = 1000
	// maxIndex bounds an index.json, in bytes.
	maxIndex = 128 << 20
	// maxKept bounds the entries of all index.json that are kept parsed, some 600 bytes each.
	// A name with the most tags does not displace the others: parsing it takes half a second.
	maxKept = MaxTags + 50_000
)

// What is wrong with a call, and not with the folder.
var (
	ErrName     = errors.New("not a name for content")
	ErrDigest   = errors.New("not the digest of the content")
	ErrNoUpload = errors.New("no such upload")
	ErrOrder    = errors.New("the upload is not at that byte")
	ErrTooLarge = errors.New("too large")
	ErrTooMany  = errors.New("too many")
)

// ErrBroken is an index.json that is none.
var ErrBroken = errors.New("not the index.json of an image layout")

// Options say how a Layout is kept. The zero value works.
type Options struct {
	// MaxBlob bounds a blob that is uploaded, in bytes; zero: DefaultMaxBlob.
	MaxBlob int64
	// Now is the clock that the ages of what is collected are reckoned by; nil: time.Now.
	Now func() time.Time
	// Fault is for tests; see store.Options. nil: nothing fails.
	Fault func(op, name string) error
}

// Layout is the content of one repository folder. Make one with Open.
type Layout struct {
	files  store.Disk
	folder string // absolute
	root   *os.Root
	opts   Options
	temps  atomic.Uint64 // keeps staged files apart
	swept  sync.Once     // files that a killed owner had staged have been removed

	// sweep is held for reading while something is looked up or linked, and for writing
	// while something is removed; never while a disk is waited for.
	sweep     sync.RWMutex
	condemned condemned
	open      open
	stripes   stripes
	collects  sync.Mutex // held by Collect; guards collected
	collected int        // how often

	mu      sync.Mutex          // guards all below
	parsed  map[string]*Content // the last Content of a name
	kept    int                 // manifests in parsed
	durable map[string]bool     // folders that survive a power cut
}

// Open returns the Layout of a repository folder, which must be there. It makes and reads
// nothing. The folder must be the caller's, as a store.Store is.
func Open(folder string, o Options) (*Layout, error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	o.MaxBlob = min(cmp.Or(o.MaxBlob, DefaultMaxBlob), math.MaxInt64-1)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Layout{
		files: store.NewDisk(root, o.Fault), folder: abs, root: root, opts: o,
		parsed: map[string]*Content{}, durable: map[string]bool{},
	}, nil
}

// Close closes the folder. Files that were opened stay open.
func (l *Layout) Close() error { return l.root.Close() }

// Moved reports whether another folder has taken the place of the one that is open. The
// Layout is of no use then: Close it and Open that one.
func (l *Layout) Moved() bool {
	now, err := os.Stat(l.folder)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	open, err := l.root.Stat(".")
	return err != nil || !os.SameFile(now, open)
}

// Each calls do for each content name that has manifests, in the order of the names, and for
// those whose Content is an error. The error returned is that there is no list of them.
func (l *Layout) Each(do func(name string, c *Content, err error)) error {
	names, err := l.folders()
	for _, name := range names {
		if c, err := l.Content(name); err != nil || len(c.Manifests) > 0 {
			do(name, c, err)
		}
	}
	return err
}

// folders are the content names that have a folder, sorted.
func (l *Layout) folders() ([]string, error) {
	all, err := l.files.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be listed: %w", root, err)
	}
	names := map[string]bool{}
	for _, fi := range all {
		if name, ok := nameOf(fi.Name()); ok && fi.IsDir() {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}
