package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/go-cmp/cmp"
)

// example is a request that a route answers, and its status.
type example struct {
	method, target string
	status         int
	headers        string // whole lines
}

// examples are requests for every route, by its pattern, and for what no route
// takes, by the empty one. A new route needs one here for each of its methods but
// HEAD, which takes GET's.
func examples(f *fixture) map[string][]example {
	digest := strings.Trim(etagOf(contents()["nova-1.0.0.tgz"]), `"`)
	get := func(targets ...string) (all []example) {
		for _, target := range targets {
			all = append(all, example{method: http.MethodGet, target: target, status: http.StatusOK})
		}
		return all
	}
	all := map[string][]example{
		"/healthz": get("/healthz"),
		"/readyz":  get("/readyz"),
		"/metrics": get("/metrics"),
		"/charts":  get("/charts"),
		"/v2/":     get("/v2/", "/v2", "//v2/"),

		"/v2/_catalog":         get("/v2/_catalog", "/v2/_catalog?n=1"),
		"/v2/{name}/tags/list": append(get("/v2/charts/heat/tags/list"), example{"GET", "/v2/charts/none/tags/list", 404, ""}),
		"/v2/{name}/manifests/{reference}": append(get("/v2/charts/heat/manifests/1.0.0", "/v2/charts/heat/manifests/"+f.manifest), example{"GET", "/v2/charts/heat/manifests/2.0.0", 404, ""},
			example{"PUT", "/v2/charts/heat/manifests/2.0.0", 400, ""}, example{"DELETE", "/v2/charts/heat/manifests/2.0.0", 404, ""}),
		"/v2/{name}/blobs/{digest}": append(get("/v2/charts/heat/blobs/sha256:"+strings.Trim(f.heat.ETag, `"`)), example{"GET", "/v2/charts/heat/blobs/sha256:" + digest, 404, ""},
			example{"DELETE", "/v2/charts/heat/blobs/sha256:" + digest, 404, ""}),
		"/v2/{name}/blobs/uploads/": {{"POST", "/v2/charts/heat/blobs/uploads/?digest=none", 400, ""}},
		"/v2/{name}/blobs/uploads/{id}": {{"GET", "/v2/charts/heat/blobs/uploads/none", 404, ""}, {"PATCH", "/v2/charts/heat/blobs/uploads/none", 404, ""},
			{"PUT", "/v2/charts/heat/blobs/uploads/none?digest=sha256:" + digest, 404, ""}, {"DELETE", "/v2/charts/heat/blobs/uploads/none", 404, ""}},
		"/v2/{name}/referrers/{digest}": get("/v2/charts/heat/referrers/sha256:" + digest),
		"/*": append(get("/nova-1.0.0.tgz", "/charts/nova-1.0.0.tgz", "/charts/charts/nova-1.0.0.tgz",
			"/charts/nova-1.1.0+a.tgz", "/charts/nova-1.1.0%2Ba.tgz", "//charts//nova-1.0.0.tgz",
			"/charts/by-digest/"+digest+"/nova-1.0.0.tgz", "/by-digest/"+digest+"/nova-1.0.0.tgz.prov",
			"/charts/large-1.0.0.tgz", "/charts/nova-1.0.0.tgz.prov", "/charts/sub/x-1.0.0.tgz", "/artifacthub-repo.yml"),
			example{"GET", "/charts/nothing-1.0.0.tgz", 404, ""}, example{"GET", "/charts/charts/", 404, ""}, example{"GET", "/other/index.yaml", 404, ""}, example{"GET", "/org/index.yaml", 404, ""}),
		"": {
			{"GET", "/.state", 404, ""}, {"GET", "/a/../index.yaml", 404, ""}, {"OPTIONS", "*", 404, ""},
			{"POST", "/charts/index.yaml", 405, ""}, {"DELETE", "/charts/nova-1.0.0.tgz", 405, ""}, {"BREW", "/none", 405, ""},
			{"GET", "/charts/team/../index.yaml", 404, ""},
			{"GET", "/v2/heat", 404, ""}, {"GET", "/v2/Heat/tags/list", 400, ""}, {"POST", "/v2/heat/tags/list", 405, ""}, {"GET", "/v2/.x/tags/list", 404, ""},
			{"OPTIONS", "/charts/", 405, ""}, {"CONNECT", "localhost:80", 404, ""},
			{"POST", "/healthz", 413, "Content-Length: 1000000\r\n"},
		},
	}
	for _, base := range []string{"", "/charts"} {
		for _, name := range []string{"/", "/index", "/index.html", "/favicon.svg", "/page.css", "/page.js", "/status", "/index.yaml", "/index.json", "/health", "/info", "/api/charts"} {
			all[base+name] = get(base + name)
		}
		for page, target := range map[string]string{
			"/chart/{name}": "/chart/heat", "/chart/{name}/{version}": "/chart/heat/1.0.0", "/chart/{name}/versions": "/chart/heat/versions", "/chart/{name}/diff": "/chart/heat/diff", "/chart/{name}/graph": "/chart/heat/graph",
			"/chart/{name}/{version}/values": "/chart/heat/1.0.0/values", "/chart/{name}/{version}/files": "/chart/heat/1.0.0/files", "/chart/{name}/{version}/images": "/chart/heat/1.0.0/images",
		} {
			all[base+page] = []example{{"GET", base + target, 308, ""}}
			all[base+page+"/"] = append(get(base+target+"/"), example{"GET", base + strings.Replace(target, "heat", "none", 1) + "/", 404, ""})
		}
		file := base + "/chart/heat/1.0.0/files/templates/x.yaml"
		all[base+"/chart/{name}/{version}/files/*"] = append(get(file+"/", file+"?raw", base+"/chart/heat/1.0.0/files/.helmignore/"),
			example{"GET", file, 308, ""}, example{"GET", base + "/chart/heat/1.0.0/files/none/", 404, ""})
		all[base+"/chart/{name}/diff/"] = append(all[base+"/chart/{name}/diff/"], example{"GET", base + "/chart/heat/diff/?from=2.0.0", 404, ""}, example{"GET", base + "/chart/heat/diff/?to=%00", 404, ""})
		all[base+"/graph"], all[base+"/graph/"] = []example{{"GET", base + "/graph", 308, ""}}, get(base+"/graph/")
		all[base+"/events"] = get(base + "/events?limit=1")
		all[base+"/operations/"] = get(base + "/operations/")
		all[base+"/operations"] = []example{{"GET", base + "/operations", 308, ""}}
		if f.sitemap {
			all[base+"/sitemap.xml"] = get(base + "/sitemap.xml")
		}
		all[base+"/feed.atom"] = get(base + "/feed.atom")
		all[base+"/chart/{name}/feed.atom"] = append(get(base+"/chart/heat/feed.atom"), example{"GET", base + "/chart/none/feed.atom", 404, ""})
		all[base+"/chart/{name}/badge.svg"] = append(get(base+"/chart/heat/badge.svg", base+"/chart/heat/badge.svg?what=signed"), example{"GET", base + "/chart/heat/badge.svg?what=x", 400, ""})
		chart, version := base+"/api/charts/{name}", base+"/api/charts/{name}/{version}"
		all[base+"/api/charts"] = append(get(base+"/api/charts?offset=1&limit=1"), example{"POST", base + "/api/charts", 400, ""})
		all[chart] = append(get(base+"/api/charts/heat"), example{"GET", base + "/api/charts/none", 404, ""})
		all[version] = append(get(base+"/api/charts/heat/latest"), example{"DELETE", base + "/api/charts/none/1.0.0", 404, ""})
		all[version+"/templates"] = get(base + "/api/charts/heat/1.0.0/templates")
		all[version+"/values"] = get(base + "/api/charts/heat/1.x/values")
		all[base+"/api/prov"] = []example{{"POST", base + "/api/prov", 400, ""}}
		all[base+`/{file:[^/]+\.tgz(\.prov)?}`] = []example{{"PUT", base + "/nova-1.0.0.tgz", 400, ""}, {"PUT", base + "/nova-1.0.0.tgz.prov", 400, ""}}
	}
	return all
}

