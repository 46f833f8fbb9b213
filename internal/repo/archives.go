package repo

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
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

// ident is what identifies a version of a chart: both strings exactly.
type ident struct{ name, version string }

func (id ident) String() string { return id.name + "-" + id.version }

// archiveName is the file name of its archive.
func (id ident) archiveName() string {
	md := chart.Metadata{Name: id.name, Version: id.version}
	return md.ArchiveName()
}

// archive is what is known of an archive's file: one in a SOURCE, which is published as
// a copy, or one in the repository folder.
type archive struct {
	// path is absolute in a SOURCE, relative in the repository folder; display is how
	// its user knows it.
	path, display string
	stamp         fileid.Stamp // as it was last read
	read          time.Time    // when that was
	err           error        // why it can't be published
	// entry is nil while err is set, and until the file was read. It is the last one
	// then, if that is known.
	entry, last *index.Entry
	warnings    []string
	// whole says that the contents were checked, not only the structure.
	whole bool
	// vouched is on which grounds Options.Trust let the archive in; zero: it was not asked,
	// or did not.
	vouched [sha256.Size]byte
	grounds grounds // what vouched is the sum of; empty: it is not known yet

	// In a SOURCE, source is the number of that SOURCE. signed says that there may be a
	// provenance file beside the archive, and prov is its SHA-256, in hex; empty where
	// there is none. provWarning is why what is there is not published.
	source            int
	signed            bool
	prov, provWarning string

	// In the repository folder, made says that chartserve wrote the file from something
	// in a SOURCE, copied that this was an archive, key from what: see planner. prov is the
	// SHA-256 of the provenance that it wrote beside the file; empty: none. held is the path
	// of what was live in a SOURCE with this name and version, as its user knows it; empty
	// where nothing was. file is nil until it can be served.
	made, copied bool
	held         string
	key          [sha256.Size]byte
	file         *File
}

// stored reports whether the archive is in the repository folder.
func (a *archive) stored() bool { return !filepath.IsAbs(a.path) }

func (a *archive) ident() ident { return ident{a.entry.Name, a.entry.Version} }

// published is the name under which an archive of that name and version is published.
func (a *archive) published(id ident) string {
	if a.stored() {
		return a.path
	}
	return id.archiveName()
}

// known reports whether a file with that stamp need not be read again.
func (a *archive) known(s fileid.Stamp) bool {
	return a.entry != nil && a.stamp == s && fileid.Settled(s.Time(), a.read)
}

// failed is the archive with an error in place of what it was.
func (a *archive) failed(err error) *archive {
	err = unnamed(err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w (make it readable, or leave it out with --exclude)", err)
	case errors.Is(err, syscall.EIO):
		err = fmt.Errorf("%w (the system's log tells what its disk has)", err)
	}
	next := *a
	next.entry, next.last, next.err, next.warnings, next.provWarning, next.file = nil, cmp.Or(a.entry, a.last), err, nil, "", nil
	return &next
}

// current is the archive for a store.Batch, also one that can't be read any more; nil
// if a is nil or was never good.
func (a *archive) current() *store.Current {
	if a == nil {
		return nil
	}
	e := cmp.Or(a.entry, a.last)
	if e == nil {
		return nil
	}
	return &store.Current{Name: a.path, Digest: e.Digest, Stamp: a.stamp}
}

// forOthers is the archive as charts are built from it.
func (a *archive) forOthers() *resolve.Archive {
	out := &resolve.Archive{Name: a.entry.Name, Version: a.entry.Version, Digest: a.entry.Digest, Location: a.path}
	if !a.stored() {
		out.Path = a.display
	}
	return out
}

// precedence puts archives of SOURCEs before those of the repository folder, and those
// of the SOURCE first that is named first.
func precedence(a, b *archive) int {
	if a.stored() != b.stored() {
		if b.stored() {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.path, b.path))
}

// archiveSet holds archives by path and, where they are good, by chart name in order of
// precedence.
type archiveSet struct {
	byPath map[string]*archive
	byName map[string][]*archive
	marked map[string]*archive // those with an error or warnings
	found  map[int]int         // how many there are in each SOURCE
	// changed is told the name of a chart whose archives are not what they were.
	changed func(name string)
}

func newArchiveSet(changed func(string)) *archiveSet {
	return &archiveSet{byPath: map[string]*archive{}, byName: map[string][]*archive{}, marked: map[string]*archive{}, found: map[int]int{}, changed: changed}
}

// put adds a, or replaces what had its path.
func (s *archiveSet) put(a *archive) {
	s.remove(a.path)
	s.byPath[a.path] = a
	if !a.stored() {
		s.found[a.source]++
	}
	if a.err != nil || len(a.warnings) > 0 || a.provWarning != "" {
		s.marked[a.path] = a
	}
	if a.entry == nil {
		return
	}
	same := s.byName[a.entry.Name]
	i, _ := slices.BinarySearchFunc(same, a, precedence)
	s.byName[a.entry.Name] = slices.Insert(same, i, a)
	s.changed(a.entry.Name)
}

// remove forgets the archive at path, and returns it; nil: there was none.
func (s *archiveSet) remove(path string) *archive {
	a := s.byPath[path]
	if a == nil {
		return nil
	}
	delete(s.byPath, path)
	if !a.stored() {
		s.found[a.source]--
	}
	delete(s.marked, path)
	if a.entry != nil {
		name := a.entry.Name
		s.byName[name] = slices.DeleteFunc(s.byName[name], func(b *archive) bool { return b == a })
		if len(s.byName[name]) == 0 {
			delete(s.byName, name)
		}
	}
	if e := cmp.Or(a.entry, a.last); e != nil {
		s.changed(e.Name)
	}
	return a
}

// report adds to p what is wrong with the archives, but for the paths in except, and what
// deserves a look.
func (s *archiveSet) report(p *plan, except map[string]bool) {
	for _, path := range slices.Sorted(maps.Keys(s.marked)) {
		a := s.marked[path]
		switch {
		case errors.Is(a.err, pkgr.ErrNoChart):
			p.warnings = append(p.warnings, Warning{Path: a.display, Message: "the archive is none of a chart: there is no Chart.yaml in it; it is not published"})
		case a.err != nil && !except[path]:
			f := Failure{Path: a.display, Reason: a.err.Error()}
			if a.last != nil {
				f.Name, f.Version = a.last.Name, a.last.Version
			}
			p.failures = append(p.failures, f)
		}
		for _, text := range a.warnings {
			p.warnings = append(p.warnings, Warning{Path: a.display, Message: text, theirs: !a.made})
		}
		if a.provWarning != "" {
			p.warnings = append(p.warnings, Warning{Path: a.display, Message: a.provWarning})
		}
	}
}
