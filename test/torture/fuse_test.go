//go:build linux

package torture

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// isArchive tells whether what stands below a faultFS, under a temporary name or its
// own, is an archive, by its first byte.
func (f *faultFS) isArchive(path string) bool {
	file, err := os.Open(filepath.Join(f.below, path))
	if err != nil {
		return false
	}
	defer file.Close()
	var first [1]byte
	n, _ := file.Read(first[:])
	return n == 1 && first[0] == 0x1f
}

// TestFolderFaults has the repository folder on a file system that fails in the
// midst of a rebuild.
func TestFolderFaults(t *testing.T) {
	ways := map[string][]string{"by name": nil}
	if long {
		ways["by digest"] = []string{"--digest-urls"}
	}
	for name, flags := range ways {
		for what, attack := range folderFaults() {
			t.Run(name+", "+what, func(t *testing.T) { folderFault(t, attack, flags) })
		}
	}
}

// folderFaults are attacks on the repository folder that end a pass.
func folderFaults() map[string]func(*faultFS) *fault {
	attacks := map[string]func(*faultFS) *fault{
		"quota": func(f *faultFS) *fault {
			f.room(100 << 10)
			return nil
		},
		"fsync of the index": func(f *faultFS) *fault {
			return &fault{op: "fsync", errno: syscall.EIO, name: func(p string) bool { return p != "repo" && !f.isArchive(p) }}
		},
		"fsync of archives": func(f *faultFS) *fault {
			return &fault{op: "fsync", errno: syscall.EIO, name: f.isArchive}
		},
		"fsync of the folder": func(*faultFS) *fault {
			return &fault{op: "fsync", errno: syscall.EIO, name: func(p string) bool { return p == "repo" }}
		},
	}
	add := func(op string, errno syscall.Errno, after int) {
		attacks[fmt.Sprintf("%v from %s %d on", errno, op, after+1)] = func(*faultFS) *fault {
			return &fault{op: op, errno: errno, after: after}
		}
	}
	for _, n := range pick([]int{2}, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
		add("write", syscall.EIO, n)
	}
	for _, n := range pick([]int{1}, []int{0, 1, 2}) {
		add("rename", syscall.EIO, n)
		add("create", syscall.ENOSPC, n)
		add("fsync", syscall.EDQUOT, n)
	}
	return attacks
}

func folderFault(t *testing.T, attack func(*faultFS) *fault, flags []string) {
	f, tree := mountFaults(t), t.TempDir()
	repo := filepath.Join(f.dir, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 300<<10)
	writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 0)
	args := append(flags, tree)
	s := serve(t, repo, args...)
	before := s.index()
	x := attack(f)
	if x != nil {
		f.fail(x)
	}
	writeFile(t, filepath.Join(tree, "a", "new"), noise(200<<10))
	writeFile(t, filepath.Join(tree, "b", "new"), []byte("new"))
	troubled(t, s, before, "a-1.0.0", "b-1.0.0")
	// Also under their names, whatever has its new bytes already.
	for name, e := range before {
		if code, body := s.get(name + ".tgz"); code != 200 || digest(body) != e.Digest {
			t.Errorf("%s.tgz answers %d, digest %s; want %s", name, code, digest(body), e.Digest)
		}
	}
	if x == nil && f.refused() == 0 {
		t.Error("the quota was not met")
	}
	f.mend()
	recovered(t, s, args...)
}

// TestFolderFaultOnce lets one operation on the repository folder fail, whichever:
// the next try is as if it had not been.
func TestFolderFaultOnce(t *testing.T) {
	f, tree := mountFaults(t), t.TempDir()
	repo := filepath.Join(f.dir, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 100<<10)
	writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 0)
	s := serve(t, repo, "--poll", "100ms", tree)
	s.repo = filepath.Join(f.below, "repo") // where the test's own looks don't fail
	failed := 0
	for op, last := range map[string]int{"lookup": 40, "create": 3, "write": 4, "fsync": 4, "rename": 3, "readdir": 5} {
		for n := 0; n < last; n += pick(12, 1) {
			x := &fault{op: op, errno: syscall.EIO, after: n, once: true}
			f.fail(x)
			writeFile(t, filepath.Join(tree, "a", "new"), fmt.Appendf(nil, "%s %d", op, n))
			writeFile(t, filepath.Join(tree, "b", "new"), fmt.Appendf(nil, "%s %d", op, n))
			recovered(t, s, tree)
			if _, hit := f.counts(x); hit > 0 {
				failed++
			} else {
				t.Logf("%s %d did not come", op, n+1)
			}
			f.mend()
		}
	}
	t.Logf("%d operations failed", failed)
}

