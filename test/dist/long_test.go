package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// long reports whether tests may take what time they need, as in make torture.
func long() bool { return os.Getenv("TORTURE") == "long" }

// samples copies the sample charts into a folder of the test.
func samples(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "charts")
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "charts"))))
	return dir
}

// archives returns what a build of charts publishes: the bytes of each file by its name. The
// program is called as command says; into is where it writes.
func archives(t *testing.T, charts, into string, command ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(command[0], append(command[1:], "build", "--strict", "--repo-path", into, charts)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SOURCE_DATE_EPOCH=1000000000"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	files := map[string]string{}
	found, err := filepath.Glob(filepath.Join(into, "*"))
	must(t, err)
	for _, path := range found {
		if filepath.Base(path)[0] == '.' { // what is remembered of files, such as their inodes
			continue
		}
		data, err := os.ReadFile(path)
		must(t, err)
		files[filepath.Base(path)] = string(data)
	}
	return files
}

// same compares two results of archives.
func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) || len(want) < 5 || !strings.Contains(want["index.yaml"], "hello-") {
		t.Errorf("got %d files, want %d, with an index of the samples", len(got), len(want))
	}
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s is not the same: got %d bytes, want %d", name, len(got[name]), len(data))
		}
	}
}
