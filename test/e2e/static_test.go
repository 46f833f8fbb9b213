package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestStaticHost: what build --pages writes is a repository to Helm, on any web server and below
// any path of it, with and without --url, and pages to people.
func TestStaticHost(t *testing.T) {
	src := samples(t)
	for name, url := range map[string]bool{"relative": false, "with a URL": true} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "public")
			at := serveOnce(t, http.StripPrefix("/stable", http.FileServer(http.Dir(folder)))) + "/stable"
			args := []string{"build", "--strict", "--pages", "--repo-path", folder}
			if url {
				args = append(args, "--url", at)
			}
			for range 2 { // with all pages there too
				if r := serveTool(t, ".", append(args, src)...); !r.ok() {
					t.Fatal(r.all())
				}
			}
			for _, client := range clients() {
				h := helm(t, client)
				h.run(t, ".", "repo", "add", "pages", at)
				for _, version := range webVersions {
					got := read(t, only(t, h.pull(t, "pages/web", "--version", version)))
					if got != read(t, filepath.Join(folder, "web-"+version+".tgz")) {
						t.Errorf("%s: web %s has other bytes", client, version)
					}
				}
				if list := h.search(t, "pages/"); len(list) != len(webVersions)+3 {
					t.Errorf("%s: the repository has %v", client, list)
				}
			}
			for path, want := range map[string]string{
				"/": "<title>Helm Repository</title>", "/chart/web/": "--version</span> 2.0.0-rc.1", "/chart/web/1.2.0/": "--version</span> 1.2.0",
				"/chart/web/1.1.0+build.6/changes/": "1.1.0&#43;build.5", "/feed.atom": "web 1.2.0", "/chart/shop/graph/": "<svg", "/page.js": "searchRows",
			} {
				if got := fetched(t, at+path); !strings.Contains(got, want) {
					t.Errorf("%s lacks %q:\n%s", path, want, got)
				}
			}
		})
	}
}

// fetched is what a URL answers with.
func fetched(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, answer.Status)
	}
	return string(text)
}
