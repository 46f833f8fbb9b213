package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// faults let the operations of a disk fail: the n-th, and with more those after it.
type faults struct {
	mu    sync.Mutex
	err   error
	n     int
	more  bool
	count int
	hit   string // the first that failed; empty: none
}

func (f *faults) fail(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if op == "remove" && f.more && f.err != syscall.EIO {
		return nil // also a full disk can be emptied
	}
	f.count++
	if f.count < f.n || f.count > f.n && !f.more {
		return nil
	}
	if f.hit == "" {
		f.hit = op + " " + filepath.Base(name)
	}
	return &fs.PathError{Op: op, Path: name, Err: f.err}
}

// faultCase prepares a repository for a pass: before is built without faults, then
// the change is made.
type faultCase struct {
	opts           Options
	before, change func(t *testing.T, f *fixture)
}

func faultCases(t *testing.T) map[string]faultCase {
	mine, other := newFixture(t), otherRepository(t)
	mine.add(map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: mine\n"})
	mine.build()
	g, g2 := string(archiveOf(t, "g", "1.0.0")), string(warned(t))
	charts := func(_ *testing.T, f *fixture) {
		f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0", "a 1.x"), chartFiles("c", "c", "1.0.0"),
			map[string]string{"g.tgz": g, "g.tgz.prov": signed})
	}
	edits := func(t *testing.T, f *fixture) {
		f.add(map[string]string{"a/new": "1", "g.tgz.prov": signed + " again", "w.tgz": g2, "w.tgz.prov": signed}, chartFiles("d", "d", "1.0.0"))
		f.remove("c")
	}
	epoch := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ann := newSigner(t, "ann", epoch)
	return map[string]faultCase{
		"signed":    {Options{KeepReplaced: time.Hour, DigestURLs: true, Signer: ann, Timestamp: epoch}, charts, edits},
		"by name":   {Options{KeepReplaced: time.Hour}, charts, edits},
		"by digest": {Options{KeepReplaced: time.Hour, DigestURLs: true}, charts, edits},
		"pruned":    {Options{KeepReplaced: time.Hour, Prune: true}, charts, edits},
		"retired": {Options{KeepReplaced: time.Hour, Retention: Retention{Keep: 1}}, charts, func(t *testing.T, f *fixture) {
			edits(t, f)
			f.add(chartFiles("c", "c", "1.1.0"))
		}},
		"delivery": {Options{KeepReplaced: time.Hour}, func(_ *testing.T, f *fixture) { f.deliver(mine) },
			func(_ *testing.T, f *fixture) { f.deliver(other) }},
	}
}

// Whatever operation on the repository folder fails in a pass: what was served is
// served, the Status tells, nothing temporary stays, and the next pass, or the next
// start, ends where an untroubled one does. Each operation fails once, each seventh
// in the other ways; TORTURE=long tries all.
func TestFaults(t *testing.T) {
	inMemory(t)
	for name, c := range faultCases(t) {
		t.Run(name, func(t *testing.T) {
			want := c.untroubled(t)
			ways := []*faults{{err: syscall.EIO}, {err: syscall.EIO, more: true}, {err: syscall.ENOSPC, more: true}, {err: syscall.EDQUOT, more: true}}
			for i, d := range ways {
				step := 7
				if i == 0 || os.Getenv("TORTURE") == "long" {
					step = 1
				}
				times := 0
				for n := 1; c.strike(t, &faults{err: d.err, n: n, more: d.more}, n%2 == 0, want); n += step {
					times++
				}
				t.Logf("%v, all after it too: %v: %d times", d.err, d.more, times)
			}
		})
	}
}

// inMemory has the test's files in memory where that is possible: no disk is waited
// for there.
func inMemory(t *testing.T) {
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
}

// stoppedNow is a clock that stands still, so that indexes can be compared.
func stoppedNow() time.Time { return time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC) }

