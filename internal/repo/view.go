package repo

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// View is the repository as it is served: everything that a request needs, ready
// encoded. It is immutable, and may be used by any goroutine for as long as it likes;
// a new state of the repository is a new View.
type View struct {
	// Index is nil until the first complete index.
	Index *index.Encoded
	// Status says how the repository is.
	Status Status

	charts   table[*Chart]
	names    []string // of charts, sorted
	files    table[*File]
	digests  table[*File] // archives by digest, in hex
	replaced store.Replaced
	retired  map[string]string // names that nothing has any more, to addresses in replaced
	reader   store.Reader
	checker  *pkgr.Checker

	contextPath string         // in the index
	rewrite     chart.Rewrites // of what the index says

	recipes *recipes                // of the charts of the SOURCEs
	may     func(chart string) bool // what a Subset's reader may see; nil: all

	superseded chan struct{} // see Superseded
}

// Chart is a chart name with its versions.
type Chart struct {
	Name string
	// Versions are in the order of the index: newest first.
	Versions []*Version

	lazily atomic.Pointer[summary] // nil until somebody asks
}

// Version is one version of a chart as the index lists it.
type Version struct {
	// Entry is what the index says of it.
	Entry *index.Entry
	// Archive is never nil.
	Archive *File
	// Live says that a chart or an archive in a SOURCE is this version, be it broken
	// now. Others are kept in the repository folder: their source is gone, or there never
	// was one.
	Live bool
	// source is the path of that chart or archive, as its user named it; empty: there is none.
	source string
}

// File is one file that the repository serves.
type File struct {
	// Name is the URL path below the repository's root, unescaped, such as
	// "nova-1.0.0+a.tgz".
	Name string
	// Size is in bytes; ModTime is the file's own.
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
	// signs is, of a provenance, the SHA-256 of the archive that it names; empty where it
	// names none by that name.
	signs string
}

// digest is the SHA-256 of the content, in hex.
func (f *File) digest() string { return strings.Trim(f.ETag, `"`) }

// NewView makes a View of files below root without a Repository, for whoever serves
// a folder that does not change, and for tests. The exported fields are the caller's to
// set before the View is shared.
func NewView(root *os.Root, files ...*File) *View {
	v := &View{reader: store.NewReader(root), checker: pkgr.NewChecker(pkgr.Limits{})}
	for _, f := range files {
		v.files.put(f.Name, f)
		if f.Archive {
			v.digests.put(f.digest(), f)
		}
	}
	return v
}

// Add puts c, whose name is behind all that are there, into a View that NewView made.
func (v *View) Add(c *Chart) {
	v.names = append(v.names, c.Name)
	v.charts.put(c.Name, c)
}

// Charts returns all charts in the order of their names.
func (v *View) Charts() iter.Seq[*Chart] {
	return func(yield func(*Chart) bool) {
		for _, name := range v.names {
			if c, ok := v.charts.get(name); ok && !yield(c) {
				return
			}
		}
	}
}

// Kept are the versions that are not live, where there are SOURCEs.
func (v *View) Kept() (n Named) {
	if len(v.Status.Sources) == 0 {
		return n
	}
	for c := range v.Charts() {
		for _, version := range c.Versions {
			if !version.Live {
				n.add(version.chartVersion(), maxKept)
			}
		}
	}
	return n
}

// Files counts files and their bytes.
type Files struct {
	Count int
	Bytes int64
}

func (f *Files) add(size int64) {
	f.Count++
	f.Bytes += size
}

// Stored are the archives of the index, and the files that were replaced or removed and are
// kept for a while.
func (v *View) Stored() (listed, replaced Files) {
	for c := range v.Charts() {
		for _, version := range c.Versions {
			listed.add(version.Archive.Size)
		}
	}
	for _, f := range v.replaced {
		replaced.add(f.Size)
	}
	return listed, replaced
}

// Chart returns the chart of that name; nil: there is none.
func (v *View) Chart(name string) *Chart {
	c, _ := v.charts.get(name)
	return c
}

// all are the versions of c; none if c is nil.
func (c *Chart) all() []*Version {
	if c == nil {
		return nil
	}
	return c.Versions
}

// Version returns the version that is spelled exactly so; nil: there is none. Versions
// of equal precedence ("1.0.0+a", "1.0.0+b") are different ones.
func (c *Chart) Version(version string) *Version {
	for _, v := range c.all() {
		if v.Entry.Version == version {
			return v
		}
	}
	return nil
}