// inRepository is e, asked of the repository of that name; false: that is no such thing.
func (e example) inRepository(pattern, name string) (example, bool) {
	switch {
	case pattern == "" || pattern == "/healthz" || pattern == "/readyz" || strings.HasSuffix(pattern, "/health") || pattern == "/metrics" || pattern == "/charts" || pattern == "/v2/" || pattern == "/v2/_catalog" || strings.HasPrefix(e.target, "//"):
		return e, false
	}
	if below, ok := strings.CutPrefix(e.target, "/v2/charts/"); ok {
		e.target = "/v2/charts/" + name + "/" + below
		return e, true
	}
	base, rest := "/", e.target[1:]
	for _, part := range []string{"charts/", "api/"} {
		if below, ok := strings.CutPrefix(rest, part); ok && !strings.HasPrefix(below, "?") {
			base, rest = base+part, below
		}
	}
	e.target = base + name + "/" + rest
	return e, true
}

// ways are headers that change how a request is answered, or that once did.
func ways() map[string]string {
	return map[string]string{
		"plain":       "",
		"gzip":        "Accept-Encoding: gzip\r\n",
		"conditional": "If-None-Match: *\r\n",
		"range":       "Range: bytes=0-0\r\n",
		"proxied":     "X-Forwarded-Port: 443\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nAuthorization: Basic YTpi\r\n",
	}
}

