package httpapi

import (
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"chartserve/internal/repo"
)

// document is what these tests need of docs/openapi.yaml. That the bodies are as it says
// the end-to-end tests find out.
type document struct {
	Paths      map[string]pathItem
	Components struct{ Responses map[string]documented }
}

// pathItem has Servers where the path is of no named repository: one where it is below the
// root alone.
type pathItem struct {
	Servers                []any
	Get, Put, Post, Delete *struct{ Responses map[string]documented }
}

// documented is an answer, or the reference to one.
type documented struct {
	Ref     string `json:"$ref"`
	Content map[string]any
}

func (p *pathItem) operation(method string) *struct{ Responses map[string]documented } {
	switch method {
	case http.MethodGet, http.MethodHead:
		return p.Get
	case http.MethodPut:
		return p.Put
	case http.MethodPost:
		return p.Post
	case http.MethodDelete:
		return p.Delete
	}
	return nil
}

func readDocument(t *testing.T) *document {
	t.Helper()
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := new(document)
	if err := yaml.Unmarshal(data, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// pathsOf are the paths of the document that a route's pattern stands for, below base.
func pathsOf(pattern string) (base string, paths []string) {
	if rest, ok := strings.CutPrefix(pattern, defaultContext); ok {
		base, pattern = defaultContext, rest
	}
	switch pattern {
	case "/*":
		return base, []string{"/{file}", "/charts/{file}", "/by-digest/{digest}/{file}"}
	case `/{file:[^/]+\.tgz(\.prov)?}`:
		return base, []string{"/{file}"}
	case "":
		return base, []string{"/"}
	}
	return base, []string{pattern}
}

// has reports whether an answer of a route is there, with that kind of body.
func (d *document) has(pattern, method string, resp *http.Response) bool {
	_, paths := pathsOf(pattern)
	item := d.Paths[paths[0]]
	op := item.operation(method)
	if op == nil {
		return false
	}
	answer, ok := op.Responses[fmt.Sprint(resp.StatusCode)]
	if name := strings.TrimPrefix(answer.Ref, "#/components/responses/"); name != "" {
		answer, ok = d.Components.Responses[name]
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	_, known := answer.Content[kind]
	return ok && known == (kind != "")
}

// otherwise reports whether a route is documented elsewhere: the OCI distribution
// specification's there, pages, which are for people, and feeds of these.
func otherwise(pattern string) bool {
	pattern = strings.TrimPrefix(pattern, defaultContext)
	return slices.ContainsFunc([]string{"/v2/", "/chart/", "/graph", "/operations", "/page.", "/feed.atom"}, func(start string) bool { return strings.HasPrefix(pattern, start) })
}

// TestOpenAPIHasTheRoutes: docs/openapi.yaml has every route but those, and no other.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	want, got := map[string]bool{}, map[string]bool{}
	for path, item := range readDocument(t).Paths {
		for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE"} {
			if item.operation(method) == nil || method == "HEAD" && path == "/metrics" {
				continue
			}
			want[method+" "+path] = true
			if len(item.Servers) != 1 && !strings.Contains(path, "{file}") || method == "PUT" {
				want[method+" "+defaultContext+path] = true
			}
		}
	}
	f := newFixture(t, Options{Uploads: uploads(t)})
	err := chi.Walk(f.h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if otherwise(pattern) {
			return nil
		}
		base, paths := pathsOf(pattern)
		for _, path := range paths {
			got[method+" "+base+path] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-docs/openapi.yaml +served):\n%s", diff)
	}
}

// TestOpenAPIHasTheAnswers: whatever a route answers, with the index and before there is
// one, to whoever asks, docs/openapi.yaml has the status and the kind of body.
func TestOpenAPIHasTheAnswers(t *testing.T) {
	d, seen := readDocument(t), map[int]bool{}
	for name, c := range map[string]struct {
		options  Options
		header   []string
		length   int64 // of the body, as it is declared
		starting bool
	}{
		"anybody":    {},
		"starting":   {starting: true},
		"no login":   {options: Options{Access: guard(t, "")}},
		"no rights":  {options: Options{Access: guard(t, "")}, header: as("a")},
		"other host": {options: Options{AllowedHosts: []string{"charts.example.org"}}},
		"other site": {header: []string{"Sec-Fetch-Site", "cross-site"}},
		"unchanged":  {header: []string{"If-None-Match", "*"}},
		"changed":    {header: []string{"If-Match", `"x"`}},
		"a part":     {header: []string{"Range", "bytes=0-0"}},
		"no part":    {header: []string{"Range", "bytes=1000000-"}},
		"large":      {length: 1 << 30},
		"compressed": {header: []string{"Accept-Encoding", "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Uploads = uploads(t)
			f := newFixture(t, c.options)
			if c.starting {
				f.src.p.Store(repo.NewView(f.root))
			}
			walk(t, f, func(pattern string, e example) {
				if pattern == "" || otherwise(pattern) {
					return
				}
				r := httptest.NewRequest(e.method, e.target, nil)
				r.ContentLength = c.length
				for i := 0; i < len(c.header); i += 2 {
					r.Header.Set(c.header[i], c.header[i+1])
				}
				w := httptest.NewRecorder()
				f.h.ServeHTTP(w, r)
				resp := w.Result()
				seen[resp.StatusCode] = true
				if !d.has(pattern, e.method, resp) {
					t.Errorf("%s %s: %s with %q is not documented", e.method, e.target, resp.Status, resp.Header.Get("Content-Type"))
				}
				if resp.Header.Get("X-Request-Id") == "" {
					t.Errorf("%s %s: %s without X-Request-Id", e.method, e.target, resp.Status)
				}
			})
		})
	}
	for _, status := range []int{200, 206, 304, 400, 401, 403, 404, 412, 413, 416, 421, 503} {
		if !seen[status] {
			t.Errorf("nothing was answered with %d", status)
		}
	}
	if seen[500] {
		t.Error("something was answered with 500")
	}
}
