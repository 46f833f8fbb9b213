//go:build linux

package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// orchard is a tree of small charts: lib, and n others that contain it.
func orchard(t testing.TB, n int) string {
	t.Helper()
	tree := t.TempDir()
	writeChart(t, filepath.Join(tree, "lib"), "lib", "1.0.0", 0)
	for i := range n {
		plant(t, tree, i)
	}
	return tree
}

// plant writes chart c<i> into an orchard.
func plant(t testing.TB, tree string, i int) {
	t.Helper()
	name := fmt.Sprintf("c%d", i)
	writeChart(t, filepath.Join(tree, name), name, "1.0.0", 0)
	writeFile(t, filepath.Join(tree, name, "Chart.yaml"),
		fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: 1.0.0\ndependencies:\n- name: lib\n  version: 1.x\n  repository: file://../lib\n", name))
}

// settles waits until the server has what a clean build of the tree has.
func settles(t *testing.T, s *server, args ...string) {
	t.Helper()
	recovered(t, s, args...)
	if s.status().Failures != nil && len(s.status().Failures) > 0 {
		t.Errorf("failures: %+v", s.status().Failures)
	}
}

func TestFolderSwappedForFile(t *testing.T) {
	tree := orchard(t, 5)
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	dir, aside := filepath.Join(tree, "c1"), filepath.Join(t.TempDir(), "c1")
	random := newRandom(t)
	for range pick(20, 200) {
		must(t, os.Rename(dir, aside))
		must(t, os.WriteFile(dir, []byte("a file"), 0o644))
		time.Sleep(time.Duration(random.IntN(80)) * time.Millisecond)
		must(t, os.Remove(dir))
		must(t, os.Rename(aside, dir))
		time.Sleep(time.Duration(random.IntN(80)) * time.Millisecond)
		if err := s.serves("c1-1.0.0", "c2-1.0.0"); err != nil {
			t.Error(err)
		}
	}
	settles(t, s, tree)
}

// TestTreeInMotion deletes and brings back charts while they are packaged, and
// has a file grow while it is read.
func TestTreeInMotion(t *testing.T) {
	tree := orchard(t, 20)
	repo := filepath.Join(t.TempDir(), "repo")
	s := serve(t, repo, tree)
	stop, random := make(chan struct{}), newRandom(t)
	var busy sync.WaitGroup
	busy.Go(func() {
		f, err := os.Create(filepath.Join(tree, "c0", "log"))
		must(t, err)
		defer f.Close()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				fmt.Fprintf(f, "line %08d of a file that grows\n", n)
			}
		}
	})
	for n := range pick(60, 2000) {
		writeFile(t, filepath.Join(tree, "lib", "templates", "x.tpl"), fmt.Appendf(nil, "{{/* %d */}}\n", n))
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		i := 1 + random.IntN(19)
		must(t, os.RemoveAll(filepath.Join(tree, fmt.Sprintf("c%d", i))))
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		plant(t, tree, i)
		// Each is there all the time: what is gone from the tree stays published.
		if x := s.index(); len(x) != 21 {
			t.Fatalf("the index has %d charts, want 21", len(x))
		}
	}
	close(stop)
	busy.Wait()
	settles(t, s, tree)
}

// TestCheckouts goes back and forth between two branches.
func TestCheckouts(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	tree := orchard(t, 30)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"}, args...)...)
		cmd.Dir = tree
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "one")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	git("checkout", "-q", "-b", "two")
	for i := range 10 {
		must(t, os.RemoveAll(filepath.Join(tree, fmt.Sprintf("c%d", i))))
		plant(t, tree, 100+i)
	}
	writeFile(t, filepath.Join(tree, "lib", "templates", "x.tpl"), []byte("two\n"))
	git("add", "-A")
	git("commit", "-q", "-m", "two")
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--prune", tree)
	random := newRandom(t)
	for n := range pick(20, 100) {
		git("checkout", "-q", []string{"one", "two"}[n%2])
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		if n%5 == 4 {
			settles(t, s, tree)
		}
	}
	settles(t, s, tree)
}

// TestDependencyUpdateBeside runs Helm's own in a loop in trees that are served.
func TestDependencyUpdateBeside(t *testing.T) {
	t.Parallel()
	helm, err := filepath.Abs(filepath.Join("..", "..", "bin", "helm3"))
	must(t, err)
	if _, err := os.Stat(helm); err != nil {
		t.Skip("there is no bin/helm3: make e2e builds it")
	}
	tree := orchard(t, 3)
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	home := t.TempDir()
	for n := range pick(15, 300) {
		cmd := exec.Command(helm, "dependency", "update", filepath.Join(tree, fmt.Sprintf("c%d", n%3)))
		cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("helm dependency update: %v\n%s", err, out)
		}
		if err := s.serves("c0-1.0.0", "c1-1.0.0", "c2-1.0.0", "lib-1.0.0"); err != nil {
			// By name, a client may meet newer bytes than its index promised.
			if !strings.Contains(err.Error(), "200") {
				t.Error(err)
			}
		}
		if f := s.status().Failures; len(f) > 0 {
			t.Errorf("%+v", f)
		}
	}
	settles(t, s, tree)
}