// walk calls do with an example of every method of every route of a, and of what
// no route takes.
func walk(t *testing.T, f *fixture, do func(pattern string, e example)) {
	t.Helper()
	all, used := examples(f), map[string]bool{"": true}
	err := chi.Walk(f.h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		used[pattern] = true
		found := false
		for _, e := range all[pattern] {
			if method == http.MethodHead && e.method == http.MethodGet {
				e.method = method
			}
			if e.method == method {
				found = true
				do(pattern, e)
				for _, name := range []string{"team", "org/repo"} {
					if e, ok := e.inRepository(pattern, name); ok && f.named {
						do(pattern, e)
					}
				}
			}
		}
		if !found {
			t.Errorf("%s %s: no example of this route", method, pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range all {
		if !used[pattern] {
			t.Errorf("%s: examples of a route that is not there", pattern)
		}
	}
	for _, e := range all[""] {
		do("", e)
	}
}

// wire is e as it is sent.
func (e example) wire(version, headers string) string {
	return fmt.Sprintf("%s %s HTTP/%s\r\nHost: localhost:8879\r\nX-Request-Id: example\r\n%s%s\r\n", e.method, e.target, version, e.headers, headers)
}

// Each example is answered by the route that it is an example of.
func TestExamples(t *testing.T) {
	var pattern string
	f := newFixture(t, Options{Uploads: uploads(t), URL: "https://charts.example.org", Sitemap: true, Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			pattern = chi.RouteContext(r.Context()).RoutePattern()
		})
	}}})
	walk(t, f, func(want string, e example) {
		if want == "" {
			return
		}
		got := f.do(e.method, e.target)
		if got.StatusCode != e.status || pattern != strings.TrimRight(want, "/") && pattern != want {
			t.Errorf("%s %s: got %s from %s, want %d from %s", e.method, e.target, got.Status, pattern, e.status, want)
		}
	})
}

