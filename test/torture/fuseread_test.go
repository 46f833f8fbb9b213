//go:build linux

package torture

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestGetFaults lets reads fail while archives are fetched: the client must see
// that, the log has it, and others are served.
func TestGetFaults(t *testing.T) {
	for name, flags := range map[string][]string{"by name": nil, "by digest": {"--digest-urls"}} {
		t.Run(name, func(t *testing.T) {
			f, tree := mountFaults(t), t.TempDir()
			writeChart(t, filepath.Join(tree, "large"), "large", "1.0.0", 4<<20)
			writeChart(t, filepath.Join(tree, "small"), "small", "1.0.0", 0)
			writeChart(t, filepath.Join(tree, "other"), "other", "1.0.0", 100<<10)
			s := serve(t, filepath.Join(f.dir, "repo"), append(flags, tree)...)
			aborted := 0
			for _, n := range pick([]int{0, 1, 20}, []int{0, 1, 2, 3, 5, 10, 15, 20}) {
				for _, within := range []string{"", "bytes=1000000-"} {
					x := &fault{op: "read", errno: syscall.EIO, after: n, name: named("large-1.0.0.tgz")}
					f.fail(x)
					aborted += fetchTroubled(t, s, "large-1.0.0", within)
					if _, hit := f.counts(x); hit == 0 {
						t.Errorf("read %d did not come", n+1)
					}
					if err := s.serves("other-1.0.0"); err != nil {
						t.Error(err)
					}
					f.mend()
					if err := s.serves("large-1.0.0"); err != nil {
						t.Error(err)
					}
				}
			}
			// A small one is read whole before anything is answered.
			f.fail(&fault{op: "read", errno: syscall.EIO, name: named("small-1.0.0.tgz")})
			if code, _ := s.get(s.index()["small-1.0.0"].URL); code != http.StatusInternalServerError {
				t.Errorf("the small archive answers %d, want 500", code)
			}
			f.mend()
			if err := s.serves("small-1.0.0"); err != nil {
				t.Error(err)
			}
			t.Logf("%d responses were aborted", aborted)
			until(t, settleTime, func() error {
				if n := strings.Count(s.logs.String(), `msg="answer cut off" method=GET path=`); n != aborted {
					return fmt.Errorf("%d of %d are in the log", n, aborted)
				}
				return nil
			})
		})
	}
}

func named(base string) func(string) bool {
	return func(path string) bool { return filepath.Base(path) == base }
}

// fetchTroubled fetches an archive that can't be read to its end, or the part of it
// within, and counts the answer if it was cut short.
func fetchTroubled(t *testing.T, s *server, name, within string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+"/"+s.index()[name].URL, nil)
	must(t, err)
	if within != "" {
		req.Header.Set("Range", within)
	}
	resp, err := plainClient.Do(req)
	if err != nil {
		return 1
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if resp.StatusCode < 300 && err == nil {
		t.Errorf("%s %s answers %d and %d bytes, which look complete", name, within, resp.StatusCode, n)
	}
	if err != nil {
		return 1
	}
	return 0
}

// TestStartFaults starts a server on a folder of which something can't be read.
func TestStartFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault  fault
		forget bool   // the state is removed before
		lost   string // what is not served until it can be read, and reported
		says   string // in the log
	}{
		"the state":              {fault{op: "read", name: named(".state")}, false, "", "the saved state is not used"},
		"the state midway":       {fault{op: "read", name: named(".state"), after: 1}, false, "", "the saved state is not used"},
		"the state, opened":      {fault{op: "open", name: named(".state")}, false, "", "the saved state is not used"},
		"an archive":             {fault{op: "read", name: named("hand-1.0.0.tgz")}, true, "hand-1.0.0", "input/output error"},
		"an archive midway":      {fault{op: "read", name: named("hand-1.0.0.tgz"), after: 2}, true, "hand-1.0.0", "input/output error"},
		"an archive, opened":     {fault{op: "open", name: named("hand-1.0.0.tgz")}, true, "hand-1.0.0", "input/output error"},
		"one that is made again": {fault{op: "read", name: named("a-1.0.0.tgz"), once: true}, true, "", ""},
		"the index":              {fault{op: "read", name: named("index.yaml")}, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := c.fault
			x.errno = syscall.EIO
			startFault(t, &x, c.forget, c.lost, c.says)
		})
	}
}