// untroubled is what the folder holds in the end.
func (c faultCase) untroubled(t *testing.T) map[string]string {
	f := newFixture(t)
	f.setOptions(c.opts)
	f.opts.Now = stoppedNow
	c.before(t, f)
	f.build()
	c.change(t, f)
	f.build()
	return published(t, f.repo)
}

// strike does the pass with faults, and reports whether one came.
func (c faultCase) strike(t *testing.T, d *faults, restart bool, want map[string]string) bool {
	t.Helper()
	f := newFixture(t)
	f.setOptions(c.opts)
	f.opts.Jobs, f.opts.Now = 2, stoppedNow
	c.before(t, f)
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(t.Context()))
	must(t, r.saveState())
	served := servedBy(t, r.View())
	c.change(t, f)
	f.fail(d.fail)
	err = r.pass(t.Context(), mail{change: watch.Change{Rescan: true}})
	problem := r.Status().Problem
	f.fail(nil)
	say := func(format string, args ...any) {
		t.Errorf("%v at operation %d (%s; all after it too: %v; restart: %v): %s", d.err, d.n, d.hit, d.more, restart, fmt.Sprintf(format, args...))
	}
	if err != nil {
		if !errors.Is(err, d.err) || !strings.Contains(problem, d.err.Error()) {
			say("error %v, problem %q", err, problem)
		}
		if got := servedBy(t, r.View()); !maps.Equal(got, served) {
			say("served is %s", difference(got, served))
		}
	} else if d.hit != "" && problem != "" {
		say("no error, but problem %q", problem)
	}
	for _, file := range misplaced(t, f.repo) {
		say("%s is of other bytes than the archive beside it", file)
	}
	if d.err != syscall.EIO || !d.more {
		if left := temporary(t, f.repo); len(left) > 0 {
			say("left behind: %v", left)
		}
	}
	if restart {
		must(t, r.Close())
		r, err = Open(f.repo, f.opts)
		must(t, err)
	}
	defer r.Close()
	if err := r.pass(t.Context(), mail{change: watch.Change{Rescan: true}}); err != nil {
		say("the next pass: %v", err)
	}
	if got := published(t, f.repo); !maps.Equal(got, want) {
		say("in the end there is %s", difference(got, want))
	}
	if left := temporary(t, f.repo); len(left) > 0 {
		say("in the end there are %v", left)
	}
	if p := r.Status().Problem; p != "" {
		say("in the end there is a problem: %s", p)
	}
	return d.hit != ""
}

// What chartserve made is pruned with its source, also when a disk did not hand it out for
// a while and the server was started again since.
func TestUnreadArchiveIsStillOurs(t *testing.T) {
	f := newFixture(t)
	f.setOptions(Options{Prune: true})
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("c", "c", "1.0.0"))
	f.build()
	f.remove("c")
	f.fail(func(op, name string) error {
		if op == "stat" && name == "c-1.0.0.tgz" {
			return &os.PathError{Op: op, Path: name, Err: syscall.EIO}
		}
		return nil
	})
	if st := f.build(); !strings.Contains(reasons(st), "c-1.0.0.tgz") {
		t.Errorf("failures: %s", reasons(st))
	}
	f.fail(nil)
	f.build()
	if _, err := os.Stat(filepath.Join(f.repo, "c-1.0.0.tgz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the archive of a chart that is gone: %v", err)
	}
}

// A state that can't be written leaves nothing behind, and the next start reads all.
func TestFaultsOfTheState(t *testing.T) {
	for n, hit := 1, true; hit; n++ {
		d := &faults{err: syscall.EDQUOT, n: n}
		f := newFixture(t)
		f.add(chartFiles("a", "a", "1.0.0"))
		r, err := Open(f.repo, f.opts)
		must(t, err)
		must(t, r.Build(t.Context()))
		f.fail(d.fail)
		err = r.Close()
		if hit = d.hit != ""; hit != errors.Is(err, d.err) {
			t.Errorf("operation %d (%s): %v", n, d.hit, err)
		}
		if left := temporary(t, f.repo); len(left) > 0 {
			t.Errorf("operation %d (%s): left behind: %v", n, d.hit, left)
		}
		f.fail(nil)
		st := f.build()
		if want := map[bool]int{true: 1}[hit]; st.LastRebuild.Checked != want {
			t.Errorf("operation %d (%s): the next start checks %d archives, want %d", n, d.hit, st.LastRebuild.Checked, want)
		}
	}
}

