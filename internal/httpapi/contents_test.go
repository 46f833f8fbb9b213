package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostileFiles are those of a chart whose author would like them to run.
func hostileFiles() map[string]string {
	return map[string]string{
		"values.yaml": "a: 1\n", "files/x.svg": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>`,
		"files/x.html": "<script>alert(1)</script>", "files/x.js": "alert(1)", "files/x.png": "\x89PNG\r\n\x1a\n rest", "files/x.bin": "a\x00b",
		"files/png.html": "\x89PNG\r\n\x1a\n<script>", "files/.hidden/.x": "dot", "files/a b%2F#?&+.txt": "odd", "files/\"q\".bin": "\x00", ".helmignore": "x",
		"files/<img src=x onerror=alert(1)>.txt": "name",
	}
}

// hostile is a fixture with hostileFiles in heat.
func hostile(t testing.TB) *fixture {
	f := newFixture(t, Options{})
	f.heat = f.write("heat-1.0.0.tgz", string(chartArchive(t, "heat", "1.0.0", hostileFiles())))
	f.src.p.Store(f.snapshot(f.heat))
	return f
}

// Nothing in a chart runs in the origin of the pages, opened directly too.
func TestFilesOfCharts(t *testing.T) {
	const plain, bytes = "text/plain; charset=utf-8", "application/octet-stream"
	f := hostile(t)
	for name, want := range map[string]struct{ path, kind, disposition string }{
		"values.yaml": {"values.yaml", plain, ""}, "files/x.svg": {"files/x.svg", "image/svg+xml", ""}, "files/x.html": {"files/x.html", plain, ""},
		"files/x.js": {"files/x.js", plain, ""}, "files/x.png": {"files/x.png", "image/png", ""}, "files/x.bin": {"files/x.bin", bytes, "attachment; filename=x.bin"},
		"files/png.html": {"files/png.html", "image/png", ""}, "files/.hidden/.x": {"files/.hidden/.x", plain, ""}, ".helmignore": {".helmignore", plain, ""},
		"files/a b%2F#?&+.txt":                   {"files/a%20b%252F%23%3F&+.txt", plain, ""},
		"files/\"q\".bin":                        {"files/%22q%22.bin", bytes, `attachment; filename="\"q\".bin"`},
		"files/<img src=x onerror=alert(1)>.txt": {"files/%3Cimg%20src=x%20onerror=alert(1)%3E.txt", plain, ""},
	} {
		path := "/chart/heat/1.0.0/files/" + want.path
		got := f.get(path + "?raw")
		if got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", name, got.Status)
			continue
		}
		h := got.Header
		kept := map[string]string{}
		for _, name := range []string{"Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Content-Disposition", "Etag"} {
			kept[name] = h.Get(name)
		}
		content := hostileFiles()[name]
		if diff := cmp.Diff(map[string]string{
			"Content-Type": want.kind, "Content-Security-Policy": filePolicy, "X-Content-Type-Options": "nosniff",
			"Content-Disposition": want.disposition, "Etag": etagOf(content),
		}, kept); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if body := text(t, got); body != content {
			t.Errorf("%s: got %q", name, body)
		}
		if again := f.get(path+"?raw", "If-None-Match", h.Get("Etag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: asked again: %s", name, again.Status)
		}
		if page := f.get(path + "/"); page.StatusCode != http.StatusOK || strings.Contains(text(t, page), "<script>") {
			t.Errorf("%s: its page: %s, or it has the script", name, page.Status)
		}
		if to := f.get(path).Header.Get("Location"); !strings.HasPrefix(to, "./") || !strings.HasSuffix(to, "/") {
			t.Errorf("%s: without a slash it leads to %q", name, to)
		}
	}
	if !strings.Contains(filePolicy, "sandbox") || strings.Contains(filePolicy, "allow-") || strings.Contains(filePolicy, "script-src") {
		t.Errorf("the policy of files lets scripts run: %s", filePolicy)
	}
}

// A file is found by exactly its name.
func TestNoSuchFileOfAChart(t *testing.T) {
	f := hostile(t)
	for _, name := range []string{
		"none", "files", "files/", "files/x.svg/?raw", "Values.yaml", "values.yaml%00", "./values.yaml", "files/../values.yaml", "files/%2e%2e/values.yaml",
		"..%2f..%2fvalues.yaml", "../../../../.state", "%5cvalues.yaml", "heat/values.yaml", "x.svg", "values.yaml%0a", "files%5cx.svg", ".", "..", "files/.hidden/",
	} {
		for _, more := range []string{"", "?raw"} {
			if strings.Contains(name, "?") {
				more = ""
			}
			got := f.get("/chart/heat/1.0.0/files/" + name + more)
			if got.StatusCode == http.StatusPermanentRedirect {
				got = f.get("/chart/heat/1.0.0/files/" + name + "/")
			}
			if got.StatusCode != http.StatusNotFound {
				t.Errorf("%s%s: %s", name, more, got.Status)
			}
		}
	}
}

// Only files of charts may begin with a dot.
func TestDotsInPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/charts/chart/a/1.0.0/files/.helmignore": true, "/chart/a/1/files/x/.y/z/": true, "/org/repo/chart/a/1/files/.x": true,
		"/.state": false, "/charts/.state": false, "/chart/a/1/files/../x": false, "/chart/a/1/files/./x": false, "/chart/a/1/files/..x": false,
		"/chart/.a/1/files/x": false, "/.x/chart/a/1/files/x": false, "/chart/a/1/.x": false, "/chart/a/files/.x": false, "/chart/a/1/files/..": false,
		"/chart/../1/files/.x": false, "/chart/a/1/files/x/..": false,
	} {
		if _, got := cleanPath(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

// The pages of contents in plain text are made for pipes.
func TestContentsAsText(t *testing.T) {
	f := newFixture(t, Options{})
	f.heat = f.write("heat-1.0.0.tgz", string(chartArchive(t, "heat", "1.0.0", map[string]string{
		"values.yaml": "# red\nimages:\n  tags:\n    a: quay.io/x/a:1\n    b: b:2\n", "x.bin": "\x00", "notes.txt": "\x1b[31mred\n",
	})))
	f.src.p.Store(f.snapshot(f.heat))
	for path, want := range map[string]string{
		"images/":            "docker.io/library/b:2\nquay.io/x/a:1\n",
		"values/":            "# red\nimages:\n  tags:\n    a: quay.io/x/a:1\n    b: b:2\n",
		"files/values.yaml/": "# red\nimages:\n  tags:\n    a: quay.io/x/a:1\n    b: b:2\n",
		"files/":             "         9 notes.txt\n        41 Chart.yaml\n        54 values.yaml\n         1 x.bin\n",
		"files/notes.txt/":   "\ufffd[31mred\n",
		"files/x.bin/":       "x.bin is no text, and has 1 byte: ?raw downloads it.\n",
	} {
		if got := text(t, f.get("/chart/heat/1.0.0/"+path, "Accept", "text/plain")); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
