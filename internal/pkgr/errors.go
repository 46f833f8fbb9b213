package pkgr

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"chartserve/internal/chart"
)

// ErrNoChart means that an archive is whole and that of something else than a chart.
var ErrNoChart = errors.New("no chart")

// inside returns err as one that was met within the sub-chart at prefix, such as
// "charts/foo/" or "charts/foo-1.0.0.tgz: ".
func inside(prefix string, err error) error {
	if err == nil || prefix == "" {
		return err
	}
	var ce *chart.Error
	if !errors.As(err, &ce) {
		ce = &chart.Error{Kind: chart.ErrFile, Err: err}
	}
	moved := *ce
	if moved.File == "" {
		moved.File = strings.TrimRight(prefix, "/: ")
	} else {
		moved.File = prefix + moved.File
	}
	return &moved
}

// cannotRead explains why a file or directory of a chart could not be read. The
// operating system's error is given without the path, which the File has.
func cannotRead(name string, err error) error {
	e := &chart.Error{Kind: chart.ErrFile, File: name, Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.Reason = pe.Err.Error()
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		e.Remedy = "make it readable, or leave it out with .helmignore"
	case errors.Is(err, syscall.EIO):
		e.Remedy = "the system's log tells what its disk has"
	case errors.Is(err, errChanged):
		e.Remedy = "it is tried again at the next change"
	}
	return e
}
