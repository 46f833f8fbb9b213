package repo

import (
	"cmp"
	"maps"
	"slices"

	"chartserve/internal/chart"
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

// sourceArchive is an archive in a SOURCE, which is published as a copy.
type sourceArchive struct {
	judged
	source int // the number of the SOURCE
	// prov is the SHA-256 of the provenance file beside it, in hex; empty where there
	// is none. provWarning is why what is there is not published.
	prov, provWarning string
}

// storedArchive is an archive in the repository folder.
type storedArchive struct {
	judged
	// made says that chartserve wrote the file from something in a SOURCE, key from
	// what: see planner.
	made bool
	key  [32]byte
	file *File // nil until it can be served
}

// anArchive is one of the two kinds.
type anArchive interface {
	comparable
	about() *judged
	precedence() int
	notes() []string
}

func (a *sourceArchive) about() *judged  { return &a.judged }
func (a *storedArchive) about() *judged  { return &a.judged }
func (a *sourceArchive) precedence() int { return a.source }
func (a *storedArchive) precedence() int { return 0 }
func (a *storedArchive) notes() []string { return a.warnings }

// notes are the archive's warnings, that on its provenance among them.
func (a *sourceArchive) notes() []string {
	if a.provWarning == "" {
		return a.warnings
	}
	return append(slices.Clone(a.warnings), a.provWarning)
}

// current is the archive for a store.Batch, also one that can't be read any more; nil
// if a is nil or was never good.
func (a *storedArchive) current() *store.Current {
	switch {
	case a == nil:
		return nil
	case a.entry != nil:
		return &store.Current{Name: a.path, Digest: a.entry.Digest, Stamp: a.stamp}
	case a.lastDigest != "":
		return &store.Current{Name: a.path, Digest: a.lastDigest, Stamp: a.stamp}
	}
	return nil
}

// forOthers is the archive as charts are built from it.
func (a *judged) forOthers() *resolve.Archive {
	return &resolve.Archive{Name: a.entry.Name, Version: a.entry.Version, Digest: a.entry.Digest, Location: a.path}
}

// archiveSet holds archives by path and, where they are good, by chart name.
type archiveSet[A anArchive] struct {
	byPath map[string]A
	byName map[string]map[string]A
	bad    map[string]A
	noted  map[string]A // those with warnings
	// changed is told the name of a chart whose archives are not what they were.
	changed func(name string)
}

func newArchiveSet[A anArchive](changed func(string)) *archiveSet[A] {
	return &archiveSet[A]{
		byPath: map[string]A{}, byName: map[string]map[string]A{}, bad: map[string]A{}, noted: map[string]A{}, changed: changed,
	}
}

// named are the good archives of a chart name in order of precedence.
func (s *archiveSet[A]) named(name string) []A {
	return slices.SortedFunc(maps.Values(s.byName[name]), func(a, b A) int {
		return cmp.Or(cmp.Compare(a.precedence(), b.precedence()), cmp.Compare(a.about().path, b.about().path))
	})
}

// put adds a, or replaces what had its path.
func (s *archiveSet[A]) put(a A) {
	about := a.about()
	s.remove(about.path)
	s.byPath[about.path] = a
	if about.err != nil {
		s.bad[about.path] = a
	}
	if len(a.notes()) > 0 {
		s.noted[about.path] = a
	}
	if about.entry == nil {
		return
	}
	name := about.entry.Name
	if s.byName[name] == nil {
		s.byName[name] = map[string]A{}
	}
	s.byName[name][about.path] = a
	s.changed(name)
}

func (s *archiveSet[A]) remove(path string) {
	a, ok := s.byPath[path]
	if !ok {
		return
	}
	delete(s.byPath, path)
	delete(s.bad, path)
	delete(s.noted, path)
	about := a.about()
	if about.entry == nil {
		if about.last.name != "" {
			s.changed(about.last.name)
		}
		return
	}
	name := about.entry.Name
	delete(s.byName[name], path)
	if len(s.byName[name]) == 0 {
		delete(s.byName, name)
	}
	s.changed(name)
}

// failures are the archives that can't be published, but for the paths in except.
func (s *archiveSet[A]) failures(except map[string]bool) (out []Failure) {
	for _, path := range slices.Sorted(maps.Keys(s.bad)) {
		if a := s.bad[path].about(); !except[path] {
			out = append(out, Failure{Path: a.display, Reason: a.err.Error()})
		}
	}
	return out
}

// warnings are what deserves a look in the archives.
func (s *archiveSet[A]) warnings() (out []Warning) {
	for _, path := range slices.Sorted(maps.Keys(s.noted)) {
		for _, text := range s.noted[path].notes() {
			out = append(out, Warning{Path: s.noted[path].about().display, Message: text})
		}
	}
	return out
}
