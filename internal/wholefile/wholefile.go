// Package wholefile writes files that others see whole, as they were before or as they
// are now, never in part. The repository folder has a store of its own for that, which
// commits many files at once.
package wholefile

import (
	"errors"
	"io"
	"os"
	"runtime"
)

// File is a file that has no name yet.
type File interface {
	io.Writer
	// CloseAtomicallyReplace syncs the file and gives it its name, in place of an earlier
	// one.
	CloseAtomicallyReplace() error
	// Cleanup removes the file unless it has its name.
	Cleanup() error
}

// Write writes a file that the umask's users may read.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	return write(f, data)
}

// WriteForAll writes a file that everybody may read, whatever the umask says.
func WriteForAll(path string, data []byte) error {
	f, err := createForAll(path)
	if err != nil {
		return err
	}
	return write(f, data)
}

func write(f File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	return nil
}

// SyncDir makes the names in an open directory durable, and closes it. On Windows, which brings
// no directory to disk when it is asked to, it only closes it.
func SyncDir(dir *os.File) error {
	if runtime.GOOS == "windows" {
		return dir.Close()
	}
	return errors.Join(dir.Sync(), dir.Close())
}
