package e2e

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestScratch: what `make build` makes runs where there is nothing else: no C library, no
// /etc, no /tmp, as in a container image from scratch.
func TestScratch(t *testing.T) {
	root := t.TempDir()
	bin := filepath.Join(root, "chartserve")
	build := exec.Command("make", "build", "BIN="+bin)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		t.Errorf("it is linked to %q, %v", libs, err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	if err := os.CopyFS(filepath.Join(root, "charts"), os.DirFS(filepath.Join("..", "..", "charts"))); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"version"}, {"build", "--repo-path", "/out", "/charts"}, {"verify", "--repo-path", "/out"},
		{"index", "/out"},
	} {
		cmd := exec.Command("/chartserve", args...)
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("chartserve %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if index, err := os.ReadFile(filepath.Join(root, "out", "index.yaml")); err != nil || !strings.Contains(string(index), "name: hello") {
		t.Errorf("the index is %q, %v", index, err)
	}
}
