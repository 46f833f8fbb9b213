//go:build linux

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWatchLimit runs a server that may have five watches: it polls, and says so.
func TestWatchLimit(t *testing.T) {
	// The limit is that of a user namespace made for this server alone.
	wrapper := []string{"unshare", "--user", "--map-root-user", "sh", "-c", `echo 5 >/proc/sys/user/max_inotify_watches && exec "$@"`, "sh"}
	if out, err := exec.Command(wrapper[0], append(wrapper[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no limit can be set for one process: %v: %s", err, out)
	}
	tree := orchard(t, 20)
	s := launchBy(t, wrapper, filepath.Join(t.TempDir(), "repo"), tree)
	s.await()
	if mode := s.status().WatchMode; !strings.Contains(mode, "polling") || !strings.Contains(mode, "limit") {
		t.Errorf("watch mode %q", mode)
	}
	t.Logf("watch mode: %s", s.status().WatchMode)
	for n := range 3 {
		writeFile(t, filepath.Join(tree, "c5", "new"), fmt.Append(nil, n))
		settles(t, s, tree)
	}
	s.stop()
}

// TestWatchQueueOverflow stops the server while more happens than the system
// keeps for it.
func TestWatchQueueOverflow(t *testing.T) {
	tree := orchard(t, 20)
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	time.Sleep(200 * time.Millisecond)
	must(t, s.cmd.Process.Signal(syscall.SIGSTOP))
	busy := filepath.Join(tree, "busy")
	for n := range 40_000 {
		must(t, os.WriteFile(busy, nil, 0o644))
		if n%2 == 1 {
			must(t, os.Remove(busy))
		}
	}
	plant(t, tree, 50)
	writeFile(t, filepath.Join(tree, "plain", "deep", "c60", "Chart.yaml"), []byte("apiVersion: v2\nname: c60\nversion: 1.0.0\n"))
	must(t, os.RemoveAll(filepath.Join(tree, "c3", "templates")))
	must(t, s.cmd.Process.Signal(syscall.SIGCONT))
	settles(t, s, tree)
	writeFile(t, filepath.Join(tree, "plain", "deep", "c60", "values.yaml"), []byte("a: 2\n"))
	settles(t, s, tree)
}

func TestRootRemovedAndMadeAgain(t *testing.T) {
	base := t.TempDir()
	tree := filepath.Join(base, "tree")
	s := func() *server {
		must(t, os.Rename(orchard(t, 5), tree))
		return serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	}()
	for n := range pick(5, 50) {
		must(t, os.RemoveAll(tree))
		time.Sleep(time.Duration(n*40) * time.Millisecond)
		if err := s.serves("c1-1.0.0", "lib-1.0.0"); err != nil {
			t.Errorf("with the source gone: %v", err)
		}
		fresh := orchard(t, 5)
		writeFile(t, filepath.Join(fresh, "c2", "n"), fmt.Append(nil, n))
		if n%2 == 0 {
			must(t, os.Rename(fresh, tree))
		} else {
			must(t, os.CopyFS(tree, os.DirFS(fresh)))
		}
		settles(t, s, tree)
		writeFile(t, filepath.Join(tree, "c3", "n"), fmt.Append(nil, n))
		settles(t, s, tree)
	}
}

// TestClock sets modification times to the future and the past, and back to what
// they were while the content is another of the same size.
func TestClock(t *testing.T) {
	tree := orchard(t, 3)
	file := filepath.Join(tree, "c1", "values.yaml")
	s := launch(t, filepath.Join(t.TempDir(), "repo"), tree)
	s.await()
	for n, at := range []time.Time{time.Now().AddDate(50, 0, 0), time.Unix(0, 0), time.Unix(-1<<33, 0), time.Now().AddDate(0, 0, 1), time.Now(), time.Unix(0, 0), time.Unix(0, 0)} {
		must(t, os.WriteFile(file, fmt.Appendf(nil, "a: %d\n", n), 0o644))
		must(t, os.Chtimes(file, at, at))
		settles(t, s, tree)
	}
	// The same while it is not running: only the change time tells.
	s.stop()
	repo := s.repo
	must(t, os.WriteFile(file, []byte("a: X\n"), 0o644))
	must(t, os.Chtimes(file, time.Unix(0, 0), time.Unix(0, 0)))
	again := launch(t, repo, tree)
	again.await()
	settles(t, again, tree)
	again.stop()
}