// Whatever is asked for, and however, passes the middleware, and passes it once.
func TestMiddlewareSeesEverything(t *testing.T) {
	for name, denies := range map[string]bool{"denies": true, "counts": false} {
		t.Run(name, func(t *testing.T) {
			var seen, sent atomic.Int64
			f := newFixture(t, Options{Uploads: uploads(t), URL: "https://charts.example.org", Sitemap: true, Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					seen.Add(1)
					if denies {
						http.Error(w, "denied", http.StatusUnauthorized)
						return
					}
					next.ServeHTTP(w, r)
				})
			}}})
			addr := listen(t, f.h)
			check := func(e example, request string, got ...answered) {
				t.Helper()
				sent.Add(int64(len(got)))
				if seen.Load() != sent.Load() {
					t.Fatalf("%d of %d requests were seen after %q", seen.Load(), sent.Load(), request)
				}
				for _, a := range got {
					if denies && (a.Status != "401 Unauthorized" || a.Header.Get("Etag") != "" || e.method != "HEAD" && a.Body != "denied\n") {
						t.Errorf("not denied: %q: %s, %.60q", request, a.Status, a.Body)
					}
				}
			}
			walk(t, f, func(_ string, e example) {
				for _, headers := range ways() {
					request := e.wire("1.1", headers)
					got := exchange(t, dial(t, addr), request)
					check(e, request, got)
					if headers == "" && !denies && !strings.HasPrefix(got.Status, fmt.Sprint(e.status)) {
						t.Errorf("%s %s: got %s, want %d", e.method, e.target, got.Status, e.status)
					}
				}
				old := e.wire("1.0", "Connection: keep-alive\r\n")
				if e.status < 400 {
					check(e, old, pipeline(t, dial(t, addr), e.method, old, 2)...)
					three := e.wire("1.1", "")
					check(e, three, pipeline(t, dial(t, addr), e.method, three, 3)...)
				}
			})
			if sent.Load() < 300 {
				t.Errorf("only %d requests were sent", sent.Load())
			}
		})
	}
}

// pipeline sends n requests at once and reads their answers.
func pipeline(t *testing.T, c net.Conn, method, request string, n int) (got []answered) {
	t.Helper()
	if _, err := io.WriteString(c, strings.Repeat(request, n)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for range n {
		got = append(got, readAnswer(t, r, method))
	}
	return got
}

// What goes out over the wire, by writev and sendfile, is what the handler answers
// to a writer that has neither.
func TestWireAgrees(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t)})
	s := f.src.View()
	s.Index.YAML.Data = inParts(strings.Repeat("0123456789\n", 300_000))
	addr := listen(t, f.h)
	walk(t, f, func(_ string, e example) {
		for way, headers := range ways() {
			request := e.wire("1.1", headers)
			got := exchange(t, dial(t, addr), request)
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			f.h.ServeHTTP(w, r)
			want := answered{w.Result().Status, w.Header(), w.Body.String(), got.Close}
			want.Header.Del("Connection")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s %s (-handler +wire):\n%.2000s", way, e.method, e.target, diff)
			}
		}
	})
}

// Large files and texts keep their fast way through middleware that wraps the
// ResponseWriter as chi's does.
func TestMiddlewareThatWraps(t *testing.T) {
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(middleware.NewWrapResponseWriter(w, r.ProtoMajor), r)
		})
	}
	f := newLogged(t, Options{Middleware: []func(http.Handler) http.Handler{wrap, wrap}})
	s := f.src.View()
	s.Index.YAML.Data = inParts(strings.Repeat("x", 10_000))
	for target, want := range map[string]string{
		"/charts/large-1.0.0.tgz": "100000 of *os.File",
		"/charts/index.yaml":      "*net.Buffers",
	} {
		w := &writer{ResponseRecorder: httptest.NewRecorder()}
		f.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if got := strings.Join(w.sources, "; "); got != want {
			t.Errorf("%s: net/http reads %q, want %q", target, got, want)
		}
	}
}

