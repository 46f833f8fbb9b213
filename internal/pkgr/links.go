package pkgr

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"chartserve/internal/chart"
	"chartserve/internal/roots"
)

// follow returns where the symbolic link at path leads: a path without links, in one of
// the roots. Helm follows links anywhere (internal/sympath/walk.go), so that a chart can
// carry /etc/passwd away. Each directory that the answer depends on is watched before it
// is looked into. name is the link's in the chart.
func (w *walker) follow(name, path string) (string, fs.FileInfo, error) {
	target, err := roots.Follow(path, func(link string) { w.watch(filepath.Dir(link)) })
	switch {
	case w.in.Of(target) == "":
		e := chart.Refuse(chart.ErrUnsafe, name, "a symbolic link that leads out of the source directory",
			"copy the file into the chart, name its target as a SOURCE of its own, or leave the link out with .helmignore")
		e.Value = target
		return "", nil, e
	case errors.Is(err, syscall.ELOOP):
		return "", nil, linkLoop(name)
	case errors.Is(err, syscall.ENOTDIR):
		return "", nil, brokenLink(name, "not a directory")
	case vanished(err):
		return "", nil, brokenLink(name, "its target is missing")
	case err != nil:
		return "", nil, cannotRead(name, err)
	}
	fi, err := w.in.Lstat(target)
	if err == nil && !fi.IsDir() {
		w.watch(filepath.Dir(target))
		fi, err = w.in.Lstat(target)
	}
	if err != nil || fi.Mode()&fs.ModeSymlink != 0 {
		return "", nil, brokenLink(name, "its target changed meanwhile")
	}
	return target, fi, nil
}

// errBroken means that a link leads nowhere.
var errBroken = errors.New("broken symbolic link")

func brokenLink(name, reason string) error {
	e := chart.Refuse(chart.ErrFile, name, "a broken symbolic link: "+reason, "mend or remove the link, or leave it out with .helmignore")
	e.Err = errBroken
	return e
}

func linkLoop(name string) error {
	return chart.Refuse(chart.ErrFile, name, "a symbolic link that leads back to itself or to a directory that holds it",
		"remove the link, or leave it out with .helmignore")
}
