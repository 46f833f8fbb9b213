package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/watch"
)

// A directory of the repository folder that can't be listed is not taken for empty:
// what is known of it stays, in a running repository as over a restart.
func TestUnlistedFolder(t *testing.T) {
	for name, c := range map[string]struct {
		dir   string
		err   error
		again bool // the repository was opened anew
		says  string
	}{
		"the folder":                          {".", syscall.EIO, false, "problem"},
		"the folder, not allowed":             {".", syscall.EACCES, false, "problem"},
		"the folder, gone":                    {".", syscall.ENOENT, false, "problem"},
		"the folder, at a start":              {".", syscall.EIO, true, "problem"},
		"the folder, gone at a start":         {".", syscall.ENOENT, true, "problem"},
		"a directory":                         {"sub", syscall.EIO, false, "sub   directory can't be read"},
		"a directory, not allowed":            {"sub", syscall.EACCES, false, "sub   directory can't be read"},
		"a directory, at a start":             {"sub", syscall.EIO, true, "sub   directory can't be read"},
		"a directory, not allowed at a start": {"sub", syscall.EACCES, true, "sub   directory can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.opts.Now = settledNow
			f.add(chartFiles("a", "a", "1.0.0"))
			must(t, os.MkdirAll(filepath.Join(f.repo, "sub"), 0o755))
			must(t, os.WriteFile(filepath.Join(f.repo, "sub", "x-1.0.0.tgz"), archiveOf(t, "x", "1.0.0"), 0o644))
			r, err := Open(f.repo, f.opts)
			must(t, err)
			must(t, r.Build(context.Background()))
			if c.again {
				must(t, r.Close())
				r, err = Open(f.repo, f.opts)
				must(t, err)
			}
			defer r.Close()
			f.fail(func(op, name string) error {
				if op == "list" && name == c.dir {
					return c.err
				}
				return nil
			})
			err = r.pass(context.Background(), mail{change: watch.Change{Rescan: true}})
			if st := fmt.Sprint(r.Status().Failures, err); c.says == "problem" && err == nil || !strings.Contains("problem "+st, c.says) {
				t.Errorf("the pass ends with %v and reports %s, want %q", err, st, c.says)
			}
			if !c.again || err == nil {
				if got := readServed(t, r.View(), "sub/x-1.0.0.tgz"); got != f.index()["x-1.0.0"] {
					t.Errorf("x is served as %s", got)
				}
			}
			f.fail(nil)
			must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
			if st := r.Status(); len(st.Failures) > 0 || st.Archives != 2 {
				t.Errorf("afterwards: %+v", st)
			}
		})
	}
}

// What is said of a directory is no longer said when it is gone.
func TestUnlistedFolderIsGone(t *testing.T) {
	f := newFixture(t)
	sub := filepath.Join(f.repo, "sub")
	must(t, os.MkdirAll(sub, 0o755))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	f.fail(func(op, name string) error {
		if op == "list" && name == "sub" {
			return syscall.EIO
		}
		return nil
	})
	must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
	if len(r.Status().Failures) != 1 {
		t.Errorf("failures %v, want one", r.Status().Failures)
	}
	must(t, os.Remove(sub))
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{sub}}}))
	if len(r.Status().Failures) != 0 {
		t.Errorf("failures %v, want none", r.Status().Failures)
	}
	must(t, os.Mkdir(sub, 0o755))
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{sub}}}))
	if len(r.Status().Failures) != 1 {
		t.Errorf("made again: failures %v, want one", r.Status().Failures)
	}
}

// An archive of a SOURCE that could not be published is tried, and reported, until it
// can be.
func TestArchiveInTheWay(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	given, stored := filepath.Join(f.tree, "a-1.0.0.tgz"), filepath.Join(f.repo, "a-1.0.0.tgz")
	must(t, os.MkdirAll(f.repo, 0o755))
	must(t, os.WriteFile(given, archiveOf(t, "a", "1.0.0"), 0o644))
	must(t, os.WriteFile(stored, archiveOf(t, "b", "1.0.0"), 0o644))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	for range 3 {
		must(t, r.Build(context.Background()))
		if st := r.Status(); len(st.Failures) != 1 || !strings.Contains(st.Failures[0].Reason, "in the way") {
			t.Fatalf("failures %v, want one", st.Failures)
		}
	}
	must(t, os.Remove(stored))
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{stored}}}))
	if st := r.Status(); len(st.Failures) > 0 || r.folder.archives.byName["a"] == nil {
		t.Errorf("the way is free, and the status %+v", st)
	}
}

// put sets a field of the system's type to n, and reports whether that can hold it.
func put[T int32 | int64](field *T, n int64) bool {
	*field = T(n)
	return int64(*field) == n
}

// Archives from another time are served, too, also by who starts with a state.
func TestTimesOutOfRange(t *testing.T) {
	for _, year := range []int{1600, 1900, 2300} {
		f := newFixture(t)
		path := filepath.Join(f.repo, "x-1.0.0.tgz")
		must(t, os.MkdirAll(f.repo, 0o755))
		must(t, os.WriteFile(path, archiveOf(t, "x", "1.0.0"), 0o644))
		// os.Chtimes has the years that nanoseconds have.
		at := syscall.Timespec{Nsec: 6}
		if !put(&at.Sec, time.Date(year, 1, 2, 3, 4, 5, 0, time.UTC).Unix()) {
			continue // the system has no such year
		}
		must(t, syscall.UtimesNano(path, []syscall.Timespec{at, at}))
		for range 2 {
			r, err := Open(f.repo, f.opts)
			must(t, err)
			must(t, r.Build(context.Background()))
			if got := readServed(t, r.View(), "x-1.0.0.tgz"); got != f.index()["x-1.0.0"] {
				t.Errorf("%d: served as %s", year, got)
			}
			must(t, r.Close())
		}
	}
}