// File returns the file that is served under name, a path below the repository's
// root, unescaped and without a leading slash: a file of the repository folder, or
// the address of an archive by its digest (store.Address). An archive that was removed
// is found under its name too for as long as it is kept.
func (v *View) File(name string) (*File, bool) {
	if digest, base, ok := store.SplitAddress(name); ok {
		return v.byDigest(name, digest, base)
	}
	if address := v.retired[name]; address != "" {
		digest, base, _ := store.SplitAddress(address)
		f, ok := v.byDigest(address, digest, base)
		if ok {
			f.Name, f.Immutable = name, false
		}
		return f, ok
	}
	f, ok := v.files.get(name)
	return f, ok && v.belongs(f)
}

// belongs reports whether f is no provenance of other bytes than the archive beside it
// has. One can stay behind when a crash interrupts what replaces both.
func (v *View) belongs(f *File) bool {
	archive, _ := v.files.get(strings.TrimSuffix(f.Name, ".prov"))
	return f.signs == "" || archive != nil && archive.digest() == f.signs
}

// findRetired fills in retired, without the digests of archives that are refused, and
// without the provenance of an archive whose name another has now. Of several archives that
// had one name the last is found.
func (v *View) findRetired(refused map[string]error) {
	v.retired = map[string]string{}
	for address, f := range v.replaced {
		digest, base, _ := store.SplitAddress(address)
		if _, served := v.files.get(strings.TrimSuffix(base, ".prov")); served || refused[digest] != nil {
			continue
		}
		if other := v.retired[base]; other == "" || v.replaced[other].Since.Before(f.Since) {
			v.retired[base] = address
		}
	}
}

// Blob returns the archive with that SHA-256, in hex, be it current or replaced not
// long ago.
func (v *View) Blob(digest string) (*File, bool) {
	if f, ok := v.digests.get(digest); ok {
		return f, true
	}
	for address := range v.replaced {
		if d, _, ok := store.SplitAddress(address); ok && d == digest && isArchiveName(address) {
			return v.byDigest(address, digest, "")
		}
	}
	return nil, false
}

// Replaced returns the archives that were replaced or removed not long ago and whose file
// names begin with prefix, in no order.
func (v *View) Replaced(prefix string) (all []*File) {
	for address := range v.replaced {
		digest, base, _ := store.SplitAddress(address)
		if !isArchiveName(base) || !strings.HasPrefix(base, prefix) {
			continue
		}
		if f, ok := v.byDigest(address, digest, base); ok {
			all = append(all, f)
		}
	}
	return all
}

// byDigest finds an archive, or its provenance, by the archive's digest: a replaced
// one, or the one that has its name now.
func (v *View) byDigest(address, digest, base string) (*File, bool) {
	if k, ok := v.replaced[address]; ok {
		etag := `"` + digest + `"`
		if !isArchiveName(address) {
			etag = `"` + digest + `.prov"`
		}
		return &File{
			Name: address, Path: address, Archive: isArchiveName(address), Immutable: true, Size: k.Size, ModTime: k.ModTime, ETag: etag,
		}, true
	}
	f, ok := v.files.get(base)
	archive, _ := v.files.get(strings.TrimSuffix(base, ".prov"))
	if !ok || archive == nil || archive.digest() != digest || !v.belongs(f) {
		return nil, false
	}
	at := *f
	at.Name, at.Immutable = address, true
	return &at, true
}

// Open opens f for reading. The error is fs.ErrNotExist when the file is gone or is no
// longer the one that was listed, so that a client never gets bytes under the wrong
// ETag. One that was replaced is found by its digest for as long as it is kept, also
// while the pass that replaced it goes on.
func (v *View) Open(f *File) (*os.File, error) {
	file, err := v.open(f, f.Path)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if archive, ok := v.files.get(strings.TrimSuffix(f.Path, ".prov")); ok {
		return v.open(f, store.Address(archive.digest(), f.Path))
	}
	return nil, err
}

func (v *View) open(f *File, path string) (*os.File, error) {
	file, err := v.reader.Open(path)
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
	if at := fileid.StampOf(fi).Time(); fi.Size() != f.Size || !at.Equal(f.ModTime) {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return file, nil
}
