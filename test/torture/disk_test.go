//go:build linux

package torture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk is a small file system of its own for the repository folder.
func disk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// troubled waits until the server says what is wrong with its folder, and checks
// that what was good is still served, byte for byte.
func troubled(t *testing.T, s *server, before index, names ...string) {
	t.Helper()
	until(t, settleTime, func() error {
		if s.status().Problem == "" {
			return errors.New("/status has no problem")
		}
		return nil
	})
	if err := s.serves(names...); err != nil {
		t.Error(err)
	}
	for name, e := range s.index() {
		if before[name] != e {
			t.Errorf("%s is served as %v, was %v", name, e, before[name])
		}
	}
	t.Logf("problem: %s", s.status().Problem)
}

// recovered waits until the tree is served as a clean build has it, with no
// problem and nothing temporary left.
func recovered(t *testing.T, s *server, args ...string) {
	t.Helper()
	want := cleanBuild(t, args...)
	until(t, settleTime, func() error {
		if p := s.status().Problem; p != "" {
			return errors.New(p)
		}
		if _, body := s.get("index.yaml"); string(body) != string(want.raw) {
			return fmt.Errorf("the index is not that of a clean build: %s", firstDifference(string(body), string(want.raw)))
		}
		return nil
	})
	if err := noTemps(s.repo); err != nil {
		t.Error(err)
	}
	st, err := readFolder(s.repo, nil)
	must(t, err)
	if err := st.equals(want); err != nil {
		t.Error(err)
	}
}

func TestDiskFull(t *testing.T) {
	for name, flags := range map[string][]string{"by name": nil, "by digest": {"--digest-urls"}} {
		t.Run(name, func(t *testing.T) {
			tree, repo := t.TempDir(), filepath.Join(disk(t, "4m"), "repo")
			writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 300<<10)
			writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 0)
			args := append(flags, tree)
			s := serve(t, repo, args...)
			before := s.index()
			junk := filepath.Join(filepath.Dir(repo), "junk")
			fill(t, junk)
			writeFile(t, filepath.Join(tree, "a", "new"), noise(200<<10))
			writeFile(t, filepath.Join(tree, "b", "new"), []byte("new"))
			troubled(t, s, before, "a-1.0.0", "b-1.0.0")
			if err := noTemps(repo); err != nil {
				t.Error(err)
			}
			must(t, os.Remove(junk))
			recovered(t, s, args...)
		})
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}

// TestNoInodes lets the disk run out of inodes while there is room for bytes, so
// that also making a directory fails: at once, or in the midst of a pass. With four
// there is one for each of two archives and the index, but not for a folder for each
// of two content addresses.
func TestNoInodes(t *testing.T) {
	for name, flags := range map[string][]string{"by name": nil, "by digest": {"--digest-urls"}} {
		for _, left := range pick([]int{1, 4}, []int{0, 1, 2, 3, 4}) {
			t.Run(fmt.Sprintf("%s, %d left", name, left), func(t *testing.T) { noInodes(t, left, flags) })
		}
	}
}

func noInodes(t *testing.T, left int, flags []string) {
	tree, mount := t.TempDir(), disk(t, "8m,nr_inodes=40")
	repo, args := filepath.Join(mount, "repo"), append(flags, tree)
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 0)
	writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 0)
	s := serve(t, repo, args...)
	before := s.index()
	junk := func(n int) string { return filepath.Join(mount, fmt.Sprintf("junk%d", n)) }
	made := 0
	for os.WriteFile(junk(made), nil, 0o644) == nil {
		made++
	}
	for n := range left {
		must(t, os.Remove(junk(n)))
	}
	writeFile(t, filepath.Join(tree, "a", "new"), []byte("new"))
	writeFile(t, filepath.Join(tree, "b", "new"), []byte("new"))
	troubled(t, s, before, "a-1.0.0", "b-1.0.0")
	for name, e := range before {
		if code, body := s.get(name + ".tgz"); code != 200 || digest(body) != e.Digest {
			t.Errorf("%s.tgz answers %d, digest %s; want %s", name, code, digest(body), e.Digest)
		}
	}
	if err := noTemps(repo); err != nil {
		t.Errorf("after a failed pass: %v", err)
	}
	for n := left; n < made; n++ {
		must(t, os.Remove(junk(n)))
	}
	recovered(t, s, args...)
}

