package dist

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestModulePath: make module renames the module so that everything still builds, does so once,
// and renames it back to the same bytes.
func TestModulePath(t *testing.T) {
	t.Parallel()
	dir := clone(t)
	rename := func(path string) string {
		command(t, dir, nil, "make", "module", "PATH="+path)
		return command(t, dir, nil, "git", "diff")
	}
	once := rename("example.org/x/chartserve")
	if rename("example.org/x/chartserve") != once || !strings.Contains(once, "+module example.org/x/chartserve\n") {
		t.Error("it is renamed by halves, or twice")
	}
	command(t, dir, nil, "go", "build", "-o", filepath.Join(t.TempDir(), "chartserve"), "./cmd/chartserve")
	command(t, dir, nil, "go", "vet", "./internal", "./cmd/chartserve")
	command(t, dir, nil, "go", "test", "./internal")
	for _, module := range strings.Fields(command(t, dir, nil, "git", "ls-files", "*/go.mod")) {
		if filepath.Dir(module) != "test/tools" { // it holds no code
			command(t, filepath.Join(dir, filepath.Dir(module)), nil, "go", "mod", "tidy", "-diff")
		}
	}
	if out, err := exec.Command("make", "-C", dir, "module", "PATH=Not a path").CombinedOutput(); err == nil || !strings.Contains(string(out), "no module path") {
		t.Errorf("a path with blanks: got %v\n%s", err, out)
	}
	if left := rename("chartserve"); left != "" {
		t.Errorf("renamed back, and still:\n%s", left)
	}
}