// Middleware is in the order in which it was named; a panic in it is recovered,
// and it sees what comes with too large a body.
func TestMiddlewareOrder(t *testing.T) {
	var order []string
	named := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				if r.Header.Get("X-Panic") == name {
					panic("in " + name)
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	f := newLogged(t, Options{Middleware: []func(http.Handler) http.Handler{named("first"), named("second")}})
	for panics, want := range map[string]int{"": 200, "first": 500, "second": 500} {
		if got := f.get("/healthz", "X-Panic", panics); got.StatusCode != want {
			t.Errorf("panic in %q: got %s, want %d", panics, got.Status, want)
		}
		if panics != "" && !strings.Contains(f.log.String(), `reason="in `+panics) {
			t.Errorf("panic in %q is not logged", panics)
		}
	}
	if got := strings.Count(f.log.String(), "msg=request"); got != 3 {
		t.Errorf("%d lines of access log, want 3", got)
	}
	order = nil
	f.get("/healthz")
	if got := strings.Join(order, " "); got != "first second" {
		t.Errorf("order is %q", got)
	}
}

func TestAccessLog(t *testing.T) {
	tests := map[string]struct {
		method, target string
		header         []string
		want           string
	}{
		"small archive": {"GET", "/charts/nova-1.0.0.tgz", nil, "method=GET path=/charts/nova-1.0.0.tgz status=200 bytes=10 "},
		"large archive": {"GET", "/charts/large-1.0.0.tgz", nil, "status=200 bytes=100000 "},
		"part":          {"GET", "/charts/large-1.0.0.tgz", []string{"Range", "bytes=0-9"}, "status=206 bytes=10 "},
		"HEAD":          {"HEAD", "/charts/large-1.0.0.tgz", nil, "method=HEAD path=/charts/large-1.0.0.tgz status=200 bytes=0 "},
		"not modified":  {"GET", "/charts/index.yaml", []string{"If-None-Match", "*"}, "status=304 bytes=0 "},
		"not found":     {"GET", "/none%20such", nil, "path=/none%20such status=404 bytes=10 "},
		"agent":         {"GET", "/healthz", []string{"User-Agent", "Helm/3.18.0"}, "client=192.0.2.1:1234 agent=Helm/3.18.0"},
		"method":        {"POST", "/healthz", nil, "status=405 bytes=19 "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newLogged(t, Options{})
			f.do(tt.method, tt.target, tt.header...)
			got := f.log.String()
			if strings.Count(got, "msg=request ") != 1 || !strings.Contains(got, tt.want) || !strings.Contains(got, " milliseconds=") {
				t.Errorf("got %q, want one line with %q", got, tt.want)
			}
		})
	}
	f := newFixture(t, Options{})
	if f.get("/healthz"); f.log.String() != "" {
		t.Errorf("without the option: %q", f.log.String())
	}
}

// answers is an Observer that keeps what it is told.
type answers struct {
	mu  sync.Mutex
	all []string
}

func (a *answers) Answered(repository, route, method string, status int, bytes int64, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if took <= 0 {
		route += " in no time"
	}
	if repository != "" {
		route = repository + ":" + route
	}
	a.all = append(a.all, fmt.Sprintf("%s %s %d %d", method, route, status, bytes))
}

// take returns what was told since the last call.
func (a *answers) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { a.all = nil }()
	return a.all
}

// Each request is counted once, by the pattern of its route, whatever it asks for.
func TestEachRequestIsCounted(t *testing.T) {
	counted := &answers{}
	f := newFixture(t, Options{Observer: counted, Uploads: uploads(t)})
	walk(t, f, func(pattern string, e example) {
		resp := f.do(e.method, e.target)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if pattern != "/" {
			pattern = strings.TrimRight(pattern, "/")
		}
		for _, name := range []string{"team", "org/repo"} {
			if strings.Contains(e.target, "/"+name) && pattern != "" {
				pattern = name + ":" + pattern
			}
		}
		want := fmt.Sprintf("%s %s %d %d", e.method, pattern, resp.StatusCode, len(body))
		if got := counted.take(); len(got) != 1 || got[0] != want {
			t.Errorf("%s %s: counted %q, want %q", e.method, e.target, got, want)
		}
	})
}

// So is one whose answer is cut off, and one that panics; what middleware answers has no
// route.
func TestFailuresAreCounted(t *testing.T) {
	counted := &answers{}
	f := newFixture(t, Options{Observer: counted, Middleware: []func(http.Handler) http.Handler{func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/panic":
				panic("oops")
			case "/cut":
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "denied", http.StatusUnauthorized)
		})
	}}})
	for target, want := range map[string]string{"/panic": "GET  500 22", "/cut": "GET  0 0", "/index.yaml": "GET  401 7"} {
		func() {
			defer func() { _ = recover() }()
			f.do(http.MethodGet, target)
		}()
		if got := counted.take(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: counted %q, want %q", target, got, want)
		}
	}
}
