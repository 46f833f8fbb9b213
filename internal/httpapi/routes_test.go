package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"chartserve/internal/index"
	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// What answers where. A want is a file's URL name, or one of these.
const (
	isPage = "the page"
	isYAML = "the index as YAML"
	isJSON = "the index as JSON"
)

func (f *fixture) wantBody(want string) string {
	s := f.src.View()
	switch want {
	case isPage:
		return string(page.List(page.Frame{}, s, page.Query{}).HTML())
	case isYAML:
		return s.Index.YAML.Data.String()
	case isJSON:
		return s.Index.JSON.Data.String()
	}
	content, ok := contents()[want]
	if !ok {
		f.t.Fatalf("no file %s in the fixture", want)
	}
	return content
}

func TestRoutes(t *testing.T) {
	tests := map[string]map[string]string{
		"/charts": {
			"/": isPage, "/charts": isPage, "/charts/": isPage,
			"/charts/index": isPage, "/charts/index.html": isPage, "/index": isPage, "/index.html": isPage,
			"/charts/index.yaml": isYAML, "/index.yaml": isYAML,
			"/charts/index.json": isJSON, "/index.json": isJSON,
			"/charts//index.yaml": isYAML, "//charts///index.yaml": isYAML, // a URL with slashes at its end
			"/charts/index.yaml?x=1&y=%zz": isYAML,
			"/%63harts/%69ndex.yaml":       isYAML,

			"/nova-1.0.0.tgz":                    "nova-1.0.0.tgz",
			"/charts/nova-1.0.0.tgz":             "nova-1.0.0.tgz",
			"/charts/charts/nova-1.0.0.tgz":      "nova-1.0.0.tgz",
			"/nova-1.0.0.tgz.prov":               "nova-1.0.0.tgz.prov",
			"/charts/nova-1.0.0.tgz.prov":        "nova-1.0.0.tgz.prov",
			"/charts/charts/nova-1.0.0.tgz.prov": "nova-1.0.0.tgz.prov",
			"/charts/nova-1.1.0+a.tgz":           "nova-1.1.0+a.tgz",
			"/charts/nova-1.1.0%2Ba.tgz":         "nova-1.1.0+a.tgz",
			"/charts/nova-1.1.0%2ba.tgz":         "nova-1.1.0+a.tgz",
			"/nova%2D1.1.0+a.tgz":                "nova-1.1.0+a.tgz",
			"/charts/charts-1.0.0.tgz":           "charts-1.0.0.tgz",
			"/charts/sub/x-1.0.0.tgz":            "sub/x-1.0.0.tgz",
			"/charts/charts/sub/x-1.0.0.tgz":     "sub/x-1.0.0.tgz",
			"/charts/charts/deep-1.0.0.tgz":      "charts/deep-1.0.0.tgz",
			"/charts/deep-1.0.0.tgz":             "charts/deep-1.0.0.tgz", // below the root it is charts/deep
			"/charts/artifacthub-repo.yml":       "artifacthub-repo.yml",
			"/charts/a%20b-1.0.0.tgz":            "a b-1.0.0.tgz",
			"/charts/%C3%BCbergang-1.0.0.tgz":    "übergang-1.0.0.tgz",
			"/charts/nova-1.0.0.tgz?version=2":   "nova-1.0.0.tgz",
		},
		"/": {
			"/": isPage, "/index": isPage, "/index.html": isPage,
			"/index.yaml": isYAML, "/index.json": isJSON,
			"/nova-1.0.0.tgz":          "nova-1.0.0.tgz",
			"/charts/nova-1.0.0.tgz":   "nova-1.0.0.tgz", // ChartMuseum's way
			"/charts/nova-1.1.0+a.tgz": "nova-1.1.0+a.tgz",
			"/charts/deep-1.0.0.tgz":   "charts/deep-1.0.0.tgz",
			"/sub/x-1.0.0.tgz":         "sub/x-1.0.0.tgz",
		},
		"/helm/stable/": {
			"/": isPage, "/helm/stable/": isPage, "/helm/stable/index": isPage, "/helm/stable/index.html": isPage,
			"/index.yaml": isYAML, "/helm/stable/index.yaml": isYAML, "/helm/stable/index.json": isJSON,
			"/helm/stable/nova-1.0.0.tgz":             "nova-1.0.0.tgz",
			"/helm/stable/charts/nova-1.0.0.tgz":      "nova-1.0.0.tgz",
			"/helm/stable/charts/nova-1.0.0.tgz.prov": "nova-1.0.0.tgz.prov",
			"/nova-1.0.0.tgz":                         "nova-1.0.0.tgz",
			"/charts/nova-1.0.0.tgz":                  "nova-1.0.0.tgz",
		},
	}
	for context, routes := range tests {
		f := newFixture(t, Options{ContextPath: context})
		for target, want := range routes {
			t.Run(context+" "+target, func(t *testing.T) {
				got := f.get(target)
				if got.StatusCode != http.StatusOK {
					t.Fatalf("GET: %s", got.Status)
				}
				body := text(t, got)
				if body != f.wantBody(want) {
					t.Errorf("got %.60q, want %s", body, want)
				}
				head := f.do(http.MethodHead, target)
				if head.StatusCode != http.StatusOK || text(t, head) != "" {
					t.Errorf("HEAD: %s, or a body", head.Status)
				}
				if got, want := head.Header.Get("Content-Length"), strconv.Itoa(len(body)); got != want {
					t.Errorf("HEAD: Content-Length %q, want %s", got, want)
				}
			})
		}
	}
}

