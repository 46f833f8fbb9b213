package layout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"

	"chartserve/internal/store"
)

// Everything that changes the folder goes through these methods, so that a test can let any
// of them fail (Options.Fault).

func (l *Layout) fail(op, name string) error {
	if l.opts.Fault == nil {
		return nil
	}
	return l.opts.Fault(op, name)
}

// openFile opens a regular file, or makes it with os.O_EXCL, to write to it.
func (l *Layout) openFile(name string, flag int) (*os.File, error) {
	if flag&os.O_EXCL != 0 {
		if err := l.fail("create", name); err != nil {
			return nil, err
		}
		return l.root.OpenFile(name, flag, 0o644)
	}
	before, err := l.files.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := l.fail("open", name); err != nil {
		return nil, err
	}
	f, err := l.root.OpenFile(name, flag|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err != nil || !os.SameFile(before, fi) {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}, f.Close())
	}
	return f, nil
}

func (l *Layout) rename(from, to string) error {
	if err := l.fail("rename", to); err != nil {
		return err
	}
	return l.root.Rename(from, to)
}

func (l *Layout) remove(name string) error {
	if err := l.fail("remove", name); err != nil {
		return err
	}
	return l.root.Remove(name)
}

func (l *Layout) link(from, to string) error {
	if err := l.fail("link", to); err != nil {
		return err
	}
	return l.root.Link(from, to)
}

// mkdirAll makes a directory and those above it. A link on the way is an error.
func (l *Layout) mkdirAll(dir string) error {
	if fi, err := l.lstatDir(dir); err == nil && fi {
		return nil
	}
	if err := l.fail("mkdir", dir); err != nil {
		return err
	}
	if err := l.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if is, err := l.lstatDir(dir); err != nil || !is {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: store.ErrNotRegular}
	}
	return nil
}

// lstatDir reports whether a directory is there, and every one above it, none of them a link.
func (l *Layout) lstatDir(dir string) (bool, error) {
	for ; dir != "."; dir = path.Dir(dir) {
		fi, err := l.root.Lstat(dir)
		if err != nil || !fi.IsDir() {
			return false, err
		}
	}
	return true, nil
}

// syncFile brings an open file, or directory, to disk and closes it.
func (l *Layout) syncFile(f *os.File) error {
	err := l.fail("sync", f.Name())
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (l *Layout) syncDir(dir string) error {
	f, err := l.root.Open(dir)
	if err != nil {
		return err
	}
	if err := l.syncFile(f); err != nil {
		return fmt.Errorf("bringing %s to disk: %w", dir, err)
	}
	return nil
}

// settle has the names in a directory survive a power cut, and the directory's own.
func (l *Layout) settle(dir string) error {
	var fresh []string
	for above := dir; above != "." && !l.isDurable(above); above = path.Dir(above) {
		fresh = append(fresh, above)
		if err := l.syncDir(path.Dir(above)); err != nil {
			return err
		}
	}
	if err := l.syncDir(dir); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, dir := range fresh {
		l.durable[dir] = true
	}
	return nil
}

func (l *Layout) isDurable(dir string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable[dir]
}

// newTemp is the name of a file that is to be staged.
func (l *Layout) newTemp() (string, error) {
	l.swept.Do(func() { _ = l.root.RemoveAll(staged) }) // of a killed owner
	if err := l.mkdirAll(staged); err != nil {
		return "", err
	}
	return path.Join(staged, strconv.FormatUint(l.temps.Add(1), 10)), nil
}

// stage writes a new file, which is on disk then.
func (l *Layout) stage(data []byte) (temp string, err error) {
	if temp, err = l.newTemp(); err != nil {
		return "", err
	}
	if err := l.write(temp, bytes.NewReader(data)); err != nil {
		l.discard(temp)
		return "", err
	}
	return temp, nil
}

// write makes a file of what r has, on disk.
func (l *Layout) write(name string, r io.Reader) error {
	f, err := l.openFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if _, err := io.Copy(faultyWriter{l, f}, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return l.syncFile(f)
}

type faultyWriter struct {
	l *Layout
	f *os.File
}

func (w faultyWriter) Write(p []byte) (int, error) {
	if err := w.l.fail("write", w.f.Name()); err != nil {
		return 0, err
	}
	return w.f.Write(p)
}

// writeFile replaces a file whole. Its name is durable once settle was called.
func (l *Layout) writeFile(name string, data []byte) error {
	temp, err := l.stage(data)
	if err != nil {
		return err
	}
	if err := l.rename(temp, name); err != nil {
		l.discard(temp)
		return err
	}
	return nil
}

// discard removes a staged file. Where that fails the next owner does it.
func (l *Layout) discard(temp string) { _ = l.remove(temp) }
