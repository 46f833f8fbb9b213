package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chartserve/internal/fileid"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() }) // a second time where the test did it
	return s
}

// write makes a file in the folder as someone else would.
func (s *Store) write(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(s.path, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// stage stages a file with that content.
func (s *Store) stage(t testing.TB, text string) *Staged {
	t.Helper()
	staged, err := s.Stage(writing(text))
	must(t, err)
	return staged
}

func writing(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// current is the archive that has that name.
func (s *Store) current(t testing.TB, name string) *Current {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.path, name))
	must(t, err)
	fi, err := os.Lstat(filepath.Join(s.path, name))
	must(t, err)
	return &Current{Name: name, Digest: digestOf(string(data)), Stamp: fileid.StampOf(fi)}
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// contents are all files of a folder by name, but for the lock.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	must(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == lockName {
			return err
		}
		data, err := os.ReadFile(p)
		got[strings.TrimPrefix(p, dir+"/")] = string(data)
		return err
	}))
	return got
}

// faults notes the operations on a folder and lets some of them fail.
type faults struct {
	mu   sync.Mutex
	ops  []string // those that were asked for, as "OP NAME"
	fail func(n int, op, name string) error
}

func (f *faults) ask(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops = append(f.ops, op+" "+strings.TrimPrefix(name, "./"))
	if f.fail == nil {
		return nil
	}
	return f.fail(len(f.ops), op, name)
}

// failing lets the operations of that kind and name fail.
func failing(op, name string, err error) *faults {
	return &faults{fail: func(_ int, o, n string) error {
		if o == op && n == name {
			return &fs.PathError{Op: op, Path: name, Err: err}
		}
		return nil
	}}
}