func TestBareContextOfSeveralSegments(t *testing.T) {
	f := newFixture(t, Options{ContextPath: "/helm/stable"})
	got := f.get("/helm/stable")
	if got.StatusCode != http.StatusPermanentRedirect || got.Header.Get("Location") != "stable/" {
		t.Errorf("got %s to %q", got.Status, got.Header.Get("Location"))
	}
	if body := text(t, got); !strings.Contains(body, "Helm Repository") {
		t.Errorf("got %q, want the page for who does not follow", body)
	}
}

func TestNotFound(t *testing.T) {
	f := newFixture(t, Options{})
	f.write(".state/secret", "secret")
	f.write(".hidden.tgz", "secret")
	for name, target := range map[string]string{
		"unknown":              "/charts/unknown-1.0.0.tgz",
		"a folder":             "/charts/sub",
		"a folder with slash":  "/charts/sub/",
		"file with slash":      "/charts/nova-1.0.0.tgz/",
		"index with slash":     "/charts/index.yaml/",
		"a listing":            "/charts/charts/",
		"plus is no blank":     "/charts/a+b-1.0.0.tgz",
		"blank is no plus":     "/charts/nova-1.1.0%20a.tgz",
		"double escape":        "/charts/nova-1.1.0%252Ba.tgz",
		"dot-dot":              "/charts/../charts/nova-1.0.0.tgz",
		"dot-dot escaped":      "/charts/%2e%2e/charts/nova-1.0.0.tgz",
		"dot-dot half escaped": "/charts/.%2E/nova-1.0.0.tgz",
		"slash escaped":        "/charts/..%2f..%2fetc%2fpasswd",
		"dot":                  "/charts/./nova-1.0.0.tgz",
		"dot-name":             "/charts/.hidden.tgz",
		"below a dot-name":     "/.state/secret",
		"dot-name escaped":     "/%2estate/secret",
		"NUL":                  "/charts/nova-1.0.0.tgz%00",
		"line end":             "/charts/nova-1.0.0.tgz%0a",
		"backslash":            "/charts/..%5c..%5cetc%5cpasswd",
		"drive":                "/charts/c:%5cnova-1.0.0.tgz",
		"UNC":                  "/%5c%5chost%5cshare",
		"not UTF-8":            "/charts/%ff%fe.tgz",
		"upper case":           "/CHARTS/INDEX.YAML",
		"long":                 "/charts/" + strings.Repeat("a", 10_000),
		"deep":                 strings.Repeat("/a", 5_000),
	} {
		t.Run(name, func(t *testing.T) {
			got := f.get(target)
			if body := text(t, got); got.StatusCode != http.StatusNotFound || body != "not found\n" {
				t.Errorf("got %s %q, want 404 and a fixed text", got.Status, body)
			}
			if got, want := got.Header.Get("Cache-Control"), "no-store"; got != want {
				t.Errorf("Cache-Control %q, want %q", got, want)
			}
			if head := f.do(http.MethodHead, target); head.StatusCode != http.StatusNotFound || text(t, head) != "" {
				t.Errorf("HEAD: %s, or a body", head.Status)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t, Options{})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		for _, target := range []string{"/", "/charts/index.yaml", "/charts/nova-1.0.0.tgz", "/healthz", "/none"} {
			t.Run(method+" "+target, func(t *testing.T) {
				got := f.do(method, target)
				if got.StatusCode != http.StatusMethodNotAllowed || text(t, got) != "method not allowed\n" {
					t.Errorf("got %s", got.Status)
				}
				if got, want := got.Header.Get("Allow"), "GET, HEAD"; got != want {
					t.Errorf("Allow %q, want %q", got, want)
				}
			})
		}
	}
}

func TestBeforeTheFirstIndex(t *testing.T) {
	f := newFixture(t, Options{})
	early := repo.NewView(f.root, f.write("nova-1.0.0.tgz", "nova 1.0.0"))
	early.Status.Version = "v1"
	f.src.p.Store(early)
	tests := map[string]int{
		"/": 503, "/charts/": 503, "/charts/index.yaml": 503, "/index.json": 503, "/charts/api/charts": 503,
		"/readyz": 503, "/charts/unknown-1.0.0.tgz": 503,
		"/healthz": 200, "/status": 200, "/charts/nova-1.0.0.tgz": 200,
	}
	for target, want := range tests {
		t.Run(target, func(t *testing.T) {
			got := f.get(target)
			if got.StatusCode != want {
				t.Errorf("got %s, want %d", got.Status, want)
			}
			if retry := got.Header.Get("Retry-After"); (retry != "") != (want == 503) {
				t.Errorf("Retry-After %q", retry)
			}
			body := text(t, got)
			if strings.Contains(body, "Helm Repository") {
				t.Error("a readiness check by the page's title would succeed")
			}
			if isPage := target == "/" || target == "/charts/"; isPage != strings.Contains(body, "<title>Starting</title>") {
				t.Errorf("got %q", body)
			}
			if target == "/status" && (!strings.Contains(body, `"version": "v1"`) || !strings.Contains(body, `"ready": false`)) {
				t.Errorf("got %q", body)
			}
		})
	}
	f.src.p.Store(f.snapshot())
	if got := f.get("/readyz"); got.StatusCode != http.StatusOK || text(t, got) != "ready\n" {
		t.Errorf("/readyz: %s", got.Status)
	}
}

func TestState(t *testing.T) {
	f := newFixture(t, Options{})
	for target, want := range map[string][2]string{
		"/healthz": {"text/plain; charset=utf-8", "ok\n"},
		"/readyz":  {"text/plain; charset=utf-8", "ready\n"},
		"/status":  {"application/json", "{\n  \"version\": \"\",\n  \"ready\": false,\n  \"charts\": 2,"},
	} {
		t.Run(target, func(t *testing.T) {
			got := f.get(target)
			if !strings.HasPrefix(text(t, got), want[1]) || got.Header.Get("Content-Type") != want[0] {
				t.Errorf("got %s of %s", got.Status, got.Header.Get("Content-Type"))
			}
			if head := f.do(http.MethodHead, target); text(t, head) != "" || head.StatusCode != 200 {
				t.Errorf("HEAD: %s, or a body", head.Status)
			}
		})
	}
}

// Every answer says that its type is not to be guessed, and but for archives, which no
// browser shows, what it may load.
func TestSecurityHeaders(t *testing.T) {
	f := newFixture(t, Options{})
	for _, target := range []string{
		"/", "/charts/index.yaml", "/index.json", "/charts/nova-1.0.0.tgz", "/readme.html", "/icon.svg",
		"/healthz", "/status", "/none", "/charts/api/charts",
	} {
		t.Run(target, func(t *testing.T) {
			h := f.get(target).Header
			if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options %q", got)
			}
			if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; ") && h.Get("Content-Type") != "application/gzip" {
				t.Errorf("Content-Security-Policy %q", got)
			}
		})
	}
	if got := f.get("/readme.html").Header.Get("Content-Security-Policy"); !strings.Contains(got, "sandbox") {
		t.Errorf("a stored HTML file is not in a sandbox: %q", got)
	}
}

