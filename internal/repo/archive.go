package repo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"

	"chartserve/internal/store"
)

// archive is a .tgz that was found in a SOURCE or that stands in the repository
// folder.
type archive struct {
	// path is absolute in a SOURCE, relative in the repository folder.
	path    string
	display string
	source  int // of a SOURCE's archive

	stale bool // asks for a look at the file
	stamp fileid.Stamp
	read  time.Time // when it was last read
	err   error     // why it can't be published
	// entry is nil while err is set, and until it was read.
	entry *index.Entry
	last  ident // what it was before err was set; empty where that is not known
	// lastDigest is the digest of what it was then.
	lastDigest string
	warnings   []string
	// prov is the SHA-256 of the provenance file beside a SOURCE's archive, in hex;
	// empty where there is none.
	prov string
	// provWarning is why what stands there is not published.
	provWarning string

	// stored says that it stands in the repository folder; the rest is for those.
	// made says that chartserve wrote the file from something in a SOURCE, key
	// from what: see plan.
	stored bool
	made   bool
	key    [32]byte
	file   *File
}

// forOthers is the archive as others are built from it.
func (a *archive) forOthers() *resolve.Archive {
	return &resolve.Archive{Name: a.entry.Name, Version: a.entry.Version, Digest: a.entry.Digest, Location: a.path}
}

func (a *archive) ident() ident { return ident{a.entry.Name, a.entry.Version} }

// archiveSet holds archives by path and, where they are good, by chart name.
type archiveSet struct {
	byPath map[string]*archive
	byName map[string]map[string]*archive
	bad    map[string]*archive
	warned map[string]*archive // those with warnings
	// changed is told the name of a chart whose archives are not what they were.
	changed func(name string)
}

func newArchiveSet(changed func(string)) *archiveSet {
	return &archiveSet{
		byPath: map[string]*archive{}, byName: map[string]map[string]*archive{},
		bad: map[string]*archive{}, warned: map[string]*archive{}, changed: changed,
	}
}

// named are the good archives of a chart name in order of precedence.
func (s *archiveSet) named(name string) []*archive {
	found := slices.Collect(maps.Values(s.byName[name]))
	slices.SortFunc(found, func(a, b *archive) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.path, b.path))
	})
	return found
}

// put adds a, or replaces what stood under its path.
func (s *archiveSet) put(a *archive) {
	s.remove(a.path)
	s.byPath[a.path] = a
	if a.err != nil {
		s.bad[a.path] = a
	}
	if len(a.warnings) > 0 || a.provWarning != "" {
		s.warned[a.path] = a
	}
	if a.entry == nil {
		return
	}
	if s.byName[a.entry.Name] == nil {
		s.byName[a.entry.Name] = map[string]*archive{}
	}
	s.byName[a.entry.Name][a.path] = a
	s.changed(a.entry.Name)
}

func (s *archiveSet) remove(path string) {
	a := s.byPath[path]
	if a == nil {
		return
	}
	delete(s.byPath, path)
	delete(s.bad, path)
	delete(s.warned, path)
	if a.entry != nil {
		delete(s.byName[a.entry.Name], path)
		if len(s.byName[a.entry.Name]) == 0 {
			delete(s.byName, a.entry.Name)
		}
		s.changed(a.entry.Name)
	} else if a.last.name != "" {
		s.changed(a.last.name)
	}
}

// check reads the archive that open opens and gives its new state: a itself when
// its stamp says that nothing changed, nil when there is no such file any more.
func (r *Repository) check(a *archive, open func() (fs.File, error), stat func() (fs.FileInfo, error)) (next *archive) {
	defer func() {
		if p := recover(); p != nil {
			next = a.failed(fmt.Errorf("reading the archive failed: %v", p))
		}
	}()
	fi, err := stat()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, store.ErrNotRegular) {
		err = &chart.Error{Kind: chart.ErrArchive, Reason: "not a regular file", Remedy: "put the archive itself there: links in the repository folder are not followed"}
	}
	if err != nil {
		return a.failed(err)
	}
	if a.known(fileid.StampOf(fi)) {
		return a
	}
	file, err := open()
	if err != nil {
		return a.failed(err)
	}
	defer file.Close()
	return r.inspect(a, file)
}

// inspect reads an open archive to its end.
func (r *Repository) inspect(a *archive, file fs.File) *archive {
	fi, err := file.Stat()
	if err != nil {
		return a.failed(err)
	}
	now := r.opts.Now()
	info, err := r.checker.Check(io.Reader(file))
	if err != nil {
		return a.failed(err)
	}
	r.counts.checked.Add(1)
	next := *a
	next.stale, next.err, next.warnings = false, nil, info.Warnings
	next.stamp, next.read = fileid.StampOf(fi), now
	if a.entry != nil && a.entry.Digest == info.Digest {
		next.setFile()
		return &next
	}
	if a.entry != nil || a.lastDigest != info.Digest { // else it is what it was before a disk failed
		next.made, next.key = false, [32]byte{}
	}
	next.entry, err = index.NewEntry(r.opts.Rewrite.Metadata(info.Metadata), r.urlOf(a, info), info.Digest,
		r.createdOf(ident{info.Metadata.Name, info.Metadata.Version}, info.Digest, info.Created))
	if err != nil {
		return a.failed(err)
	}
	next.setFile()
	return &next
}

// urlOf is where an archive will be found: under its own name where it stands in
// the repository folder, else under its archive name.
func (r *Repository) urlOf(a *archive, info *pkgr.Info) string {
	if a.stored {
		return r.address(a.path, info.Digest)
	}
	return r.address(info.Metadata.ArchiveName(), info.Digest)
}

func (a *archive) failed(err error) *archive {
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w (make it readable, or leave it out with --exclude)", err)
	case errors.Is(err, syscall.EIO):
		err = fmt.Errorf("%w (the system's log tells what its disk has)", err)
	}
	next := *a
	if a.entry != nil {
		next.last, next.lastDigest = a.ident(), a.entry.Digest
	}
	next.stale, next.entry, next.file, next.err, next.warnings = false, nil, nil, err, nil
	return &next
}

// known tells that a file with that stamp need not be read again; it can then be
// served.
func (a *archive) known(s fileid.Stamp) bool {
	known := a.entry != nil && a.stamp == s && fileid.Settled(s.Time(), a.read)
	if known && a.file == nil {
		a.setFile()
	}
	return known
}

// setFile makes an archive in the repository folder one that can be served.
func (a *archive) setFile() {
	if a.stored {
		a.file = &File{
			Name: a.path, Path: a.path, Archive: true, Size: a.stamp.Size, ModTime: a.stamp.Time(),
			ETag: `"` + a.entry.Digest + `"`,
		}
	}
}
