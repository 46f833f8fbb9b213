package repo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// temp is a file in the repository folder that is whole and on disk, but does
// not have its name yet.
type temp struct {
	folder *folder
	name   string
	info   fs.FileInfo
}

// writeTemp writes a new temporary file through write and syncs it. number keeps
// the names of one process apart. Nothing is left behind on an error.
func (f *folder) writeTemp(number uint64, write func(io.Writer) error) (*temp, error) {
	name := fmt.Sprintf("%s%d-%d", tempPrefix, os.Getpid(), number)
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriterSize(file, 64<<10)
	err = write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	var info fs.FileInfo
	if err == nil {
		info, err = file.Stat()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, f.root.Remove(name))
	}
	return &temp{f, name, info}, nil
}

// rename gives the file its name, replacing what stood there.
func (t *temp) rename(to string) error { return t.folder.root.Rename(t.name, to) }

// discard removes the file; once it is renamed this does nothing.
func (t *temp) discard() { _ = t.folder.root.Remove(t.name) }