func TestContextPath(t *testing.T) {
	for path, want := range map[string]string{
		"": "/charts", "/": "", "/charts": "/charts", "/charts/": "/charts", "/a/b/": "/a/b", "/a-b_c.d~e": "/a-b_c.d~e",
	} {
		if got, err := contextPath(path); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", path, got, err, want)
		}
	}
	for _, path := range []string{
		"charts", "/a//b", "/a/../b", "/.a", "/a b", "/a%20b", "/{a}", "/*", "/a?b", "/ä", "/a\\b",
		"/healthz", "/status/", "/index.yaml", "/api/charts", "/favicon.svg",
	} {
		if got, err := contextPath(path); err == nil {
			t.Errorf("%q: got %q, want an error", path, got)
		} else if !strings.Contains(err.Error(), strconv.Quote(strings.TrimRight(path, "/"))) &&
			!strings.Contains(err.Error(), strconv.Quote(path)) {
			t.Errorf("%q: the error does not name it: %v", path, err)
		}
	}
	if h, err := New(&source{}, Options{ContextPath: "charts"}); err == nil {
		t.Errorf("New: got %v, want an error", h)
	}
}

// Whatever the request's path, only clean names are looked up, and every name
// that the index escapes comes back as it was.
func FuzzURLName(f *testing.F) {
	for _, s := range []string{
		"/charts/nova-1.0.0+a.tgz", "/charts/nova-1.0.0%2Ba.tgz", "/charts/charts/x", "/%2e%2e/x", "//", "/a//b",
		"/charts/..%2f", "/%00", "/%5c", "/charts/%ff", "nova-1.0.0+a.tgz", "sub/x-1.0.0.tgz", "a b", "c:d", "",
		"/chart/a/1/files/.x", "/charts/chart/a/1/files/x/.y/z/", "/chart/a/1/files/../x", "/chart/a/1/files/.x/..",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := url.ParseRequestURI(s); err == nil {
			wantSafe(t, u.Path)
		}
		wantSafe(t, s)
		path, ok := cleanPath("/" + s)
		if !ok || path != "/"+s || s == "" || inChart.MatchString(path) {
			return
		}
		u, err := url.Parse(index.FileURL("", s))
		if err != nil {
			t.Fatalf("%q becomes a URL that can't be parsed: %v", s, err)
		}
		u = (&url.URL{Scheme: "http", Host: "h", Path: "/charts/"}).ResolveReference(u)
		path, ok = cleanPath(u.Path)
		if got := names("/charts", path); !ok || got[0] != s {
			t.Errorf("%q becomes %q, which is looked up as %q", s, u, got)
		}
	})
}

func wantSafe(t *testing.T, path string) {
	t.Helper()
	clean, ok := cleanPath(path)
	if !ok {
		return
	}
	if again, ok := cleanPath(clean); !ok || again != clean {
		t.Errorf("%q becomes %q, that becomes %q", path, clean, again)
	}
	if strings.Count(clean, "+") != strings.Count(path, "+") {
		t.Errorf("%q becomes %q: a plus changed", path, clean)
	}
	for _, context := range []string{"", "/charts", "/helm/stable"} {
		for _, name := range names(context, clean) {
			if strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00\n\r\x7f") ||
				strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.Contains(name, "//") {
				t.Errorf("%q is looked up as %q", path, name)
			}
		}
	}
}

// A connection may say anything as its request line.
func TestOddRequests(t *testing.T) {
	f := newFixture(t, Options{})
	for name, path := range map[string]string{"empty": "", "star": "*", "relative": "charts/index.yaml"} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path = path
			w := httptest.NewRecorder()
			f.h.ServeHTTP(w, r)
			if w.Code != http.StatusNotFound {
				t.Errorf("got %d", w.Code)
			}
		})
	}
}
