package pkgr

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/roots"
)

// Tree is the listing of a chart's directory after .helmignore: names and what
// the file system says of them, no contents.
type Tree struct {
	// Dir is the chart's directory, absolute and without links.
	Dir string
	// Dirs are the absolute directories whose changes can change the listing, Dir
	// first; those that symbolic links lead through and to are among them.
	Dirs []string
	// Ignored are the absolute directories that .helmignore leaves out, but for those in
	// charts/ and templates/. They are none of the chart's.
	Ignored []string
	// Fingerprint covers names, sizes, times, inodes and modes of all that enters
	// the archive, and of .helmignore. While it stays, the content stays.
	Fingerprint [32]byte
	// Newest is the newest modification or change time seen. Where it is no older
	// than the clock's resolution before List was called, a later write may have
	// left no trace in Fingerprint.
	Newest time.Time

	roots   []string
	checker *Checker
	onDir   func(string)
	files   []entry
	unread  []unreadable // links in charts/
	hidden  bool         // .helmignore leaves Chart.yaml out
}

// entry is one file of a Tree.
type entry struct {
	name string // relative to the chart
	at   string // absolute and free of links
	fileid.Exact
}

// List walks the chart's directory dir. Symbolic links may lead anywhere in roots, which
// are absolute and without links: the SOURCEs, and dir itself where it is in none.
// Others are chart.ErrUnsafe. What .helmignore leaves out is not even looked at, so
// a broken link that is ignored is fine. The order is the one of Helm's walk.
//
// onDir, where not nil, is called with each directory before it is listed; that
// is where a watcher hooks in. It is called for the directories that were reached
// when List fails, too.
func (k *Checker) List(dir string, roots []string, onDir func(string)) (*Tree, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, cannotRead("", err)
	}
	t := &Tree{Dir: abs, roots: roots, checker: k, onDir: onDir}
	if err := t.list(); err != nil {
		return nil, err
	}
	return t, nil
}

// list fills t anew.
func (t *Tree) list() error {
	in := roots.New(t.roots...)
	defer in.Close()
	if in.Of(t.Dir) == "" {
		e := chart.Refuse(chart.ErrUnsafe, "", "a chart directory that a symbolic link takes out of its source", "give the directory itself as a source")
		e.Value = t.Dir
		return e
	}
	var w *walker
	var err error
	for range attempts {
		w = &walker{in: in, budget: newBudget(t.checker.limits), onDir: t.onDir, output: t.checker.Output, known: map[string]struct{}{}}
		if err = w.run(t.Dir); !errors.Is(err, errChanged) {
			break
		}
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(w.bad, func(u unreadable) bool { return !u.inCharts() }) {
		return together(w.bad)
	}
	t.Dirs, t.Ignored, t.files, t.unread = w.dirs, w.ignored, w.files, w.bad
	t.hidden = w.rules.Match(chart.MetadataFile, false)
	t.sum(w.ignore)
	return nil
}

// sum sets what is derived from the listing. ignore is .helmignore's.
func (t *Tree) sum(ignore fileid.Exact) {
	t.Newest = ignore.Newest()
	b := ignore.AppendTo(make([]byte, 0, 128*(len(t.files)+1)))
	for _, u := range t.unread {
		b = append(append(b, u.name...), 0)
	}
	for i := range t.files {
		e := &t.files[i]
		b = append(append(b, e.name...), 0)
		b = append(append(b, e.at...), 0)
		b = e.AppendTo(b)
		if at := e.Newest(); at.After(t.Newest) {
			t.Newest = at
		}
	}
	t.Fingerprint = sha256.Sum256(b)
}

// vanished reports whether err is about a file that is no longer there.
func vanished(err error) bool { return errors.Is(err, fs.ErrNotExist) }