// TestFolderUnlisted can't list the repository folder for a while. An archive that
// stands only there stays in the index.
func TestFolderUnlisted(t *testing.T) {
	f, tree := mountFaults(t), t.TempDir()
	repo := filepath.Join(f.dir, "repo")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 0)
	writeFile(t, filepath.Join(repo, "hand-1.0.0.tgz"), tarball(t, goodMembers("hand")...))
	writeFile(t, filepath.Join(repo, "deep", "down-1.0.0.tgz"), tarball(t, goodMembers("down")...))
	s := serve(t, repo, "--poll", "100ms", tree)
	before := s.index()
	_, raw := s.get("index.yaml")
	for _, dir := range []string{"repo", "repo/deep"} {
		for _, after := range pick([]int{0, 2}, []int{0, 1, 2, 3}) {
			f.fail(&fault{op: "readdir", errno: syscall.EIO, after: after, name: func(p string) bool { return p == dir }})
			until(t, settleTime, func() error {
				if st := s.status(); !strings.Contains(st.Problem+st.failure(dir), "input/output error") {
					return fmt.Errorf("%s: nothing is reported", dir)
				}
				return nil
			})
			if now := s.index(); !maps.Equal(now, before) {
				t.Errorf("%s: the index has %v, before %v", dir, now, before)
			}
			if err := s.serves("a-1.0.0", "hand-1.0.0", "down-1.0.0"); err != nil {
				t.Error(err)
			}
			f.mend()
			until(t, settleTime, func() error {
				if st := s.status(); st.Problem != "" || len(st.Failures) > 0 {
					return fmt.Errorf("%s %+v", st.Problem, st.Failures)
				}
				return nil
			})
			if _, now := s.get("index.yaml"); string(now) != string(raw) {
				t.Errorf("%s: the index is another: %s", dir, firstDifference(string(now), string(raw)))
			}
		}
	}
}

// TestSourceFaults has the SOURCE on a file system where one place can't be read.
func TestSourceFaults(t *testing.T) {
	in := func(place string) func(string) bool {
		return func(p string) bool { return p == place }
	}
	for name, c := range map[string]struct {
		fault    fault
		reported string // "": the SOURCE itself
		others   bool   // b gets its edit meanwhile
	}{
		"a file":                 {fault{op: "read", name: in("tree/a/templates/x.yaml")}, "a", true},
		"a file midway":          {fault{op: "read", name: in("tree/a/files/noise"), after: 1}, "a", true},
		"a file can't be open":   {fault{op: "open", name: in("tree/a/values.yaml")}, "a", true},
		"Chart.yaml":             {fault{op: "read", name: in("tree/a/Chart.yaml")}, "a", true},
		"templates":              {fault{op: "readdir", name: in("tree/a/templates")}, "a", true},
		"the chart's directory":  {fault{op: "readdir", name: in("tree/a")}, "a", true},
		"an archive":             {fault{op: "read", name: in("tree/given.tgz")}, "given.tgz", true},
		"an archive midway":      {fault{op: "read", name: in("tree/given.tgz"), after: 2}, "given.tgz", true},
		"the chart is not found": {fault{op: "lookup", name: in("tree/a")}, "a", true},
		"its Chart.yaml is not":  {fault{op: "lookup", name: in("tree/a/Chart.yaml")}, "a", true},
		"an archive is not":      {fault{op: "lookup", name: in("tree/given.tgz")}, "given.tgz", true},
		"the source":             {fault{op: "readdir", name: in("tree")}, "", false},
	} {
		for how, flags := range pick(map[string][]string{"": {"--prune"}}, map[string][]string{" without --prune": nil, "": {"--prune"}, " by digest": {"--prune", "--digest-urls"}}) {
			t.Run(name+how, func(t *testing.T) {
				x := c.fault
				x.errno = syscall.EIO
				sourceFault(t, &x, c.reported, c.others, flags)
			})
		}
	}
}

// sourceTree writes charts a, b, d, which contains a, and the archive of another. In
// d there is also a vendored copy of a, which is only for where a is missing.
func sourceTree(t *testing.T, tree string) {
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 200<<10)
	writeFile(t, filepath.Join(tree, "a", "templates", "x.yaml"), []byte("kind: Secret\n"))
	writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 0)
	writeChart(t, filepath.Join(tree, "d"), "d", "1.0.0", 0)
	writeFile(t, filepath.Join(tree, "d", "Chart.yaml"),
		[]byte("apiVersion: v2\nname: d\nversion: 1.0.0\ndependencies:\n- {name: a, version: 1.0.0, repository: file://../a}\n"))
	writeFile(t, filepath.Join(tree, "d", "charts", "a-1.0.0.tgz"), tarball(t, goodMembers("a")...))
	writeGiven(t, tree, "first")
}

// writeGiven writes an archive into a SOURCE that takes several reads.
func writeGiven(t *testing.T, tree, text string) {
	members := append(goodMembers("given"), member{name: "given/noise", data: string(noise(300 << 10))}, member{name: "given/text", data: text})
	writeFile(t, filepath.Join(tree, "given.tgz"), tarball(t, members...))
}

