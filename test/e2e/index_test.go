package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/test/corpus/gen"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// folder fills a directory with archives and with two files that are none.
func folder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := gen.WriteArchives(dir, n, 11); err != nil {
		t.Fatal(err)
	}
	files{"junk-1.0.0.tgz": "not an archive", "cut-1.0.0.tgz": "\x1f\x8b\x08\x00"}.write(t, dir)
	return dir
}

// entries reads an index.yaml, by name and version.
func entries(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	var file struct {
		Entries map[string][]map[string]any `json:"entries"`
	}
	must(t, yaml.UnmarshalStrict([]byte(read(t, path)), &struct {
		APIVersion  any `json:"apiVersion"`
		Entries     any `json:"entries"`
		Generated   any `json:"generated"`
		ServerInfo  any `json:"serverInfo"`
		PublicKeys  any `json:"publicKeys"`
		Annotations any `json:"annotations"`
	}{}))
	must(t, yaml.Unmarshal([]byte(read(t, path)), &file))
	all := map[string]map[string]any{}
	for _, versions := range file.Entries {
		for _, e := range versions {
			all[e["name"].(string)+" "+e["version"].(string)] = e
		}
	}
	return all
}

// TestIndexCommand: the index of a folder says what `helm repo index` says of it,
// and every client reads it, in both forms, from any web server.
func TestIndexCommand(t *testing.T) {
	const n = 60
	for _, form := range []string{"yaml", "json", "auto"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, n)
			r := serveTool(t, dir, "index", ".", "--index-format", form)
			if !r.ok() || !strings.Contains(r.all(), "junk-1.0.0.tgz") || !strings.Contains(r.all(), "cut-1.0.0.tgz") {
				t.Fatalf("exit %d, want 0 and both bad archives reported:\n%s", r.code, r.all())
			}
			ours := entries(t, filepath.Join(dir, "index.yaml"))
			web := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer web.Close()
			for _, name := range clients() {
				readFrom(t, helm(t, name), web.URL, n)
			}
			helm(t, "helm4").run(t, dir, "repo", "index", ".")
			sameEntries(t, ours, entries(t, filepath.Join(dir, "index.yaml")))
		})
	}
}

// readFrom uses a repository of n generated archives.
func readFrom(t *testing.T, c *client, url string, n int) {
	t.Helper()
	c.run(t, ".", "repo", "add", "web", url)
	if got := len(c.search(t, "web/")); got != n {
		t.Errorf("%s: search finds %d versions, want %d", c.name, got, n)
	}
	for i := range n {
		if name, version := gen.NewArchives(11).Identity(i); strings.Contains(version, "+") {
			path := only(t, c.pull(t, "web/"+name, "--version", version))
			if got, want := filepath.Base(path), name+"-"+version+".tgz"; got != want {
				t.Errorf("%s: got %s, want %s", c.name, got, want)
			}
			return
		}
	}
}

// sameEntries compares all that the two say of each version, but for the time:
// Helm writes when it ran.
func sameEntries(t *testing.T, ours, theirs map[string]map[string]any) {
	t.Helper()
	for _, e := range ours {
		delete(e, "created")
	}
	for _, e := range theirs {
		delete(e, "created")
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("entries (-helm +chartserve):\n%s", diff)
	}
}

// TestIndexStrict: --strict makes a bad archive a failure.
func TestIndexStrict(t *testing.T) {
	if r := serveTool(t, folder(t, 3), "index", ".", "--strict"); r.code != 1 {
		t.Errorf("exit status: got %d, want 1\n%s", r.code, r.all())
	}
}

// TestIndexURLAndMerge: --url makes URLs absolute, --merge keeps what another index
// has, build-metadata siblings included (helm repo index --merge loses those).
func TestIndexURLAndMerge(t *testing.T) {
	dir, old := t.TempDir(), t.TempDir()
	chart := webChart.write(t, filepath.Join(t.TempDir(), "web"))
	h := helm(t, "helm4")
	for version, where := range map[string]string{"1.0.0+a": old, "1.0.0+b": dir, "2.0.0": dir} {
		if path, r := h.pack(t, chart, where, "--version", version); path == "" {
			t.Fatal(r.all())
		}
	}
	if r := serveTool(t, old, "index", ".", "--url", "http://old.example.org"); !r.ok() {
		t.Fatal(r.all())
	}
	// A slash more or less at the end makes no difference.
	if r := serveTool(t, dir, "index", ".", "--url", "http://new.example.org/x/", "--merge", filepath.Join(old, "index.yaml")); !r.ok() {
		t.Fatal(r.all())
	}
	got := map[string]string{}
	for id, e := range entries(t, filepath.Join(dir, "index.yaml")) {
		got[id] = e["urls"].([]any)[0].(string)
	}
	want := map[string]string{
		"web 1.0.0+a": "http://old.example.org/web-1.0.0%2Ba.tgz",
		"web 1.0.0+b": "http://new.example.org/x/web-1.0.0%2Bb.tgz",
		"web 2.0.0":   "http://new.example.org/x/web-2.0.0.tgz",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("URLs (-want +got):\n%s", diff)
	}
}

// TestServeFolder: `chartserve --repo-path DIR` alone serves the archives that are
// in DIR, and a new one as soon as it is there.
func TestServeFolder(t *testing.T) {
	t.Parallel()
	const n = 40
	source := t.TempDir()
	if _, err := gen.WriteArchives(source, n, 11); err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), "--repo-path", source)
	for _, name := range clients() {
		readFrom(t, helm(t, name), s.URL, n)
	}
	file, data := gen.NewArchives(11).Archive(n)
	must(t, os.WriteFile(filepath.Join(source, file), data, 0o644))
	s.settles(t, file, func(all map[string]entry) bool { return len(all) == n+1 })
}
