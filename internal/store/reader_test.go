package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/unixtest"
)

// Only regular files are opened, none through a link, and a FIFO is not waited for.
func TestReader(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	r := NewReader(root)
	in := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.MkdirAll(in("dir/deep"), 0o755))
	for _, name := range []string{"file", "dir/deep/file"} {
		must(t, os.WriteFile(in(name), []byte("text"), 0o644))
	}
	must(t, os.Symlink("file", in("link")))
	must(t, os.Symlink("/etc/passwd", in("out")))
	must(t, os.Symlink("dir", in("way")))
	must(t, unixtest.Fifo(in("fifo")))
	done := make(chan bool)
	go func() {
		defer close(done)
		for name, want := range map[string]error{
			"file": nil, "dir/deep/file": nil,
			"none": fs.ErrNotExist, "dir/none": fs.ErrNotExist,
			"link": ErrNotRegular, "out": ErrNotRegular, "dir": ErrNotRegular, "fifo": ErrNotRegular,
			"way/deep/file": ErrNotRegular, "file/x": ErrNotRegular,
		} {
			_, err := r.Stat(name)
			if !errors.Is(err, want) {
				t.Errorf("Stat %s: %v, want %v", name, err, want)
			}
			f, err := r.Open(name)
			if !errors.Is(err, want) {
				t.Errorf("Open %s: %v, want %v", name, err, want)
			}
			if err != nil {
				continue
			}
			if data, err := io.ReadAll(f); string(data) != "text" || err != nil {
				t.Errorf("%s has %q, %v", name, data, err)
			}
			f.Close()
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a FIFO is waited for")
	}
	if _, err := r.Open("../" + filepath.Base(dir) + "/file"); err == nil {
		t.Error("a path leads out of the folder")
	}
	if _, err := r.ReadFile("file", 3); err == nil {
		t.Error("a file over the limit was read")
	}
	if data, err := r.ReadFile("file", 4); string(data) != "text" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
}

// What takes a file's place between the look at it and its opening is not opened.
func TestReaderRaces(t *testing.T) {
	for kind, swap := range map[string]func(path, away string) error{
		"a link":  func(path, away string) error { return os.Symlink(away, path) },
		"a FIFO":  func(path, _ string) error { return unixtest.Fifo(path) },
		"nothing": func(path, _ string) error { return nil },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		must(t, os.WriteFile(path, nil, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "secret"), nil, 0o644))
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		r := Reader{root, func(op, name string) error {
			if op == "open" {
				must(t, os.Remove(path))
				must(t, swap(path, "secret"))
			}
			return nil
		}}
		if f, err := r.Open("file"); err == nil {
			t.Errorf("%s: opened %s", kind, f.Name())
		}
	}
}

// The shortages of the moment are no reason against a file, whatever wraps them.
func TestPassing(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, fs.ErrNotExist: false, syscall.EIO: false, syscall.EACCES: false, syscall.ENOSPC: false,
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOMEM: true, syscall.EINTR: true, syscall.EAGAIN: true,
	} {
		if got := Passing(&Error{&fs.PathError{Err: err}}); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}