func TestDiskReadOnly(t *testing.T) {
	tree, mount := t.TempDir(), disk(t, "8m")
	writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 1000)
	s := serve(t, filepath.Join(mount, "repo"), tree)
	before := s.index()
	if err := syscall.Mount("", mount, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("the disk can't be made read-only: %v", err)
	}
	writeFile(t, filepath.Join(tree, "a", "new"), []byte("new"))
	troubled(t, s, before, "a-1.0.0")
	must(t, syscall.Mount("", mount, "", syscall.MS_REMOUNT, ""))
	recovered(t, s, tree)
}

// TestFolderTakenAway removes or replaces the repository folder while it is
// served. The index never stops; archives come back with the folder.
func TestFolderTakenAway(t *testing.T) {
	for name, attack := range map[string]func(t *testing.T, repo string) (mend func()){
		"removed": func(t *testing.T, repo string) func() {
			must(t, os.RemoveAll(repo))
			return nil
		},
		"renamed away": func(t *testing.T, repo string) func() {
			must(t, os.Rename(repo, repo+"-old"))
			return nil
		},
		"replaced by an empty one": func(t *testing.T, repo string) func() {
			must(t, os.Rename(repo, repo+"-old"))
			must(t, os.Mkdir(repo, 0o755))
			return nil
		},
		"replaced by a file": func(t *testing.T, repo string) func() {
			must(t, os.Rename(repo, repo+"-old"))
			must(t, os.WriteFile(repo, nil, 0o644))
			return func() { must(t, os.Remove(repo)) }
		},
		"index.yaml removed": func(t *testing.T, repo string) func() {
			must(t, os.Remove(filepath.Join(repo, "index.yaml")))
			return nil
		},
		"index.yaml overwritten": func(t *testing.T, repo string) func() {
			must(t, os.WriteFile(filepath.Join(repo, "index.yaml"), []byte("junk"), 0o644))
			return nil
		},
		"archive cut short": func(t *testing.T, repo string) func() {
			must(t, os.Truncate(filepath.Join(repo, "a-1.0.0.tgz"), 100))
			return nil
		},
		"state overwritten": func(t *testing.T, repo string) func() {
			must(t, os.WriteFile(filepath.Join(repo, ".state"), noise(5000), 0o644))
			return nil
		},
		"all archives removed": func(t *testing.T, repo string) func() {
			for _, n := range []string{"a-1.0.0.tgz", "b-1.0.0.tgz"} {
				must(t, os.Remove(filepath.Join(repo, n)))
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, repo := t.TempDir(), filepath.Join(t.TempDir(), "repo")
			writeChart(t, filepath.Join(tree, "a"), "a", "1.0.0", 1000)
			writeChart(t, filepath.Join(tree, "b"), "b", "1.0.0", 1000)
			s := serve(t, repo, tree)
			before := s.index()
			mend := attack(t, repo)
			if strings.Contains(name, "by a file") {
				writeFile(t, filepath.Join(tree, "a", "new"), []byte("new"))
				until(t, settleTime, func() error {
					if s.status().Problem == "" {
						return errors.New("/status has no problem")
					}
					return nil
				})
			}
			if got := s.index(); len(got) != len(before) {
				t.Errorf("the index has %v, before %v", got, before)
			}
			if mend != nil {
				mend()
			}
			writeFile(t, filepath.Join(tree, "b", "new"), []byte("new"))
			recovered(t, s, tree)
			if err := s.serves("a-1.0.0", "b-1.0.0"); err != nil {
				t.Error(err)
			}
		})
	}
}
