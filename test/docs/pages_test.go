//go:build linux

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Enter()
	os.Exit(m.Run())
}

// repository is the root of the repository.
var repository = filepath.Join("..", "..")

// pages are the pages of the repository that people read, relative to it.
func pages(t *testing.T) []string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "--", "*.md")
	list.Dir = repository
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(page string) bool {
		return strings.Contains(page, "testdata/")
	})
}

func read(t *testing.T, page string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(repository, page))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// steps are the steps of a page that is in the repository. What is wrong with its blocks is a failure.
func steps(t *testing.T, page string) []Step {
	t.Helper()
	steps, err := Parse(page, read(t, page))
	if err != nil {
		t.Error(err)
	}
	return steps
}

// TestPages runs the command blocks of every page.
func TestPages(t *testing.T) {
	trees := Mount{corpus(t), "/opt/corpus", true}
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			if len(steps(t, page)) == 0 {
				return
			}
			t.Parallel()
			report, err := run(t, page, read(t, page), time.Minute, trees)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d commands run, %d outputs compared, not run: %q, slow: %q", report.Run, report.Compared, report.Not, report.Slow)
		})
	}
}

// run runs a page with the programs of this machine; one that is not there is a failure.
func run(t *testing.T, page string, source []byte, patience time.Duration, mounts ...Mount) (Report, error) {
	t.Helper()
	bin := absolute(t, filepath.Join(repository, "bin"))
	for _, name := range []string{"chartserve", "helm2", "helm3", "helm4", "helm-cm-push", "oras", "crane", "regctl", "skopeo", "htpasswd"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			t.Fatalf("make build and test/clients.sh put it there: %v", err)
		}
	}
	subcommands, err := exec.Command(filepath.Join(bin, "chartserve"), "__complete", "").Output()
	if err != nil {
		t.Fatal(err)
	}
	r := Runner{
		Setups:   "setup",
		Patience: patience,
		Env:      []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"},
	}
	for line := range strings.Lines(string(subcommands)) {
		name, _, _ := strings.Cut(line, "\t")
		r.Subcommands = append(r.Subcommands, name)
	}
	root := t.TempDir()
	if err := MakeRoot(root, bin, "tools", &r.Machine); err != nil {
		t.Fatal(err)
	}
	r.Machine.mount(true, absolute(t, repository), "/opt/repository")
	r.Machine.Mounts = append(r.Machine.Mounts, mounts...)
	return r.Run(page, source, root)
}

// corpus is the program that makes charts in the shape of openstack-helm's, for the pages about them.
func corpus(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "corpus")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "corpus")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// most is how many blocks may say that they can't be run here. It goes down, or up with a reason
// that no stand-in in tools/ takes away.
const most = 6

// TestNotRun lists the blocks that are not run.
func TestNotRun(t *testing.T) {
	count := 0
	for _, page := range pages(t) {
		for _, step := range steps(t, page) {
			if step.Mark.No != "" {
				count++
				t.Logf("%s:%d: %s", page, step.Line, step.Mark.No)
			}
		}
	}
	if count > most {
		t.Errorf("%d blocks are not run, and %d may be", count, most)
	}
}

// TestSetups: each setup is of a page, or named by one.
func TestSetups(t *testing.T) {
	used := map[string]bool{"functions": true}
	for _, page := range pages(t) {
		used[setupOf(page)] = true
		for _, step := range steps(t, page) {
			used[step.Mark.Setup] = true
		}
	}
	setups, err := os.ReadDir("setup")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range setups {
		if !used[strings.TrimSuffix(s.Name(), ".sh")] {
			t.Errorf("setup/%s is of no page", s.Name())
		}
	}
}