func startFault(t *testing.T, x *fault, forget bool, lost, says string) {
	f, tree := mountFaults(t), t.TempDir()
	repo := filepath.Join(f.dir, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 0)
	writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 200<<10)
	// The state is not read in one go.
	writeFile(t, filepath.Join(tree, "c", "Chart.yaml"), []byte("apiVersion: v2\nname: c\nversion: 1.0.0\nannotations:\n  long: "+strings.Repeat("x", 400<<10)+"\n"))
	hand := append(goodMembers("hand"), member{name: "hand/noise", data: string(noise(200 << 10))})
	writeFile(t, filepath.Join(repo, "hand-1.0.0.tgz"), tarball(t, hand...))
	first := launch(t, repo, tree)
	first.await()
	_, before := first.get("index.yaml")
	first.stop()
	if forget {
		must(t, os.Remove(filepath.Join(repo, ".state")))
	}
	f.fail(x)
	s := serve(t, repo, "--poll", "100ms", tree)
	until(t, settleTime, func() error {
		if !strings.Contains(s.logs.String(), says) {
			return fmt.Errorf("it did not print %q", says)
		}
		return nil
	})
	if err := s.serves("a-1.0.0", "b-1.0.0"); err != nil {
		t.Error(err)
	}
	if lost == "" {
		if err := s.serves("hand-1.0.0"); err != nil {
			t.Error(err)
		}
	} else {
		if reason := s.status().failure(lost + ".tgz"); !strings.Contains(reason, "input/output error") {
			t.Errorf("the reason for %s is %q", lost, reason)
		}
		if code, _ := s.get(lost + ".tgz"); code == http.StatusOK {
			t.Errorf("%s is served unread", lost)
		}
	}
	f.mend()
	until(t, settleTime, func() error {
		if fs := s.status().Failures; len(fs) > 0 {
			return fmt.Errorf("%+v", fs)
		}
		if _, now := s.get("index.yaml"); string(now) != string(before) {
			return errors.New(firstDifference(string(now), string(before)))
		}
		return s.serves("a-1.0.0", "b-1.0.0", "hand-1.0.0")
	})
	if err := noTemps(repo); err != nil {
		t.Error(err)
	}
}

// TestStartUnlisted starts on a folder that can't be listed. To serve it as empty
// would be wrong, so it ends with the reason, and changes nothing.
func TestStartUnlisted(t *testing.T) {
	f, tree := mountFaults(t), t.TempDir()
	repo := filepath.Join(f.dir, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 0)
	writeFile(t, filepath.Join(repo, "hand-1.0.0.tgz"), tarball(t, goodMembers("hand")...))
	first := launch(t, repo, tree)
	first.await()
	first.stop()
	before, err := os.ReadFile(filepath.Join(repo, "index.yaml"))
	must(t, err)
	f.fail(&fault{op: "readdir", errno: syscall.EIO, name: named("repo")})
	s := launch(t, repo, tree)
	<-s.ended
	var exit *exec.ExitError
	if !errors.As(s.err, &exit) || exit.ExitCode() != 1 || !strings.Contains(s.logs.String(), "input/output error") {
		t.Errorf("chartserve ended with %v, want exit status 1 and the reason:\n%s", s.err, s.logs)
	}
	// Nor may the command that only writes an index write an empty one.
	out, err := exec.Command(program(t), "index", repo).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "input/output error") {
		t.Errorf("chartserve index: %v, want an error with the reason:\n%s", err, out)
	}
	f.mend()
	after, err := os.ReadFile(filepath.Join(repo, "index.yaml"))
	must(t, err)
	if string(after) != string(before) {
		t.Errorf("the index on disk is another: %s", firstDifference(string(after), string(before)))
	}
}
