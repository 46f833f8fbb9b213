//go:build linux

package torture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user whom permissions bind.
const nobody = 65534

// handOver gives a tree below the test's own temporary directory to nobody.
// Permissions bind the test's user already where that is not root.
func handOver(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	must(t, os.Chmod(filepath.Dir(t.TempDir()), 0o755))
	must(t, filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, nobody, nobody)
	}))
}

// asNobody has a command run as nobody.
func asNobody(t *testing.T) func(*exec.Cmd) {
	if os.Getuid() != 0 {
		return func(*exec.Cmd) {}
	}
	// The program itself stands where only root can look.
	data, err := os.ReadFile(program(t))
	must(t, err)
	path := filepath.Join(t.TempDir(), "chartserve")
	must(t, os.WriteFile(path, data, 0o755))
	return func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args[0] = path, path
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		handOver(t, cmd.Dir)
	}
}

// locks takes all permissions of path away until the test calls unlock, or ends.
func locks(t *testing.T, path string, mode fs.FileMode) (unlock func()) {
	t.Helper()
	fi, err := os.Stat(path)
	must(t, err)
	must(t, os.Chmod(path, mode))
	t.Cleanup(func() { _ = os.Chmod(path, fi.Mode()) }) // it may be gone
	return func() { must(t, os.Chmod(path, fi.Mode())) }
}

// TestUnreadable has a user serve what that one may not read all of.
func TestUnreadable(t *testing.T) {
	base := t.TempDir()
	tree, other := filepath.Join(base, "tree"), filepath.Join(base, "other")
	for _, name := range []string{"good", "file", "folder", "templates", "metadata"} {
		writeChart(t, filepath.Join(tree, name), name, "1.0.0", 0)
	}
	writeChart(t, filepath.Join(other, "far"), "far", "1.0.0", 0)
	writeFile(t, filepath.Join(tree, "given.tgz"), tarball(t, goodMembers("given")...))
	want := cleanBuild(t, tree, other)
	handOver(t, base)
	places := map[string]string{
		"file": "tree/file/values.yaml", "folder": "tree/folder", "templates": "tree/templates/templates",
		"metadata": "tree/metadata/Chart.yaml", "given": "tree/given.tgz", "far": "other",
	}
	unlock := map[string]func(){}
	for name, place := range places {
		unlock[name] = locks(t, filepath.Join(base, place), 0)
	}
	s := launchWith(t, asNobody(t), filepath.Join(base, "repo"), tree, other)
	s.await()
	defer s.stop()
	for name, place := range places {
		reported := filepath.Base(place)
		if strings.HasPrefix(place, "tree/"+name+"/") {
			reported = name
		}
		reason := s.status().failure(reported)
		t.Logf("%s: %s", place, reason)
		if !strings.Contains(reason, "permission denied") || !strings.Contains(reason, "make it readable") {
			t.Errorf("%s: reason %q, want one with a remedy", place, reason)
		}
	}
	if err := s.serves("good-1.0.0"); err != nil || len(s.index()) != 1 {
		t.Errorf("the index has %v, %v", s.index(), err)
	}
	// Each is noticed by itself, without another event.
	for name := range places {
		unlock[name]()
		until(t, settleTime, func() error { return s.serves(name + "-1.0.0") })
	}
	if _, body := s.get("index.yaml"); string(body) != string(want.raw) {
		t.Errorf("the index is not that of a clean build: %s", firstDifference(string(body), string(want.raw)))
	}
	// What was served stays so when it can't be read any more, and edits of it come
	// when it can be.
	for name, place := range places {
		unlock := locks(t, filepath.Join(base, place), 0)
		until(t, settleTime, func() error {
			// An archive with the times that it had is not read again.
			if len(s.status().Failures) == 0 && name != "given" {
				return fmt.Errorf("%s: nothing is reported", place)
			}
			return s.serves(name + "-1.0.0")
		})
		unlock()
		until(t, settleTime, func() error {
			if f := s.status().Failures; len(f) > 0 {
				return fmt.Errorf("%s: %+v", place, f)
			}
			return s.serves(name + "-1.0.0")
		})
	}
}

// TestFolderNotWritable has a repository folder that its user may not write to, at
// the start and later.
func TestFolderNotWritable(t *testing.T) {
	base := t.TempDir()
	tree, repo := filepath.Join(base, "tree"), filepath.Join(base, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 0)
	must(t, os.Mkdir(repo, 0o755))
	handOver(t, base)
	unlock := locks(t, repo, 0o555)
	s := launchWith(t, asNobody(t), repo, tree)
	<-s.ended
	var exit *exec.ExitError
	if !errors.As(s.err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("chartserve ended with %v, want exit status 1", s.err)
	}
	if out := s.logs.String(); !strings.Contains(out, "permission denied") || !strings.Contains(out, "must be writable") {
		t.Errorf("it printed no remedy: %s", out)
	}
	unlock()

	s = launchWith(t, asNobody(t), repo, "--digest-urls", tree)
	s.await()
	defer s.stop()
	before := s.index()
	unlock = locks(t, repo, 0o555)
	writeFile(t, filepath.Join(tree, "a", "new"), []byte("new"))
	troubled(t, s, before, "a-1.0.0")
	if p := s.status().Problem; !strings.Contains(p, "make the folder writable") {
		t.Errorf("the problem has no remedy: %s", p)
	}
	unlock()
	recovered(t, s, "--digest-urls", tree)
}