// TestOddNames has charts whose folders and files have every name that the system
// takes.
func TestOddNames(t *testing.T) {
	tree := t.TempDir()
	for n, name := range []string{"new\nline", "tab\t", "\xff\xfe", "quo\"te'", "<b>", "a&b", "%2e%2e", "*?[x]", "~", "-rf", "ünïcödé", "с", "c", "C",
		strings.Repeat("n", 255), " ", "a b ", "$(x)", "\x01\x1b[31m"} {
		writeChart(t, filepath.Join(tree, name), fmt.Sprintf("n%d", n), "1.0.0", 0)
		writeFile(t, filepath.Join(tree, name, "files", "f "+name[:min(len(name), 200)]), []byte("x"))
	}
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	st := s.status()
	for _, f := range st.Failures {
		t.Logf("refused: %q: %s", f.Path, f.Reason)
	}
	if st.Charts+len(st.Failures) != 19 {
		t.Errorf("%d charts and %d failures of 19", st.Charts, len(st.Failures))
	}
	for name := range s.index() {
		if err := s.serves(name); err != nil {
			t.Error(err)
		}
	}
	if code, _ := s.get("/"); code != 200 {
		t.Errorf("the page answers %d", code)
	}
	if strings.Contains(s.logs.String(), "\x1b") {
		t.Error("a name's escape sequence reaches the terminal")
	}
}

// TestCaseOnly: names that differ in nothing but capitals are different names.
func TestCaseOnly(t *testing.T) {
	tree := t.TempDir()
	for _, name := range []string{"nova", "Nova", "NOVA"} {
		writeChart(t, filepath.Join(tree, name), name, "1.0.0", 0)
		for _, file := range []string{"values.yaml", "Values.yaml", "templates/a.yaml", "templates/A.yaml"} {
			writeFile(t, filepath.Join(tree, name, file), []byte("of: "+name+"\n"))
		}
	}
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	if st := s.status(); st.Charts != 3 || len(st.Failures) > 0 {
		t.Errorf("status %+v, want three charts", st)
	}
	settles(t, s, tree)
	must(t, os.Rename(filepath.Join(tree, "nova", "templates", "A.yaml"), filepath.Join(tree, "nova", "templates", "B.yaml")))
	must(t, os.Rename(filepath.Join(tree, "Nova", "Values.yaml"), filepath.Join(tree, "Nova", "VALUES.yaml")))
	must(t, os.Rename(filepath.Join(tree, "NOVA"), filepath.Join(tree, "nOVA")))
	settles(t, s, tree)
}

// TestManyFiles serves a tree with very many files that are no part of any chart:
// beside the charts, and in one of them, where .helmignore leaves them out.
func TestManyFiles(t *testing.T) {
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() && !long {
		t.Setenv("TMPDIR", "/dev/shm") // to write the files is most of the work
	}
	program(t) // is not to be built while the start is timed
	for name, dir := range map[string]string{"beside charts": "junk", "in a chart": "c0/junk"} {
		t.Run(name, func(t *testing.T) {
			tree := orchard(t, 2)
			writeFile(t, filepath.Join(tree, "c0", ".helmignore"), []byte("*.junk\n"))
			n := pick(20_000, 200_000)
			litter(t, filepath.Join(tree, dir), n)
			begun := time.Now()
			s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
			started := time.Since(begun)
			var worst time.Duration
			for i := range 5 {
				before := s.index()["c0-1.0.0"]
				begun := time.Now()
				writeFile(t, filepath.Join(tree, dir, "1", "1001.junk"), []byte("edited"))
				writeFile(t, filepath.Join(tree, "c0", "new"), fmt.Append(nil, i))
				until(t, settleTime, func() error {
					if s.index()["c0-1.0.0"] == before {
						return errors.New("the edit is not served")
					}
					return nil
				})
				worst = max(worst, time.Since(begun))
			}
			peak := s.peak()
			settles(t, s, tree)
			t.Logf("%d files: started in %s, an edit in at most %s, at most %d MiB", n, started.Round(time.Millisecond), worst.Round(time.Millisecond), peak)
			if most := pick(100, 150); peak > most {
				t.Errorf("%d MiB of memory, want at most %d", peak, most)
			}
			if most := 10 * time.Second; started > most || worst > most {
				t.Errorf("a start took %s and an edit %s, want at most %s", started, worst, most)
			}
		})
	}
}

// litter writes n empty files, 1,000 a folder.
func litter(t *testing.T, dir string, n int) {
	t.Helper()
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprint(i/1000))
		if i%1000 == 0 {
			must(t, os.MkdirAll(folder, 0o755))
		}
		must(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.junk", i)), nil, 0o644))
	}
}
