package repo

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chartserve/internal/unixtest"
	"chartserve/internal/watch"
)

// leaveDescriptors takes all file descriptors of the process but n, until the function
// that it returns is called. Tests that call it are not parallel.
func leaveDescriptors(t *testing.T, n int) (release func()) {
	t.Helper()
	restore, err := unixtest.FewFiles()
	must(t, err)
	var taken []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		must(t, err)
		taken = append(taken, f)
	}
	for _, f := range taken[:n] {
		f.Close()
	}
	return func() {
		for _, f := range taken[n:] {
			f.Close()
		}
		must(t, restore())
	}
}

// However few descriptors there are, no chart and no archive leaves the index for it,
// nor is any of them said to be wrong; and the next pass is a good one. Clients can
// cause a shortage, so it is no reason against an archive.
func TestShortOfDescriptors(t *testing.T) {
	inMemory(t)
	passed := 0
	for n := range 16 {
		f := newFixture(t)
		f.opts.Prune, f.opts.Now = true, settledNow
		f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../../out/kit"), chartFiles("deep/b", "b", "1.0.0"),
			map[string]string{"g.tgz": string(archiveOf(t, "g", "1.0.0")), "g.tgz.prov": signed})
		write(t, filepath.Dir(f.tree), chartFiles("out/kit", "kit", "1.0.0"))
		write(t, f.repo, map[string]string{"s-1.0.0.tgz": string(archiveOf(t, "s", "1.0.0")), "sub/s2.tgz": string(archiveOf(t, "s", "2.0.0")), "note": "x"})
		r, err := Open(f.repo, f.opts)
		must(t, err)
		must(t, r.Build(t.Context()))
		before, served := f.index(), servedBy(t, r.View())
		f.add(map[string]string{"a/new": "1", "deep/b/new": "1", "g.tgz": string(archiveOf(t, "g", "1.0.0", map[string]string{"g/new": "1"})), "g.tgz.prov": signed + "again"})
		write(t, filepath.Dir(f.tree), map[string]string{"out/kit/new": "1"})
		write(t, f.repo, map[string]string{"s-1.0.0.tgz": string(archiveOf(t, "s", "1.0.0", map[string]string{"s/new": "1"})),
			"sub/s2.tgz": string(archiveOf(t, "s", "2.0.0", map[string]string{"s/new": "1"})), "note": "y"})

		release := leaveDescriptors(t, n)
		err = r.pass(t.Context(), mail{change: watch.Change{Rescan: true}})
		release()
		if err == nil {
			passed++
		} else if !errors.Is(err, syscall.EMFILE) || !strings.Contains(r.Status().Problem, "limit of open files") {
			t.Errorf("%d descriptors: %v, problem %q", n, err, r.Status().Problem)
		}
		if got := r.Status().Failures; len(got) > 0 {
			t.Errorf("%d descriptors: failures %v", n, got)
		}
		if got := f.index(); !maps.EqualFunc(got, before, func(string, string) bool { return true }) {
			t.Errorf("%d descriptors: the index has %v, want all of %v", n, got, before)
		}
		if err != nil && r.View().Index.YAML.ETag != served["index.yaml"] {
			t.Errorf("%d descriptors: the pass failed, and another index is served", n)
		}
		must(t, r.pass(t.Context(), mail{change: watch.Change{Rescan: true}}))
		for name, digest := range f.index() {
			if digest == before[name] {
				t.Errorf("%d descriptors: in the end %s is the old one", n, name)
			}
		}
		must(t, r.Close())
	}
	if passed == 0 || passed == 16 {
		t.Errorf("%d of 16 passes were good: the test lost what it is about", passed)
	}
}

// A first look at a folder that is short of descriptors publishes nothing: neither an
// index that lacks archives, nor one without the creation times of the last.
func TestShortOfDescriptorsAtAStart(t *testing.T) {
	inMemory(t)
	for n := range 16 {
		f := newFixture(t)
		f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
		write(t, f.repo, map[string]string{"s-1.0.0.tgz": string(archiveOf(t, "s", "1.0.0"))})
		f.build()
		path := filepath.Join(f.repo, "index.yaml")
		must(t, os.WriteFile(path, []byte(redated(mustRead(t, path))), 0o644))
		must(t, os.Remove(filepath.Join(f.repo, stateName)))
		before := string(mustRead(t, path))
		r, err := Open(f.repo, f.opts)
		must(t, err)
		release := leaveDescriptors(t, n)
		err = r.Build(t.Context())
		release()
		if got := string(mustRead(t, path)); err != nil && got != before {
			t.Errorf("%d descriptors: index.yaml is\n%s", n, got)
		}
		must(t, r.Build(t.Context()))
		if got := string(mustRead(t, path)); got != before {
			t.Errorf("%d descriptors: in the end index.yaml is\n%s", n, got)
		}
		must(t, r.Close())
	}
}
