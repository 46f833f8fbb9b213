package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/test/corpus/gen"

	"github.com/google/go-cmp/cmp"
)

// seed is that of all generated trees here.
const seed = 1

// plant writes a generated tree into a fresh directory.
func plant(t *testing.T, tree *gen.Tree) string {
	t.Helper()
	dir := t.TempDir()
	must(t, tree.Write(dir))
	return dir
}

// TestTacoToday: what `build` makes of the tree of today is, chart by chart, what
// `helm dep up` and `helm package` make of it, and renders the same. The tree is
// left as it was.
func TestTacoToday(t *testing.T) {
	tree := gen.TacoV2(seed)
	source, work, out := plant(t, tree), plant(t, tree), filepath.Join(t.TempDir(), "repo")
	before := fingerprint(t, source)
	began := time.Now()
	if r := serveTool(t, source, "build", "--strict", "--repo-path", out, "."); !r.ok() {
		t.Fatalf("chartserve build: exit %d\n%s", r.code, r.all())
	}
	t.Logf("chartserve build: %d charts in %s", len(tree.Charts), time.Since(began).Round(time.Millisecond))
	if diff := cmp.Diff(before, fingerprint(t, source)); diff != "" {
		t.Errorf("build changed the source tree (-before +after):\n%s", diff)
	}
	for i, c := range tree.Charts {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && i%10 > 0 {
				t.Skip("one chart in ten with -short")
			}
			h := helm(t, "helm3")
			dir := filepath.Join(work, filepath.FromSlash(c.Dir))
			h.run(t, ".", "dependency", "update", "--skip-refresh", dir)
			theirs, r := h.pack(t, dir, t.TempDir())
			if theirs == "" {
				t.Fatalf("helm3 package: %s", r.all())
			}
			sameChart(t, filepath.Join(out, c.Name+"-"+c.Version+".tgz"), theirs, "helm3", "helm4")
		})
	}
}

// TestTaco2019: the same for the two trees of 2019, whose charts take helm-toolkit
// from the running server, which Helm 2, 3 and 4 do here.
func TestTaco2019(t *testing.T) {
	tree := gen.TacoV1(seed)
	source, work := plant(t, tree), plant(t, tree)
	s := serve(t, source, "openstack-helm", "openstack-helm-infra")
	if st := s.status(t); len(st.Failures) > 0 {
		t.Fatalf("failures: %v", st.Failures)
	}
	index := s.index(t)
	library := index["helm-toolkit 0.1.0"].Digest
	for i, c := range tree.Charts {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && i%10 > 0 {
				t.Skip("one chart in ten with -short")
			}
			dir := filepath.Join(work, filepath.FromSlash(c.Dir))
			names := clients()
			if i%8 > 0 { // Helm 3 and 4 in each eighth chart: time is short
				names = names[:1]
			}
			for _, name := range names {
				update(t, helm(t, name), dir, s, library, c.Toolkit)
			}
			theirs, r := helm(t, "helm2").pack(t, dir, t.TempDir())
			if theirs == "" {
				t.Fatalf("helm2 package: %s", r.all())
			}
			ours := filepath.Join(t.TempDir(), filepath.Base(theirs))
			code, body := s.get(t, filepath.Base(theirs))
			if sum := fmt.Sprintf("%x", sha256.Sum256(body)); code != 200 || sum != index[c.Name+" "+c.Version].Digest {
				t.Fatalf("%s: %d, digest %s", filepath.Base(theirs), code, sum)
			}
			must(t, os.WriteFile(ours, body, 0o644))
			sameChart(t, ours, theirs, clients()...)
		})
	}
}

// update runs `helm dep up` against s, which is where the tree's requirements
// would point if they named a port that tests may have.
func update(t *testing.T, h *client, dir string, s *server, library string, toolkit bool) {
	t.Helper()
	path := filepath.Join(dir, "requirements.yaml")
	original, err := os.ReadFile(path)
	if err != nil {
		return // one chart of the tree has no requirements
	}
	must(t, os.WriteFile(path, []byte(strings.Replace(string(original), "http://localhost:8879/charts", s.URL, 1)), 0o644))
	h.run(t, ".", "dependency", "update", dir)
	must(t, os.WriteFile(path, original, 0o644))
	if !toolkit {
		return
	}
	got := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, filepath.Join(dir, "charts", "helm-toolkit-0.1.0.tgz")))))
	if got != library {
		t.Errorf("%s dependency update: helm-toolkit has digest %s, the index says %s", h.name, got, library)
	}
}

// sameChart compares two archives of one chart, by members and by what the
// clients render. Locks are left out: Helm wrote them into its tree, ours has none.
func sameChart(t *testing.T, ours, theirs string, renderers ...string) {
	t.Helper()
	lock := func(m member) bool {
		return strings.HasSuffix(m.header.Name, "/Chart.lock") || strings.HasSuffix(m.header.Name, "/requirements.lock")
	}
	sameMembers(t, "helm", slices.DeleteFunc(members(t, ours), lock), slices.DeleteFunc(members(t, theirs), lock))
	for _, name := range renderers {
		h := helm(t, name)
		if diff := cmp.Diff(h.template(t, theirs), h.template(t, ours)); diff != "" {
			t.Errorf("%s template (-theirs +ours):\n%s", name, diff)
		}
	}
}

// fingerprint is every file below dir with size, mode and time of change.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[path] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano())
		return nil
	}))
	return all
}
