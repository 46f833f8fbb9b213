package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/test/corpus/gen"
)

// TestToolkitEdit: one edited template of helm-toolkit is in all 78 charts that
// contain it, in one change of the index; a leaf's edit is in the leaf alone.
func TestToolkitEdit(t *testing.T) {
	t.Parallel()
	tree := gen.TacoV2(seed)
	source := plant(t, tree)
	s := serve(t, source, ".")
	before := s.index(t)
	want := map[string]bool{"helm-toolkit": true}
	for _, c := range tree.Charts {
		if c.Toolkit {
			want[c.Name] = true
		}
	}
	after := s.edited(t, source, "helm-toolkit/templates/snippets/_image.tpl", before, len(want))
	for id, e := range after {
		if changed := e.Digest != before[id].Digest; changed != (want[e.Name] && e.Version == tree.Charts[0].Version) {
			t.Errorf("%s: changed %v, contains helm-toolkit %v", id, changed, want[e.Name])
		}
	}
	s.edited(t, source, "nova/templates/deployment-scheduler.yaml", after, 1)
}

// edited appends a comment to a template and waits until n charts have another
// digest. No index in between may show only some of them.
func (s *server) edited(t *testing.T, source, name string, before map[string]entry, n int) map[string]entry {
	t.Helper()
	path := filepath.Join(source, filepath.FromSlash(name))
	must(t, os.WriteFile(path, []byte(read(t, path)+"{{/* edited */}}\n"), 0o644))
	began := time.Now()
	after := s.settles(t, name, func(all map[string]entry) bool {
		if len(all) != len(before) {
			t.Errorf("%s: %d versions in the index, there were %d", name, len(all), len(before))
		}
		changed := 0
		for id, e := range all {
			if e.Digest != before[id].Digest {
				changed++
			}
		}
		if changed > 0 && changed != n {
			t.Errorf("%s: an index with %d changed charts, want all %d at once", name, changed, n)
		}
		return changed > 0
	})
	t.Logf("%s: %d charts served anew after %s", name, n, time.Since(began).Round(time.Millisecond))
	if got := s.status(t).LastRebuild.Packaged; got != n {
		t.Errorf("%s: %d charts packaged, want %d", name, got, n)
	}
	return after
}

// TestMakeBeside: while somebody runs make in the served tree (dep up, lint and
// package of some charts, which writes archives, locks and temporary folders into
// it), no chart breaks, and when all is over the digests are what they were.
func TestMakeBeside(t *testing.T) {
	t.Parallel()
	source := plant(t, gen.TacoV2(seed))
	s := serve(t, source, ".")
	before := s.index(t)
	h := helm(t, "helm3")
	done := make(chan result, 1)
	go func() {
		done <- execute(t, source, h.env, "make", "HELM="+h.path, "GIT_SHA=abc", "helm-toolkit", "etcd", "keystone", "memcached")
	}()
	var made result
	for running := true; running; {
		select {
		case made = <-done:
			running = false
		case <-time.After(20 * time.Millisecond):
			s.whole(t, before)
		}
	}
	if !made.ok() {
		t.Fatalf("make: exit %d\n%s", made.code, made.all())
	}
	s.settles(t, "the archive that make left", func(all map[string]entry) bool {
		return all["keystone 2025.2.0+abc"].Digest != ""
	})
	after := s.settles(t, "the digests of before make", func(all map[string]entry) bool {
		if len(s.status(t).Failures) > 0 {
			return false
		}
		for id := range before {
			if all[id].Digest != before[id].Digest {
				return false
			}
		}
		return true
	})
	t.Logf("new: %v", slices.DeleteFunc(slices.Sorted(maps.Keys(after)), func(id string) bool { return before[id].Digest != "" }))
}

// whole checks that nothing is missing and no chart failed. An archive that is
// being written may be reported; it must not be published.
func (s *server) whole(t *testing.T, before map[string]entry) {
	t.Helper()
	index := s.index(t)
	for id := range before {
		if index[id].Digest == "" {
			t.Errorf("%s is gone from the index", id)
		}
	}
	for _, f := range s.status(t).Failures {
		if !strings.HasSuffix(f.Path, ".tgz") {
			t.Errorf("%s fails while make runs: %s", f.Path, f.Reason)
		}
	}
}

// TestUpdateWhileEdited: clients update a chart's dependencies again and again
// while what they depend on changes under them. Each time they get a whole chart.
func TestUpdateWhileEdited(t *testing.T) {
	source := samples(t)
	s := serve(t, source, ".")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		values := filepath.Join(source, "toolkit", "values.yaml")
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(30 * time.Millisecond):
				if err := os.WriteFile(values, fmt.Appendf(nil, "greeting: hello %d\n", i), 0o644); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	t.Run("clients", func(t *testing.T) {
		for _, name := range clients() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := helm(t, name)
				h.run(t, ".", "repo", "add", "ours", s.URL)
				dir := shopChart.with(files{"requirements.yaml": strings.Replace(shopChart["requirements.yaml"], "http://localhost:8879/charts", s.URL, 1)}).write(t, t.TempDir())
				for range 5 {
					h.run(t, ".", "dependency", "update", dir)
					h.run(t, ".", "dependency", "build", dir)
					if got := h.template(t, dir); !strings.Contains(got, `from-toolkit: "yes"`) {
						t.Errorf("template: got %q", got)
					}
				}
			})
		}
	})
	close(stop)
	<-stopped
	if st := s.status(t); len(st.Failures) > 0 {
		t.Errorf("failures: %v", st.Failures)
	}
}