// servedBy is the digest of each file that a View serves, and of its index.
func servedBy(t *testing.T, s *View) map[string]string {
	t.Helper()
	got := map[string]string{store.IndexName: s.Index.YAML.ETag}
	add := func(name string) { got[name] = readServed(t, s, name) }
	for _, shard := range s.files.shards {
		for name, f := range shard {
			add(name)
			if f.Archive {
				add(store.Address(strings.Trim(f.ETag, `"`), name))
			}
		}
	}
	for name := range s.replaced {
		add(name)
	}
	return got
}

// published are the files of a repository folder that others may see.
func published(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	must(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !isHidden(e.Name()) {
			got[strings.TrimPrefix(p, dir+"/")] = string(bytes.TrimSpace(mustRead(t, p)))
		}
		return err
	}))
	return got
}

// misplaced are the provenance files that tell of other bytes than the archive beside them
// has. Those without any digest, which tests make up, are none.
func misplaced(t testing.TB, dir string) (files []string) {
	t.Helper()
	all := published(t, dir)
	for name, text := range all {
		_, there := all[strings.TrimSuffix(name, ".prov")]
		if !strings.HasSuffix(name, ".tgz.prov") || !there || !strings.Contains(text, "sha256:") {
			continue
		}
		data := mustRead(t, filepath.Join(dir, strings.TrimSuffix(name, ".prov")))
		if !strings.Contains(text, "sha256:"+digestOf(data)) {
			files = append(files, name)
		}
	}
	return files
}

// temporary are the hidden names in a repository folder that should not stay.
func temporary(t *testing.T, dir string) (left []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			left = append(left, e.Name())
		}
	}
	return left
}

// difference names what two maps do not have in common.
func difference(got, want map[string]string) string {
	var lines []string
	for name := range want {
		if got[name] != want[name] {
			lines = append(lines, fmt.Sprintf("%s: %.70q, want %.70q", name, got[name], want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			lines = append(lines, name+" (not wanted)")
		}
	}
	return strings.Join(lines, "; ")
}

// What a disk does not hand out is said, and looked at again soon: nothing tells of it when
// the disk does.
func TestUnreadFilesAreLookedAtAgain(t *testing.T) {
	for _, name := range []string{"x-1.0.0.tgz.prov", "artifacthub-repo.yml", "x-1.0.0.tgz"} {
		for _, op := range []string{"stat", "open"} {
			t.Run(op+" "+name, func(t *testing.T) {
				f := newFixture(t)
				f.opts.Sources = nil
				write(t, f.repo, map[string]string{
					"x-1.0.0.tgz": string(archiveOf(t, "x", "1.0.0")), "x-1.0.0.tgz.prov": signed, "artifacthub-repo.yml": "a: 1\n",
				})
				f.fail(func(o, n string) error {
					if o == op && n == name {
						return &os.PathError{Op: op, Path: name, Err: syscall.EIO}
					}
					return nil
				})
				r := f.run()
				told := fmt.Sprint(r.r.Status().Warnings, r.r.Status().Failures)
				if !strings.Contains(told, filepath.Join(f.repo, name)) || !strings.Contains(told, syscall.EIO.Error()) {
					t.Errorf("nothing is said of it: %s", told)
				}
				f.fail(nil)
				r.until("it is served", func(_ map[string]string, st Status) bool {
					_, served := r.r.View().File(name)
					return served && len(st.Warnings)+len(st.Failures) == 0
				})
			})
		}
	}
}
