package bundle

import (
	"errors"
	"fmt"

	"chartserve/internal/chart"
)

// Kinds of findings, for errors.Is. A finding is a *chart.Error.
var (
	// ErrNotBundle is a file that is no bundle, or one of a newer format.
	ErrNotBundle = errors.New("not a bundle")
	// ErrDamaged is something that has other bytes than its manifest or checksum says.
	ErrDamaged = errors.New("damaged")
	// ErrMissing is a part, or a file of a bundle, that is not there.
	ErrMissing = errors.New("missing")
	// ErrForeign is a part or data that does not belong to the bundle.
	ErrForeign = errors.New("does not belong to the bundle")
	// ErrBase is a delta's base that is not there, or another one.
	ErrBase = errors.New("not the base")
	// ErrClash is a repository folder that has other bytes under a file's name.
	ErrClash = errors.New("other content is there")
	// ErrNotTrusted is an archive that ReadOptions.Vouch does not let in.
	ErrNotTrusted = errors.New("not trusted")
	// ErrFolder is a repository folder that is not as its index.yaml says.
	ErrFolder = errors.New("the folder is not as its index says")
)

// ErrNoRoom is a file system that can't take a bundle.
var ErrNoRoom = errors.New("there is no room for the bundle")

// Remedies for what was damaged on the way.
const (
	copyBundle = "copy the bundle again from where it was made"
	copyPart   = "copy this part again"
	copySums   = "copy this file again, or move it away to do without"
)

func finding(kind error, file, reason, remedy string) *chart.Error {
	return &chart.Error{Kind: kind, File: file, Reason: reason, Remedy: remedy}
}

// checkRoom looks whether the file system of a directory has room for so many bytes.
func checkRoom(dir string, bytes int64) error {
	if free, known := freeSpace(dir); known && bytes > free {
		return fmt.Errorf("%w: it takes %d bytes, and %d are free on that file system (make room, or write elsewhere)", ErrNoRoom, bytes, free)
	}
	return nil
}