// editSource changes all that sourceTree wrote; where the server polls, it may do so
// behind the faults.
func editSource(t *testing.T, tree, text string) {
	for _, chart := range []string{"a", "b", "d"} {
		writeFile(t, filepath.Join(tree, chart, "new"), []byte(text))
	}
	writeGiven(t, tree, text)
}

func sourceFault(t *testing.T, x *fault, reported string, others bool, flags []string) {
	f, repo := mountFaults(t), filepath.Join(t.TempDir(), "repo")
	tree := filepath.Join(f.dir, "tree")
	sourceTree(t, tree)
	args := append(flags, tree)
	s := serve(t, repo, append([]string{"--poll", "100ms"}, args...)...)
	before := s.index()
	f.fail(x)
	editSource(t, filepath.Join(f.below, "tree"), "second")
	names := []string{"a-1.0.0", "b-1.0.0", "d-1.0.0", "given-1.0.0"}
	until(t, settleTime, func() error {
		if err := s.serves(names...); err != nil {
			return err
		}
		st, now := s.status(), s.index()
		if reason := st.failure(tree); reported == "" && !strings.Contains(reason, "input/output error") {
			return fmt.Errorf("the source's reason is %q; %+v", reason, st.Failures)
		}
		if reason := st.failure(reported); reported != "" && !strings.Contains(reason, "input/output error") {
			return fmt.Errorf("the reason is %q; %+v", reason, st.Failures)
		}
		if others && now["b-1.0.0"] == before["b-1.0.0"] {
			return errors.New("b does not go on")
		}
		return nil
	})
	for _, name := range names {
		good := !others || strings.HasPrefix(reported, strings.TrimSuffix(name, "-1.0.0")) || reported == "a" && name == "d-1.0.0"
		if now := s.index()[name]; good && now != before[name] {
			t.Errorf("%s is served as %v, was %v", name, now, before[name])
		}
	}
	t.Logf("reason: %+v", s.status().Failures[0])
	f.mend()
	healed(t, s, args...)
}

// healed waits until nothing is reported, and the tree is served as a clean build
// has it.
func healed(t *testing.T, s *server, args ...string) {
	t.Helper()
	until(t, settleTime, func() error {
		if fs := s.status().Failures; len(fs) > 0 {
			return fmt.Errorf("%+v", fs)
		}
		return nil
	})
	recovered(t, s, args...)
}

// TestSourceFaultOnce lets one operation on the SOURCE fail, whichever. What is
// made of it is never published, and all is well by the next look.
func TestSourceFaultOnce(t *testing.T) {
	f, repo := mountFaults(t), filepath.Join(t.TempDir(), "repo")
	tree := filepath.Join(f.dir, "tree")
	sourceTree(t, tree)
	args := []string{"--prune", tree}
	s := serve(t, repo, append([]string{"--poll", "100ms"}, args...)...)
	failed := 0
	for op, last := range map[string]int{"lookup": 60, "open": 16, "read": 40, "readdir": 20} {
		for n := 0; n < last; n += pick(10, 1) {
			x := &fault{op: op, errno: syscall.EIO, after: n, once: true}
			editSource(t, filepath.Join(f.below, "tree"), fmt.Sprint(op, n))
			f.fail(x)
			until(t, settleTime, func() error {
				if _, hit := f.counts(x); hit == 0 {
					return fmt.Errorf("%s %d has not failed", op, n+1)
				}
				return s.serves("a-1.0.0", "b-1.0.0", "d-1.0.0", "given-1.0.0")
			})
			healed(t, s, args...)
			f.mend()
			failed++
		}
	}
	t.Logf("%d operations failed", failed)
}

// TestCopyFaultOnce lets one read of an archive fail, among them those in which it
// is copied after it was checked. Its time is an old one, so that nothing but the
// failure tells to try again.
func TestCopyFaultOnce(t *testing.T) {
	f, repo := mountFaults(t), filepath.Join(t.TempDir(), "repo")
	tree := filepath.Join(f.dir, "tree")
	archive := filepath.Join(tree, "given.tgz")
	old := time.Now().Add(-time.Hour)
	write := func(text string) {
		old = old.Add(time.Minute)
		data := tarball(t, append(goodMembers("given"), member{name: "given/noise", data: string(noise(300<<10)) + text})...)
		writeFile(t, archive+".new", data)
		must(t, os.Chtimes(archive+".new", old, old))
		must(t, os.Rename(archive+".new", archive))
	}
	write("")
	s := serve(t, repo, "--poll", "100ms", tree)
	failed := 0
	for n := 0; n < 16; n += pick(6, 1) {
		x := &fault{op: "read", errno: syscall.EIO, after: n, once: true, name: func(p string) bool { return p == "tree/given.tgz" }}
		f.fail(x)
		write(fmt.Sprint(n))
		f.settle(x)
		if err := s.serves("given-1.0.0"); err != nil {
			t.Error(err)
		}
		if _, hit := f.counts(x); hit > 0 {
			failed++
		}
		f.mend()
		healed(t, s, tree)
	}
	t.Logf("%d reads failed", failed)
}
