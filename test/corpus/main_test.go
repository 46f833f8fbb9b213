package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"nothing":      {nil, 2},
		"no directory": {[]string{"-kind", "archives"}, 2},
		"a word":       {[]string{"-o", t.TempDir(), "-kind", "archives", "more"}, 2},
		"unknown flag": {[]string{"-x"}, 2},
		"unknown kind": {[]string{"-o", t.TempDir(), "-kind", "taco-v3"}, 1},
		"archives":     {[]string{"-o", t.TempDir(), "-kind", "archives", "-n", "3"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			if got := run(c.args, &out, &log); got != c.want {
				t.Errorf("exit status: got %d, want %d\n%s%s", got, c.want, &out, &log)
			}
		})
	}
}

// TestTreeOnDisk: links and executable bits arrive, and a second tree is never
// written over the first.
func TestTreeOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "taco")
	args := []string{"-o", dir, "-kind", "taco-v2"}
	var out, log bytes.Buffer
	if got := run(args, &out, &log); got != 0 {
		t.Fatalf("exit status: got %d\n%s", got, &log)
	}
	if target, err := os.Readlink(filepath.Join(dir, "tools/deployment/multinode/common")); err != nil || target != "../common" {
		t.Errorf("a link: got %q, %v", target, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "nova/Chart.yaml")); err != nil || !strings.Contains(string(data), "\n---\n") || !strings.HasSuffix(string(data), "\n...\n") {
		t.Errorf("nova/Chart.yaml: %v, want it between --- and ...\n%s", err, data)
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "tools/deployment/common/*.sh"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: got %v, %v", scripts, err)
	}
	if fi, err := os.Stat(scripts[0]); err != nil || fi.Mode()&0o111 == 0 {
		t.Errorf("%s: not executable (%v)", scripts[0], err)
	}
	if got := run(args, &out, &log); got != 1 {
		t.Errorf("writing a tree over a tree: exit status %d, want 1", got)
	}
}
