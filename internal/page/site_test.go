package page

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/repo"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writeFiles writes files below a directory; an empty one is removed.
func writeFiles(t testing.TB, dir string, all map[string]string) {
	t.Helper()
	for name, text := range all {
		name = filepath.Join(dir, name)
		if text == "" {
			must(t, os.RemoveAll(name))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

// build builds sources into a folder, and its pages, and returns those by name. whole says
// that the pages were there.
func build(t testing.TB, sources, folder string, f Frame) (files map[string]string, whole bool) {
	t.Helper()
	r, err := repo.Open(folder, repo.Options{Sources: []string{sources}, URL: f.URL, Timestamp: time.Unix(1750000000, 0)})
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	site, err := r.Site()
	must(t, err)
	defer site.Close()
	key := SiteKey(f, r.View())
	if whole = site.Whole(key); !whole {
		must(t, WriteSite(context.Background(), f, r.View(), site, func(int, int) {}))
		must(t, site.Finish(key))
	}
	files = map[string]string{}
	must(t, filepath.WalkDir(folder, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name()[0] == '.' {
			return err
		}
		data, err := os.ReadFile(p)
		files[strings.TrimPrefix(p, folder+"/")] = string(data)
		return err
	}))
	return files, whole
}

// charts are sources with all that pages link to.
func charts() map[string]string {
	return map[string]string{
		"nova/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 1.1.0+a\ndescription: Compute\nkeywords: [a b, c&d]\nhome: https://example.org\n" +
			"dependencies:\n- name: toolkit\n  version: 0.1.0\n  repository: file://../toolkit\n",
		"nova/README.md":          "# Nova\n\nSee [values](values.yaml), [nothing](none.md), [install](#nova) and ![a picture](a.png).\n",
		"nova/a.png":              "\x89PNG\r\n\x1a\n",
		"nova/values.yaml":        "image:\n  repository: docker.io/nova\n  tag: \"1\"\n",
		"nova/values.schema.json": `{"type": "object", "properties": {"image": {"type": "object"}}}`,
		"nova/templates/a.yaml":   "image: docker.io/sidecar:2\n",
		"nova/templates/b.yaml":   "image: {{ .Values.image }}\n",
		"toolkit/values.yaml":     "b: 2\n",
		"old/Chart.yaml":          "apiVersion: v2\nname: nova\nversion: 1.0.0\ndeprecated: true\n",
		"toolkit/Chart.yaml":      "apiVersion: v2\nname: toolkit\nversion: 0.1.0\ntype: library\n",
		"odd/Chart.yaml":          "apiVersion: v2\nname: \"Odd %41?#&name\"\nversion: 1.0.0\n",
		"broken/Chart.yaml":       "apiVersion: v2\nname: nova\nversion: 9.0.0\ndependencies:\n- name: none\n  version: 1.0.0\n  repository: file://../none\n",
		"another/Chart.yaml":      "apiVersion: v2\nname: another\nversion: 1.0.0\n",
		"another/values.yaml":     "a: 1\n",
	}
}

var (
	linked = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	entity = strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#39;", "'", "&#34;", `"`)
)

// Every link of every page leads to a file, below any path of a host, and to every page leads
// a link.
func TestSiteLinks(t *testing.T) {
	for name, below := range map[string]string{"no URL": "", "a URL": "/stable"} {
		t.Run(name, func(t *testing.T) {
			src, folder := t.TempDir(), t.TempDir()
			writeFiles(t, src, charts())
			host := httptest.NewServer(http.StripPrefix("/stable", http.FileServer(http.Dir(folder))))
			defer host.Close()
			f := Frame{}
			if below != "" {
				f.URL = host.URL + below
			}
			files, _ := build(t, src, folder, f)
			seen := walkLinks(t, host.URL+"/stable/")
			for name := range files {
				if !seen[strings.TrimSuffix(name, "index.html")] && name != "badge.svg" {
					t.Errorf("no link leads to %s", name)
				}
			}
			for name, want := range map[string]string{ // what archives hold
				"chart/nova/index.html": "See <span>values</span>", "chart/nova/1.1.0+a/values/index.html": "docker.io/nova", "chart/nova/1.1.0+a/files/index.html": "templates/a.yaml",
				"chart/nova/1.1.0+a/images/index.html": "docker.io/library/sidecar:2", "chart/nova/1.1.0+a/changes/index.html": `id="images"`,
			} {
				if !strings.Contains(files[name], want) {
					t.Errorf("%s lacks %q:\n%s", name, want, files[name])
				}
			}
			if len(seen) < 20 {
				t.Errorf("only %d files were reached: %v", len(seen), seen)
			}
		})
	}
}

// walkLinks follows all links from a URL to what is below it, and returns the paths that it got.
func walkLinks(t *testing.T, root string) map[string]bool {
	t.Helper()
	seen, todo := map[string]bool{}, []string{root}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		answer, err := http.Get(at)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		must(t, err)
		if answer.StatusCode != http.StatusOK || answer.Request.URL.String() != at {
			t.Errorf("%s: %s at %s", at, answer.Status, answer.Request.URL)
		}
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") && !strings.HasSuffix(at, ".atom") {
			continue
		}
		base, err := url.Parse(at)
		must(t, err)
		for _, m := range linked.FindAllStringSubmatch(string(body), -1) {
			to, err := base.Parse(entity.Replace(m[1]))
			must(t, err)
			if fragment := to.Fragment; fragment != "" && to.Path == base.Path && !strings.Contains(string(body), `id="`+fragment+`"`) {
				t.Errorf("%s: nothing has the id of %s", at, m[1])
			}
			to.Fragment, to.RawQuery = "", ""
			path, ours := strings.CutPrefix(to.String(), root)
			if path, _ = url.PathUnescape(path); ours && !seen[path] {
				seen[path] = true
				todo = append(todo, to.String())
			}
		}
	}
	return seen
}

