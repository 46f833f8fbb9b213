package pkgr

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/roots"
)

// maxIgnore is how large a .helmignore may be, in bytes.
const maxIgnore = 1 << 20

// walker collects the files of one chart.
type walker struct {
	in     *roots.Roots
	budget *budget
	onDir  func(string)
	output func(path string) bool // Checker.Output
	rules  *chart.Ignore

	dirs    []string // watched, in the order that they were met
	known   map[string]struct{}
	chain   []string // the directories that we are in, outermost first
	files   []entry
	seen    int          // entries looked at, ignored ones too
	links   int          // links followed
	effort  int          // of matching names with the rules
	ignore  fileid.Exact // .helmignore's; zero without one
	ignored []string     // directories that .helmignore leaves out
	bad     []unreadable // links that lead nowhere, or out of the roots
}

// run walks the chart at path.
func (w *walker) run(path string) error {
	w.watch(path)
	if err := w.readRules(path); err != nil {
		return err
	}
	return w.dir(path, "")
}

// watch announces a directory in the roots, once.
func (w *walker) watch(path string) {
	if _, ok := w.known[path]; ok || w.in.Of(path) == "" {
		return
	}
	w.known[path] = struct{}{}
	w.dirs = append(w.dirs, path)
	if w.onDir != nil {
		w.onDir(path)
	}
}

// readRules reads .helmignore. Where it is a broken link there are no rules, and
// the walk complains.
func (w *walker) readRules(dir string) (err error) {
	w.rules, err = chart.ParseIgnore(nil)
	if err != nil {
		return err
	}
	at := filepath.Join(dir, chart.IgnoreFile)
	fi, err := w.in.Lstat(at)
	if vanished(err) {
		return nil
	}
	if err != nil {
		return cannotRead(chart.IgnoreFile, err)
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		if at, fi, err = w.follow(chart.IgnoreFile, at); err != nil {
			return err
		}
	}
	if !fi.Mode().IsRegular() {
		return irregular(chart.IgnoreFile)
	}
	if fi.Size() > maxIgnore {
		return chart.Refuse(chart.ErrIgnore, chart.IgnoreFile, fmt.Sprintf("%d bytes, at most %d are read", fi.Size(), maxIgnore),
			"write patterns, such as docs/ for a whole directory")
	}
	w.ignore = fileid.ExactOf(fi)
	data := make([]byte, fi.Size())
	if err := readListed(w.in, at, w.ignore, data); err != nil {
		return cannotRead(chart.IgnoreFile, err)
	}
	w.rules, err = chart.ParseIgnore(data)
	return err
}

// dir walks one directory: path is free of links, and prefix what its files are called in
// the chart.
func (w *walker) dir(path, prefix string) error {
	if w.isOutput(path) {
		return nil
	}
	if slices.Contains(w.chain, path) {
		return linkLoop(strings.TrimSuffix(prefix, "/"))
	}
	if len(prefix) > maxNameLen {
		return sourceName(prefix)
	}
	w.chain = append(w.chain, path)
	defer func() { w.chain = w.chain[:len(w.chain)-1] }()
	w.watch(path)
	entries, err := readDir(w.in, path)
	if err != nil {
		if vanished(err) && prefix != "" {
			return nil
		}
		return cannotRead(strings.TrimSuffix(prefix, "/"), err)
	}
	if w.seen += len(entries); w.seen > maxSeen {
		return errLimit("", fmt.Sprintf("more than %d names in its directories", maxSeen), "leave whole directories out with .helmignore, such as docs/")
	}
	if err := w.budget.count(); err != nil {
		return err
	}
	for _, e := range entries {
		name := prefix + e.Name()
		if w.effort += w.rules.Effort(name); w.effort > chart.MaxIgnoreEffort {
			return errLimit(chart.IgnoreFile, "too many patterns for so many and such long names", "leave whole directories out, such as docs/, and join patterns")
		}
		if err := w.entry(e, filepath.Join(path, e.Name()), name); err != nil {
			return err
		}
	}
	return nil
}

// entry takes in what is at path, or leaves it out. What is ignored is not looked at any
// further.
func (w *walker) entry(e fs.DirEntry, path, name string) error {
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		return w.link(path, name)
	case e.IsDir():
		if isTemporary(name) {
			return nil
		}
		if w.rules.Match(name, true) {
			if top, _, _ := strings.Cut(name, "/"); top != "charts" && top != "templates" {
				w.ignored = append(w.ignored, path)
			}
			return nil
		}
		return w.dir(path, name+"/")
	case w.rules.Match(name, false):
		return nil
	}
	fi, err := e.Info()
	if vanished(err) {
		return nil
	}
	if err != nil {
		return cannotRead(name, err)
	}
	return w.file(path, name, fi)
}

// link takes in the target of a symbolic link. Whether .helmignore applies may
// depend on that being a directory; a link that can't be followed is left out
// where either would be.
func (w *walker) link(path, name string) error {
	asFile, asDir := w.rules.Match(name, false), w.rules.Match(name, true)
	if asFile && asDir {
		return nil
	}
	if w.links++; w.links > maxResolved {
		return errLimit("", fmt.Sprintf("more than %d symbolic links, those in linked directories counted each time", maxResolved),
			"copy files into the chart, or leave links out with .helmignore")
	}
	target, fi, err := w.follow(name, path)
	switch {
	case err != nil && (asFile || asDir):
		return nil
	case errors.Is(err, chart.ErrUnsafe), errors.Is(err, errBroken):
		w.bad = append(w.bad, unreadable{name, err})
	case err != nil:
		return err
	case fi.IsDir() && !asDir:
		return w.dir(target, name+"/")
	case !fi.IsDir() && !asFile:
		return w.file(target, name, fi)
	}
	return nil
}

// file takes in one file. at is where it is, as in entry.at.
func (w *walker) file(at, name string, fi fs.FileInfo) error {
	if w.isOutput(at) {
		return nil
	}
	if !fi.Mode().IsRegular() {
		return irregular(name)
	}
	if err := sourceName(name); err != nil {
		return err
	}
	if err := w.budget.file(name, fi.Size()); err != nil {
		return err
	}
	if err := w.budget.count(); err != nil {
		return err
	}
	w.files = append(w.files, entry{name: name, at: at, Exact: fileid.ExactOf(fi)})
	return nil
}

func (w *walker) isOutput(at string) bool { return w.output != nil && w.output(at) }

func irregular(name string) error {
	return chart.Refuse(chart.ErrFile, name, "not a regular file but a pipe, a socket, a device or a directory",
		"remove it, or leave it out with .helmignore")
}

// isTemporary reports whether name, at the top of a chart, is a directory in which
// `helm dep up` gathers archives (tmpcharts, tmpcharts-4711), or the folder that
// chartserve itself makes where it is started.
func isTemporary(name string) bool {
	if name == ".chartserve" {
		return true
	}
	rest, ok := strings.CutPrefix(name, "tmpcharts")
	if !ok || rest == "" {
		return ok
	}
	return rest[0] == '-' && len(rest) > 1 && strings.Trim(rest[1:], "0123456789") == ""
}
