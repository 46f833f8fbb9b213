package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// made returns the one path in the folder of results that matches a pattern. part is what makes
// it, by packaging's name.
func made(t *testing.T, part, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder(t), pattern))
	must(t, err)
	if len(found) == 0 && os.Getenv("DIST") == "" {
		t.Skipf("%s is not there: make dist OUT=bin/dist (its part %s)", pattern, part)
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d files match %s, want 1: remove it, and run make dist again", folder(t), len(found), pattern)
	}
	return found[0]
}

// folder is where make dist left its results.
func folder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DIST")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin", "dist")
	}
	dir, err := filepath.Abs(dir)
	must(t, err)
	return dir
}

// program is the binary for this machine.
func program(t *testing.T) string {
	t.Helper()
	return made(t, "binaries", filepath.Join("build", runtime.GOOS+"_"+runtime.GOARCH, "chartserve*"))
}

// output runs a program, which must end with status 0, and returns what it prints to stdout.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, said.String())
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVersion(t *testing.T) {
	want := regexp.MustCompile(`^chartserve version \d+\.\d+\.\d+\S* \(commit [0-9a-f]{7}(-dirty)?, go1\.\d+\S*, ` + runtime.GOOS + `/` + runtime.GOARCH + `\)\n$`)
	if got := output(t, program(t), "version"); !want.MatchString(got) {
		t.Errorf("version: got %q, want a match of %s", got, want)
	}
}