// Whatever changes: the pages that are renewed are those that are made from nothing, and what
// is whole is not looked at.
func TestSiteIsRenewed(t *testing.T) {
	src, folder := t.TempDir(), t.TempDir()
	writeFiles(t, src, charts())
	f := Frame{Program: "1"}
	build(t, src, folder, f)
	if _, whole := build(t, src, folder, f); !whole {
		t.Error("pages of which nothing changed are made again")
	}
	for _, c := range []struct {
		name   string
		change map[string]string
	}{
		{"a new version", map[string]string{"new/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 2.0.0\n"}},
		{"a README", map[string]string{"another/README.md": "# Another\n"}},
		{"a dependency", map[string]string{"another/Chart.yaml": "apiVersion: v2\nname: another\nversion: 1.0.0\ndependencies:\n- name: nova\n  version: 2.0.0\n  repository: file://../new\n"}},
		{"a broken chart", map[string]string{"toolkit/Chart.yaml": "apiVersion: v2\nname: toolkit\nversion: x\n"}},
		{"another reason", map[string]string{"toolkit/Chart.yaml": "apiVersion: v2\nname: toolkit\nversion: y\n"}},
		{"a mended chart", map[string]string{"toolkit/Chart.yaml": charts()["toolkit/Chart.yaml"]}},
		{"a broken dependent", map[string]string{"broken/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 9.0.0\ndependencies:\n- name: none\n  version: 1.0.0\n  repository: file://../none\n- name: another\n  version: 1.0.0\n  repository: file://../another\n"}},
		{"a source that is gone", map[string]string{"old": ""}},
		{"a deprecated chart", map[string]string{"new/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 2.0.0\ndeprecated: true\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeFiles(t, src, c.change)
			fresh := t.TempDir()
			must(t, os.CopyFS(fresh, os.DirFS(folder)))
			for _, name := range []string{".pages", "index.html", "chart", "graph"} { // archives are kept
				must(t, os.RemoveAll(filepath.Join(fresh, name)))
			}
			must(t, os.Remove(filepath.Join(fresh, "feed.atom")))
			got, whole := build(t, src, folder, f)
			want, _ := build(t, src, fresh, f)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if got[name] != want[name] {
					t.Errorf("%s is not what it is when it is made anew (whole: %v)", name, whole)
				}
			}
			for name := range got {
				if _, there := want[name]; !there {
					t.Errorf("%s is not there when all is made anew", name)
				}
			}
		})
	}
	f.Program = "2"
	if _, whole := build(t, src, folder, f); whole {
		t.Error("the pages of another program are taken over")
	}
}

// The same sources give the same pages, wherever they are.
func TestSiteIsReproducible(t *testing.T) {
	src, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "deep", "down")
	all := charts()
	delete(all, "broken/Chart.yaml") // its failure names its path
	writeFiles(t, src, all)
	writeFiles(t, elsewhere, all)
	one, _ := build(t, src, t.TempDir(), Frame{})
	other, _ := build(t, elsewhere, t.TempDir(), Frame{})
	if !maps.Equal(one, other) {
		for name := range one {
			if one[name] != other[name] {
				t.Errorf("%s differs", name)
			}
		}
	}
}

// sink takes some files.
type sink struct{ left int }

var errFull = errors.New("full")

func (s *sink) Put(_, _ string, content func() ([]byte, error)) error {
	if s.left--; s.left < 0 {
		return errFull
	}
	_, err := content()
	return err
}

// The first error of the Sink is that of WriteSite, and a context that has ended ends it.
func TestSiteErrors(t *testing.T) {
	folder, src := t.TempDir(), t.TempDir()
	writeFiles(t, src, charts())
	r, err := repo.Open(folder, repo.Options{Sources: []string{src}})
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	for n := 0; ; n++ {
		err := WriteSite(context.Background(), Frame{}, r.View(), &sink{n}, func(int, int) {})
		if err == nil {
			if n < 20 {
				t.Errorf("%d files", n)
			}
			break
		}
		if !errors.Is(err, errFull) {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := WriteSite(ctx, Frame{}, r.View(), &sink{1000}, func(int, int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
