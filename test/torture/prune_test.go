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

// TestKilledPrune kills the server, who asks it, or both while versions are retired: the
// index has all of them or none at every moment, and what was asked for is done by
// whoever comes next.
func TestKilledPrune(t *testing.T) {
	t.Parallel()
	const charts = 20
	random, tree, base := newRandom(t), t.TempDir(), filepath.Join(t.TempDir(), "base")
	for _, version := range []string{"1.0.0", "1.1.0"} {
		for i := range charts {
			name := fmt.Sprintf("c%d", i)
			writeChart(t, filepath.Join(tree, name), name, version, 0)
		}
		if out, err := exec.Command(program(t), "build", "--repo-path", base, tree).CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
	}
	old := func(repo string) int {
		t.Helper()
		st, err := readFolder(repo, nil)
		must(t, err)
		n := 0
		for id, e := range st.index {
			if st.archives[id+".tgz"] != e.Digest {
				t.Errorf("the index lists %s, and the file is not that", id)
			}
			if strings.HasSuffix(id, "-1.0.0") {
				n++
			}
		}
		if n != 0 && n != charts || len(st.index) != n+charts {
			t.Errorf("the index has %d versions, of which %d were to be retired", len(st.index), n)
		}
		return n
	}
	done := map[string]int{}
	for n := range pick(9, 150) {
		repo := filepath.Join(t.TempDir(), "repo")
		must(t, os.CopyFS(repo, os.DirFS(base)))
		s := launch(t, repo, tree)
		s.await()
		how := []string{"the server", "both", "the client"}[n%3]
		client := exec.Command(program(t), "prune", "--repo-path", repo, "--not-live")
		if n == 1 { // once for certain between the question and its answer
			must(t, s.cmd.Process.Signal(syscall.SIGSTOP))
			must(t, client.Start())
			until(t, settleTime, func() error {
				_, err := os.Lstat(filepath.Join(repo, ".question"))
				return err
			})
		} else {
			must(t, client.Start())
			time.Sleep(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		}
		if how != "the client" {
			s.kill()
		}
		if how != "the server" {
			_ = client.Process.Kill() // it may have ended
		}
		asked := false
		if how == "both" {
			_ = client.Wait()
			_, err := os.Lstat(filepath.Join(repo, ".question"))
			asked = err == nil || old(repo) == 0
			s = launch(t, repo, tree)
			s.await()
		} else if err := client.Wait(); err != nil && how == "the server" {
			t.Errorf("%s was killed, and prune ended with %v", how, err)
		}
		until(t, settleTime, func() error {
			if _, err := os.Lstat(filepath.Join(repo, ".question")); err == nil {
				return fmt.Errorf("%s was killed, and the question is still there", how)
			}
			return nil
		})
		s.kill()
		if left := old(repo); left > 0 {
			if asked || n%3 == 0 {
				t.Errorf("%s was killed, and what was asked for is not done", how)
			}
			how += ", before it began"
		}
		done[how]++
	}
	t.Logf("killed: %v", done)
}
