package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// List finds the files at any depth in the order of their names, none behind a link,
// and tells each directory before it looks into it.
func TestList(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	for _, name := range []string{"b.tgz", "a.tgz", "note", "sub/deep/c.tgz", "sub/.hidden", "sub/by-digest/d.tgz", ".hidden/e.tgz", "by-digest/00/f.tgz", ".tmp-1-1"} {
		s.write(t, name, name)
	}
	must(t, os.Symlink("a.tgz", filepath.Join(s.path, "link.tgz")))
	must(t, os.Symlink("sub", filepath.Join(s.path, "way")))
	var dirs []string
	files, err := s.List(".", func(dir string) { dirs = append(dirs, dir) })
	must(t, err)
	var got []string
	for _, f := range files {
		if got = append(got, f.Name); f.Err != nil {
			t.Error(f.Err)
		}
	}
	want := []string{"a.tgz", "b.tgz", "link.tgz", "note", "sub/by-digest/d.tgz", "sub/deep/c.tgz", "way"}
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	for i, dir := range []string{"", "/sub", "/sub/by-digest", "/sub/deep"} {
		if i >= len(dirs) || dirs[i] != s.path+dir {
			t.Fatalf("directories %v", dirs)
		}
	}
	if _, err := os.Lstat(filepath.Join(s.path, ".tmp-1-1")); err == nil {
		t.Error("what a killed owner staged is still there")
	}
	staged := s.stage(t, "x")
	if _, err := s.List(".", func(string) {}); err != nil {
		t.Fatal(err)
	}
	must(t, s.Commit(&Batch{Archives: []*Archive{{Name: "x.tgz", Staged: staged}}}))
}

// A directory that can't be listed is not an empty one; one that is gone is.
func TestListFaults(t *testing.T) {
	for name, c := range map[string]struct {
		dir  string
		err  error
		want string // of the files; empty: an error
	}{
		"the folder":       {".", syscall.EIO, ""},
		"the folder, gone": {".", syscall.ENOENT, ""},
		"below":            {"sub", syscall.EIO, "a.tgz sub: input/output error"},
		"below, gone":      {"sub", syscall.ENOENT, "a.tgz"},
	} {
		s := openStore(t, t.TempDir(), Options{Fault: failing("list", c.dir, c.err).ask})
		s.write(t, "a.tgz", "a")
		s.write(t, "sub/b.tgz", "b")
		files, err := s.List(".", func(string) {})
		if errors.Is(err, c.err) != (c.want == "") {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, f := range files {
			if got = append(got, f.Name); f.Err != nil {
				got[len(got)-1] += fmt.Sprintf(": %v", errors.Unwrap(f.Err))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: files %v, want %s", name, got, c.want)
		}
	}
}
