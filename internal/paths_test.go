package internal_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoMachinePaths looks through every file that git knows, or would add, for a
// path of the machine it was written on. Test data is left out: there a path may
// be the very input that is tested.
func TestNoMachinePaths(t *testing.T) {
	// A folder that people work in, at the start of an absolute path: neither in the
	// middle of one nor behind a variable.
	machine := regexp.MustCompile(`(?:^|[^\w.~)}-])(/(?:work|root|home|Users)/[\w.-]*)`)

	for _, name := range tracked(t) {
		if strings.Contains("/"+name, "/testdata/") {
			continue
		}
		name := filepath.FromSlash(name)
		if info, err := os.Lstat(filepath.Join("..", name)); err != nil || !info.Mode().IsRegular() {
			continue // a link, or deleted and not yet committed
		}
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(data, 0) >= 0 {
			continue // not text
		}
		for i, line := range strings.Split(string(data), "\n") {
			if found := machine.FindStringSubmatch(line); found != nil {
				t.Errorf("%s:%d: %s is a path of one machine", name, i+1, found[1])
			}
		}
	}
}

// tracked lists the files that git tracks and those that it would, relative to
// the repository.
func tracked(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	index, err := exec.Command("git", "rev-parse", "--git-path", "index").Output()
	if err != nil {
		t.Skip("not in a git repository")
	}
	// Looked at for the go command's sake: it reruns the test when files were added.
	_, _ = os.Stat(strings.TrimSpace(string(index)))
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(names) < 10 {
		t.Fatalf("git lists only %q", names)
	}
	return names
}
