package repo

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"chartserve/internal/fileid"
)

// temp is a file in the repository folder that does not have its name yet.
type temp struct {
	folder *folder
	name   string
	file   *os.File // until it is synced or closed
	info   fs.FileInfo
}

// newTemp writes a new temporary file through write. number keeps the names of
// one process apart. Nothing is left behind on an error.
func (f *folder) newTemp(number uint64, write func(io.Writer) error) (*temp, error) {
	t := &temp{folder: f, name: fmt.Sprintf("%s%d-%d", tempPrefix, os.Getpid(), number)}
	var err error
	if t.file, err = f.create(t.name); err != nil {
		return nil, &folderError{err}
	}
	buf := bufio.NewWriterSize(folderWriter{t}, 64<<10)
	if err = write(buf); err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = t.settle()
	}
	if err != nil {
		t.discard()
		return nil, err
	}
	return t, nil
}

// settle sets the file's time back by as much as makes it settled: whoever
// changes the file from now on leaves a trace in its time, however coarse the
// clock, so it need not be read again.
func (t *temp) settle() (err error) {
	at := time.Now().Add(-fileid.Coarse - time.Second)
	if err := t.folder.chtimes(t.name, at); err != nil {
		return &folderError{err}
	}
	t.info, err = t.file.Stat()
	return err
}

// folderError is a problem with the repository folder, such as a full disk, as
// opposed to one with a chart.
type folderError struct{ error }

func (e *folderError) Unwrap() error { return e.error }

type folderWriter struct{ *temp }

func (w folderWriter) Write(b []byte) (int, error) {
	err := w.folder.fail("write", w.name)
	if err != nil {
		return 0, &folderError{err}
	}
	n, err := w.file.Write(b)
	if err != nil {
		err = &folderError{err}
	}
	return n, err
}

// sync brings the file to disk and closes it. A disk takes many of these at once
// in little more time than one, so they are worth doing in parallel.
func (t *temp) sync() error {
	err := t.folder.syncFile(t.file)
	t.file = nil
	if err != nil {
		return &folderError{err}
	}
	return nil
}

// close leaves it to the system when the file comes to disk.
func (t *temp) close() error {
	err := t.file.Close()
	t.file = nil
	return err
}

// rename gives the file, synced or closed before, its name, replacing what stood
// there.
func (t *temp) rename(to string) error { return t.folder.Rename(t.name, to) }

// discard removes the file; once it is renamed this does nothing.
func (t *temp) discard() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
	t.folder.discard(t.name)
}

// writeTemp writes a temporary file and syncs it.
func (f *folder) writeTemp(number uint64, write func(io.Writer) error) (*temp, error) {
	t, err := f.newTemp(number, write)
	if err != nil {
		return nil, err
	}
	if err := t.sync(); err != nil {
		t.discard()
		return nil, err
	}
	return t, nil
}
