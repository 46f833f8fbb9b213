package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOutputs(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file  string
		parts bool
		path  string
		want  bool
	}{
		{"x.tar", false, "x.tar", true},
		{"x.tar", false, "x.tar.001", false},
		{"x.tar", false, "y.tar", false},
		{"x.tar", false, "sub/x.tar", false},
		{"link/x.tar", false, "x.tar", true},
		{"x.tar", true, "x.tar", true},
		{"x.tar", true, "x.tar.manifest", true},
		{"x.tar", true, "x.tarball", false},
		{"x", true, "x.d/values.yaml", false},
		{"", false, "x.tar", false},
		{"gone/x.tar", true, "x.tar", false},
	} {
		file := c.file
		if file != "" {
			file = filepath.Join(dir, file)
		}
		if got := outputs(c.parts, file)(filepath.Join(dir, c.path)); got != c.want {
			t.Errorf("%q, parts %v: %s is one: %v", c.file, c.parts, c.path, got)
		}
	}
	t.Chdir(dir)
	if outputs(false, "")(dir) {
		t.Error("no file at all: the working directory is one")
	}
}
