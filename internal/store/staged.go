package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"chartserve/internal/fileid"
)

// Error is a problem with the repository folder, such as a full disk, as opposed to
// one with the content that was to be written.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Staged is a file in the folder that does not have its name yet. Commit gives it
// the name; Discard removes it.
type Staged struct {
	store *Store
	name  string   // empty once the file has the name that it was made for
	file  *os.File // nil once it was synced or closed
	stamp fileid.Stamp
}

// Stage writes a new file with what write writes, under a temporary name. It may be
// called from any goroutine; each file then belongs to one goroutine at a time.
// Nothing is on disk for certain until Sync or Commit.
//
// The error is a *Error if the folder is the cause, else the one that write returned.
// Nothing is left behind then.
func (s *Store) Stage(write func(io.Writer) error) (*Staged, error) {
	t, err := s.newStaged()
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriterSize(stagedWriter{t}, 64<<10)
	if err = write(buf); err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = t.settle()
	}
	if err != nil {
		t.Discard()
		if broken := new(Error); errors.As(err, &broken) {
			return nil, broken // write may have taken it for what it reads
		}
		return nil, err
	}
	return t, nil
}

// newStaged makes an empty file. The error is a *Error.
func (s *Store) newStaged() (*Staged, error) {
	t := &Staged{store: s, name: s.temp + strconv.FormatUint(s.temps.Add(1), 10)}
	var err error
	if t.file, err = s.disk.Create(t.name); err != nil {
		return nil, &Error{err}
	}
	return t, nil
}

// settle sets the file's time back, so that its Stamp is settled at once: whoever
// changes the file from now on leaves a trace in its time, however coarse the clock.
func (t *Staged) settle() error {
	at := time.Now().Add(-fileid.Coarse - time.Second)
	if err := t.store.chtimes(t.name, at); err != nil {
		return &Error{err}
	}
	fi, err := t.file.Stat()
	if err != nil {
		return &Error{err}
	}
	t.stamp = fileid.StampOf(fi)
	return nil
}

// stagedWriter makes errors of the disk *Errors.
type stagedWriter struct{ *Staged }

func (w stagedWriter) Write(b []byte) (int, error) {
	n, err := w.store.disk.Writer(w.file).Write(b)
	if err != nil {
		err = &Error{err}
	}
	return n, err
}

// Stamp is the file's, now and under its later name: a rename keeps it.
func (t *Staged) Stamp() fileid.Stamp { return t.stamp }

// Sync brings the file's content to disk. A disk takes many of these at once in
// little more time than one, so they are worth doing in parallel. The error is a
// *Error; the file is to be discarded then. Once synced, Sync does nothing.
func (t *Staged) Sync() error {
	if t.file == nil {
		return nil
	}
	file := t.file
	t.file = nil
	if err := t.store.disk.SyncFile(file); err != nil {
		return &Error{err}
	}
	return nil
}

// Discard removes the file. On nil, and once the file has its name, it does nothing.
func (t *Staged) Discard() {
	if t == nil || t.name == "" {
		return
	}
	if t.file != nil {
		_ = t.file.Close() // it is not wanted any more
		t.file = nil
	}
	t.store.discard(t.name)
}

// File is the open file of a Delivery, to write and read it until Keep or Discard.
func (t *Staged) File() *os.File { return t.file }

// Keep brings the content of a file in a Delivery to disk and gives the file its name,
// NAME-VERSION.tgz or that with .prov behind it, in place of the one that has it. Any
// other name is an error. The name is durable with Send. After an error the file is gone.
func (t *Staged) Keep(name string) error {
	archive := strings.TrimSuffix(name, provExt)
	if path.Ext(archive) != ".tgz" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
		t.Discard()
		return fmt.Errorf("store: %q is no name for an archive", name)
	}
	return t.keep(name)
}

// keep syncs and names the file. The error is a *Error, and the file is gone then.
func (t *Staged) keep(name string) error {
	err := t.Sync()
	if err == nil {
		err = t.rename(name)
	}
	if err != nil {
		t.Discard()
		return &Error{err}
	}
	return nil
}

func (t *Staged) rename(to string) error {
	err := t.store.disk.Rename(t.name, to)
	if err == nil {
		t.name = ""
	}
	return err
}

// WriteFile writes a file whole, in place of the one that has that name, and makes
// the directories above it. It may be called from any goroutine. When it returns nil
// the content is on disk; the name may not be, so that a power cut leaves the old
// file, the new one, or none. Errors are those of Stage.
func (s *Store) WriteFile(name string, write func(io.Writer) error) (fileid.Stamp, error) {
	if err := s.disk.MkdirAll(path.Dir(name)); err != nil {
		return fileid.Stamp{}, &Error{err}
	}
	t, err := s.Stage(write)
	if err == nil {
		err = t.keep(name)
	}
	if err != nil {
		return fileid.Stamp{}, err
	}
	return t.stamp, nil
}
