package httpapi

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what is generated from the code")

// operation is a method of a path.
type operation struct {
	Summary string
	Open    bool // nobody has to log in
}

// undocumented are the routes that docs/openapi.yaml leaves to other documents.
func undocumented() map[string]string {
	return map[string]string{
		"GET /page.css":                           "The style of the pages.",
		"GET /page.js":                            "What the pages do in a browser.",
		"GET /chart/{name}/":                      "The page of a chart, in its newest version.",
		"GET /chart/{name}/versions/":             "The versions of a chart.",
		"GET /chart/{name}/diff/":                 "What two versions of a chart do not have alike.",
		"GET /chart/{name}/graph/":                "What a chart depends on, and what depends on it.",
		"GET /chart/{name}/badge.svg":             "A picture with the version of a chart.",
		"GET /chart/{name}/feed.atom":             "New versions of a chart, for feed readers.",
		"GET /chart/{name}/{version}/":            "The page of a version.",
		"GET /chart/{name}/{version}/values/":     "The values of a version, with comments and what their schema says.",
		"GET /chart/{name}/{version}/files/":      "The list of the files of a version.",
		"GET /chart/{name}/{version}/files/*":     "A file of a version.",
		"GET /chart/{name}/{version}/images/":     "The container images that a version names.",
		"GET /graph/":                             "Which charts depend on which.",
		"GET /operations/":                        "What is done, what failed, what was asked for.",
		"GET /feed.atom":                          "New versions of all charts, for feed readers.",
		"GET /sitemap.xml":                        "The pages, for search engines; with `--sitemap`.",
		"GET /v2/":                                "Whether this is a registry.",
		"GET /v2/_catalog":                        "The names of the registry's repositories.",
		"GET /v2/{name}/tags/list":                "The tags of a name, which are the versions of a chart.",
		"GET /v2/{name}/manifests/{reference}":    "A manifest by its tag or digest.",
		"PUT /v2/{name}/manifests/{reference}":    "Push a manifest: a chart is published then.",
		"DELETE /v2/{name}/manifests/{reference}": "Delete a manifest, or a tag.",
		"GET /v2/{name}/blobs/{digest}":           "A blob.",
		"DELETE /v2/{name}/blobs/{digest}":        "Delete a blob.",
		"POST /v2/{name}/blobs/uploads/":          "Begin a push of a blob, or mount one.",
		"GET /v2/{name}/blobs/uploads/{id}":       "How much of a pushed blob is here.",
		"PATCH /v2/{name}/blobs/uploads/{id}":     "Push a part of a blob.",
		"PUT /v2/{name}/blobs/uploads/{id}":       "End a push of a blob, with the last part.",
		"DELETE /v2/{name}/blobs/uploads/{id}":    "Give up a push of a blob.",
		"GET /v2/{name}/referrers/{digest}":       "What refers to a manifest, such as signatures.",
	}
}

// TestReferenceRoutes: docs/reference/routes.md has each route, and what docs/openapi.yaml or
// this file says of it. With -update it is written.
func TestReferenceRoutes(t *testing.T) {
	known := described(t)
	var b strings.Builder
	b.WriteString("# Routes\n\nEach path that answers, and who may ask. [openapi.yaml](../openapi.yaml) has parameters, bodies and statuses of the API.\n\n" +
		"All of it is below the root and below the context path (`--context-path`, `/charts` without it), but for `/healthz`, `/readyz`,\n`/metrics` and `/v2`, which are below the root alone. With other repositories it is there for each, with its name before the path.\n" +
		"HEAD is answered wherever GET is, but for `/metrics`. A right is asked for only where somebody has to log in, see\n[access.md](../access.md). Nothing is written without `--allow-upload`.\n")
	for _, group := range groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| Method | Path | Right | Answer |\n| --- | --- | --- | --- |\n", group.title)
		for _, name := range slices.Sorted(maps.Keys(known)) {
			path, method, _ := strings.Cut(name, " ")
			if groupOf(path) == group {
				fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", method, path, known[name].right(method, path), known[name].Summary)
			}
		}
	}
	compareFile(t, "../../docs/reference/routes.md", b.String())
	walkRoutes(t, known)
}

// walkRoutes finds each route in known, and each of known among the routes.
func walkRoutes(t *testing.T, known map[string]operation) {
	f := newFixture(t, Options{Uploads: uploads(t), URL: "https://charts.example.org", Sitemap: true})
	used := map[string]bool{}
	err := chi.Walk(f.h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		path := strings.TrimPrefix(strings.Replace(pattern, `:[^/]+\.tgz(\.prov)?`, "", 1), "/charts")
		if method == http.MethodHead || path == "" {
			return nil
		}
		if path == "/*" {
			path = "/{file}"
		}
		name := path + " " + method
		if _, page := known[path+"/ "+method]; page { // this leads there
			return nil
		}
		if used[name] = true; known[name].Summary == "" {
			t.Errorf("%s %s: neither docs/openapi.yaml nor this test says what it is", method, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		if !used[name] && !strings.Contains(name, "/{file} ") {
			t.Errorf("%s: no such route", name)
		}
	}
}

// described are the operations by path and method.
func described(t *testing.T) map[string]operation {
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Paths map[string]map[string]any }
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]operation{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if fields, ok := op.(map[string]any); ok {
				all[path+" "+strings.ToUpper(method)] = operation{Summary: fields["summary"].(string), Open: fields["security"] != nil}
			}
		}
	}
	for name, summary := range undocumented() {
		method, path, _ := strings.Cut(name, " ")
		all[path+" "+method] = operation{Summary: summary}
	}
	return all
}

// right is the one that a method of a path needs.
func (o operation) right(method, path string) string {
	switch {
	case o.Open:
		return "none"
	case path == "/metrics":
		return "read, of all charts"
	case method == http.MethodDelete && !strings.Contains(path, "/uploads/"):
		return "delete"
	case method != http.MethodGet || strings.Contains(path, "/uploads/"):
		return "upload"
	}
	return "read"
}

type group struct{ title, begins string }

// groups are the tables, in their order; a path is in the last that it fits.
func groups() []group {
	return []group{
		{"The repository", "/"}, {"ChartMuseum's API", "/api/"}, {"The registry", "/v2/"}, {"Pages", "/chart/ /graph/ /operations/ /feed.atom /sitemap.xml /page. /favicon /events"},
		{"The server", "/health /info /readyz /status /metrics"},
	}
}

func groupOf(path string) (found group) {
	for _, g := range groups() {
		for begin := range strings.FieldsSeq(g.begins) {
			if strings.HasPrefix(path, begin) {
				found = g
			}
		}
	}
	return found
}

func compareFile(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the code says (make reference writes it; -file +code):\n%s", name, diff)
	}
}
