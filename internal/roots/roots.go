// Package roots opens files in the directories that it was given, and nothing outside
// of them: os.Root refuses links that lead out, also those that appear between a look
// and its use. A link from one directory into another is followed. Nothing here waits
// for the other end of a pipe.
//
// Follow finds out where a path leads and which links it leads through, for who has
// to notice when they are switched. It confines nothing.
//
// Package pkgr reads charts through it, package repo archives of SOURCEs. What
// may be in a chart is not decided here.
package roots

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"chartserve/internal/chart"
)

// Roots are directories. They are opened when something in them is asked for, and
// stay open until Close. Methods may be called from any goroutine.
//
// Paths are absolute. Those of Lstat, ReadDir and OpenListed must not lead out of the
// root that they lie in.
type Roots struct {
	dirs []string

	mu     sync.Mutex
	opened map[string]*os.Root
}

// New returns Roots of dirs, which are absolute and without links.
func New(dirs ...string) *Roots {
	return &Roots{dirs: dirs, opened: map[string]*os.Root{}}
}

// Close closes what is open. The Roots may be used again.
func (r *Roots) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, root := range r.opened {
		root.Close()
	}
	clear(r.opened)
}

// Of returns the root that path is or lies in; empty where there is none. Nothing
// is looked at.
func (r *Roots) Of(path string) string {
	for _, dir := range r.dirs {
		if Within(dir, path) {
			return dir
		}
	}
	return ""
}

// Within reports whether path is dir or lies below it.
func Within(dir, path string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || os.IsPathSeparator(rest[0]) || dir != "" && os.IsPathSeparator(dir[len(dir)-1]))
}

// find returns the root that path lies in, and the way from there.
func (r *Roots) find(path string) (*os.Root, string, error) {
	dir := r.Of(path)
	if dir == "" {
		return nil, "", &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	rel := "."
	if path != dir {
		rel = strings.TrimPrefix(filepath.ToSlash(path[len(dir):]), "/")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if root := r.opened[dir]; root != nil {
		return root, rel, nil
	}
	// The trailing "." has the system refuse anything but a directory at once,
	// where opening a FIFO of that name would wait for a writer.
	root, err := os.OpenRoot(dir + "/.")
	if err != nil {
		return nil, "", err
	}
	r.opened[dir] = root
	return root, rel, nil
}

// Lstat describes a file or a link.
func (r *Roots) Lstat(path string) (fs.FileInfo, error) {
	root, rel, err := r.find(path)
	if err != nil {
		return nil, err
	}
	return root.Lstat(rel)
}

// OpenListed opens a file or a directory, of whatever kind it is by now.
func (r *Roots) OpenListed(path string) (*os.File, error) {
	root, rel, err := r.find(path)
	if err != nil {
		return nil, err
	}
	return root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Open opens a regular file for reading. path may be a link.
func (r *Roots) Open(path string) (*os.File, error) {
	file, err := r.OpenListed(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		// os.Root has no error of its own for a link that leads out.
		if target, failed := Follow(path, nil); failed == nil && target != path {
			if r.Of(target) == "" {
				return nil, Outside(target)
			}
			file, err = r.OpenListed(target)
		}
	}
	if err != nil {
		return nil, err
	}
	fi, err := file.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = chart.Refuse(chart.ErrFile, "", "not a regular file", "remove it, or leave it out with --exclude")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Stat describes the regular file that path leads to.
func (r *Roots) Stat(path string) (fs.FileInfo, error) {
	root, rel, err := r.find(path)
	if err != nil {
		return nil, err
	}
	if fi, err := root.Stat(rel); err == nil && fi.Mode().IsRegular() || errors.Is(err, fs.ErrNotExist) {
		return fi, err
	}
	file, err := r.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Stat()
}

// Read returns the content of a regular file of at most limit bytes.
func (r *Roots) Read(path string, limit int64) ([]byte, error) {
	file, err := r.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return chart.ReadAtMost(file, limit)
}

// Outside is the error of a link to target, which lies in no SOURCE.
func Outside(target string) error {
	e := chart.Refuse(chart.ErrUnsafe, "", "link points out of the source", "name its target as a SOURCE of its own, or --exclude the link")
	e.Value = target
	return e
}

// maxLinks is how many links one path may lead through, as in Linux.
const maxLinks = 40

// Follow returns the path without links of what the absolute path leads to. onLink,
// where not nil, hears of each link on the way, and of what is missing, by its path
// without other links, before it is looked at for the last time: who watches the
// directory that it lies in hears of every later change.
//
// After an error the path is of the directory where the way ended: that is
// fs.ErrNotExist, syscall.ENOTDIR, syscall.ELOOP, or what the system says.
func Follow(path string, onLink func(path string)) (string, error) {
	top := filepath.VolumeName(path) + string(filepath.Separator)
	at, todo := top, split(path[len(top)-1:])
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, part)
		fi, err := os.Lstat(next)
		if err == nil && fi.Mode()&fs.ModeSymlink == 0 {
			if !fi.IsDir() && len(todo) > 0 {
				return at, &fs.PathError{Op: "open", Path: next, Err: syscall.ENOTDIR}
			}
			at = next
			continue
		}
		if onLink != nil {
			onLink(next)
		}
		if links++; links > maxLinks {
			return at, &fs.PathError{Op: "open", Path: next, Err: syscall.ELOOP}
		}
		target, err := os.Readlink(next)
		switch {
		case errors.Is(err, syscall.EINVAL): // it is no link any more
			target = part
		case err != nil:
			return at, err
		case filepath.IsAbs(target):
			at = top
		}
		todo = append(split(target), todo...)
	}
	return at, nil
}

func split(path string) []string { return strings.Split(filepath.ToSlash(path), "/") }
