package layout

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
)

// Blobs that are the file of an archive go with what is written into that, and no others.
func TestDropFile(t *testing.T) {
	d := digest.FromString("archive")
	for name, tt := range map[string]struct {
		change func(path string) error
		want   string // names that have the blob after it
		files  int
	}{
		"written into": {func(p string) error { return os.WriteFile(p, []byte("another"), 0o644) }, "copy", 3},
		"truncated":    {func(p string) error { return os.Truncate(p, 0) }, "copy", 3},
		"touched":      {func(p string) error { return os.Chmod(p, 0o600) }, "a b/c copy", 0},
		"replaced": {func(p string) error {
			return errors.Join(os.WriteFile(p+".new", []byte("another"), 0o644), os.Rename(p+".new", p))
		}, "a b/c copy", 0},
		"removed": {os.Remove, "a b/c copy", 0},
		"a link":  {func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/dev/null", p)) }, "a b/c copy", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := archived(t)
			l := start(t, dir, Options{})
			if n, err := l.DropFile(d, "a-1.tgz"); n != 0 || err != nil {
				t.Errorf("before a push: %d, %v", n, err)
			}
			share(t, l, dir)
			must(t, tt.change(filepath.Join(dir, "a-1.tgz")))
			if n, err := l.DropFile(d, "a-1.tgz"); n != tt.files || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
			if got := havers(t, l, d); got != tt.want {
				t.Errorf("%q have the blob, want %q", got, tt.want)
			}
			whole(t, dir)
			_, err := send(l, "a", "archive")
			must(t, err)
			_, err = send(l, "b/c", "archive")
			must(t, err)
			if got := havers(t, l, d); got != "a b/c copy" {
				t.Errorf("%q have it once it was pushed again", got)
			}
			whole(t, dir)
		})
	}
}

// share has an archive be a blob of two names, and a third one have a copy of it.
func share(t *testing.T, l *Layout, dir string) {
	t.Helper()
	d := digest.FromString("archive")
	_, err := send(l, "copy", "archive")
	must(t, err)
	must(t, l.Link("a", d, "a-1.tgz"))
	_, err = l.Mount("b/c", "a", d)
	must(t, err)
}

// havers are the names that have a blob with its content.
func havers(t *testing.T, l *Layout, d digest.Digest) string {
	t.Helper()
	var all []string
	for _, name := range []string{"a", "b/c", "copy"} {
		if digest.FromString(blob(t, l, name, d)) == d {
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}

// Where an operation fails the next call does the rest.
func TestDropFileFaults(t *testing.T) {
	d := digest.FromString("archive")
	for n := 1; ; n++ {
		dir := archived(t)
		f, failed := &faults{}, false
		l := start(t, dir, Options{Fault: f.ask})
		share(t, l, dir)
		must(t, os.WriteFile(filepath.Join(dir, "a-1.tgz"), []byte("another"), 0o644))
		begun := len(f.ops)
		f.fail = func(k int, op, name string) error {
			if k != begun+n {
				return nil
			}
			failed = true
			return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
		}
		_, err := l.DropFile(d, "a-1.tgz")
		if !failed {
			if n < 10 {
				t.Errorf("%d operations", n)
			}
			break
		}
		if op := f.ops[begun+n-1]; err != nil && !errors.Is(err, syscall.EIO) || err == nil && !strings.HasPrefix(op, "remove ") && !strings.HasPrefix(op, "stat ") {
			t.Errorf("%s: got %v", op, err)
		}
		_, err = l.DropFile(d, "a-1.tgz")
		must(t, err)
		if got := havers(t, l, d); got != "copy" {
			t.Errorf("%s: %q have it", f.ops[begun+n-1], got)
		}
		whole(t, dir)
	}
}
