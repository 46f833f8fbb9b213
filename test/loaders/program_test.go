package loaders

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	load4 "helm.sh/helm/v4/pkg/chart/v2/loader"

	repo3 "helm.sh/helm/v3/pkg/repo"
	repo4 "helm.sh/helm/v4/pkg/repo/v1"
)

// program is chartserve itself: CHARTSERVE, or built from this tree.
func program(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHARTSERVE"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "chartserve")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/chartserve")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// run runs chartserve to its end, whatever its exit status.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out)
}

// TestFolder has the program index a folder of archives, spoiled and good, in which no
// two charts are the same. Each entry is the one that `helm repo index` writes of
// that archive, and what only Helm lists has its reason in the output.
func TestFolder(t *testing.T) {
	dir, r, n := t.TempDir(), rand.New(rand.NewPCG(1, 1)), 400
	for i := range n {
		members := someChart(r)
		if i%2 == 0 {
			members = spoil(r, spoil(r, members))
		}
		for j := range members {
			members[j].body = strings.ReplaceAll(members[j].body, "name: c\n", fmt.Sprintf("name: c%d\n", i))
		}
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("a%d-1.0.0.tgz", i)), gzipped(tarOf(members)), 0o644))
	}
	out := run(t, program(t), "index", dir)
	byDigest := func(e entry) string { return e.Digest }
	ours3, err := entries3(byDigest)(repo3.LoadIndexFile(filepath.Join(dir, "index.yaml")))
	must(t, err)
	ours4, err := entries4(byDigest)(repo4.LoadIndexFile(filepath.Join(dir, "index.yaml")))
	must(t, err)
	theirs3, err := entries3(byDigest)(repo3.IndexDirectory(dir, ""))
	must(t, err)
	theirs4, err := entries4(byDigest)(repo4.IndexDirectory(dir, ""))
	must(t, err)
	if len(ours3) < n/2 {
		t.Errorf("%d of %d are in the index: too few to prove anything", len(ours3), n)
	}
	for digest, e := range ours3 {
		for name, other := range map[string]entry{"Helm 4 in the index": ours4[digest], "helm3 repo index": theirs3[digest], "helm4 repo index": theirs4[digest]} {
			if diff := cmp.Diff(e, other); diff != "" {
				t.Errorf("chartserve (-) and %s (+):\n%s", name, diff)
			}
		}
	}
	for digest, e := range theirs4 {
		if _, listed := ours3[digest]; !listed && !strings.Contains(out, e.URL) {
			t.Errorf("%s is neither in the index nor in the output:\n%s", e.URL, out)
		}
	}
}

// TestVersions has the program build charts that each want another range of versions of
// one chart in the same repository: each gets what Helm would take from its index
// (IndexFile.Get), and is not built where Helm would take nothing.
func TestVersions(t *testing.T) {
	r, source, target := rand.New(rand.NewPCG(2, 1)), t.TempDir(), t.TempDir()
	versions := []string{"1.0.0", "1.0.0+a", "1.0.0+b", "1.0.0-rc.1", "1.0.1-0", "1.2.3", "v1.3.0", "1.4", "2.0.0", "2.0.0-beta+x", "2.1.0", "10.0.0", "0.0.1", "0.1.0", "3.0.0-alpha"}
	for _, v := range versions {
		must(t, os.WriteFile(filepath.Join(source, "lib-"+v+".tgz"), []byte(tgz(file("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: \""+v+"\"\n"))), 0o644))
	}
	wants := map[string]string{}
	for i := range 150 {
		name := fmt.Sprintf("app%d", i)
		wants[name] = someConstraint(r, versions)
		must(t, os.MkdirAll(filepath.Join(source, name), 0o755))
		must(t, os.WriteFile(filepath.Join(source, name, "Chart.yaml"), fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: 1.0.0\ndependencies:\n- {name: lib, version: %q, repository: 'http://localhost:8879/charts'}\n", name, wants[name]), 0o644))
	}
	out := run(t, program(t), "build", "--repo-path", target, source)
	x3, err := repo3.LoadIndexFile(filepath.Join(target, "index.yaml"))
	must(t, err)
	x4, err := repo4.LoadIndexFile(filepath.Join(target, "index.yaml"))
	must(t, err)
	met := 0
	for _, name := range sortedKeys(wants) {
		got := ""
		if data, err := os.ReadFile(filepath.Join(target, name+"-1.0.0.tgz")); err == nil {
			c, err := load4.LoadArchive(bytes.NewReader(data))
			must(t, err)
			got, met = c.Dependencies()[0].Metadata.Version, met+1
		}
		want3, want4 := "", ""
		if v, err := x3.Get("lib", wants[name]); err == nil {
			want3 = v.Version
		}
		if v, err := x4.Get("lib", wants[name]); err == nil {
			want4 = v.Version
		}
		if wants[name] == "" {
			want3, want4 = "", "" // the newest to Get, and an error to `helm dependency update`
		}
		if got != want3 || got != want4 {
			t.Errorf("lib %q: got %q, Helm 3 takes %q and Helm 4 %q\n%s", wants[name], got, want3, want4, linesWith(out, name+" "))
		}
	}
	if met < len(wants)/3 {
		t.Errorf("%d of %d were built: too few to prove anything\n%s", met, len(wants), out)
	}
}

func linesWith(text, part string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// someConstraint is a version or a range, mostly.
func someConstraint(r *rand.Rand, versions []string) string {
	v := pick(r, versions...)
	return pick(r, v, v, "="+v, "= "+v, ">="+v, ">"+v, "<"+v, "<= "+v, "!="+v, "~"+v, "^"+v, "~>"+v, v+" - "+pick(r, versions...), "^"+v+" || "+pick(r, versions...), ">="+v+", <3", ">="+v+" <3.0.0-0",
		"*", "x", "1.x", "1", "v1", "2.*", ">0-0", ">=0.0.0-0", "*-0", "", " ", "1.0", "latest", "1.0.0+", "1.0.0+c", "=>1", ">=1 || ", v+" ", " "+v)
}

// TestSameLibraries: what is linked here are the versions that the server has of the
// libraries that decide. Otherwise this suite would test another server.
func TestSameLibraries(t *testing.T) {
	list := func(dir string) string {
		cmd := exec.Command("go", "list", "-m", "github.com/Masterminds/semver/v3", "sigs.k8s.io/yaml", "go.yaml.in/yaml/v2", "github.com/klauspost/compress")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		return string(out)
	}
	if diff := cmp.Diff(list(filepath.Join("..", "..")), list(".")); diff != "" {
		t.Errorf("the server (-) and this module (+): raise what is behind\n%s", diff)
	}
}
