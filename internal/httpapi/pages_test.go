package httpapi

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// From wherever a page is shown, its links lead to what they say.
func TestLinksOfPages(t *testing.T) {
	for context, pages := range map[string][]string{
		"/charts":      {"/", "/charts", "/charts/", "/charts/index", "/charts/index.html", "/index.html", "/chart/heat/", "/charts/chart/heat/1.0.0/", "/charts/chart/heat/1.0.0/values/", "/chart/heat/1.0.0/files/"},
		"/":            {"/", "/index", "/index.html", "/chart/heat/versions/", "/chart/heat/1.0.0/images/"},
		"/helm/stable": {"/", "/helm/stable/", "/helm/stable/index.html", "/helm/stable/chart/heat/1.0.0/", "/chart/heat/", "/helm/stable/chart/heat/1.0.0/files/templates/x.yaml/", "/helm/stable/chart/heat/1.0.0/files/.helmignore/"},
	} {
		f := newFixture(t, Options{ContextPath: context})
		f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", string(chartArchive(t, "nova", "1.0.0", nil))), f.heat))
		for _, page := range pages {
			base, err := url.Parse("http://h" + page)
			if err != nil {
				t.Fatal(err)
			}
			links := regexp.MustCompile(`(?:href|src)="([^"#][^"]*)"`).FindAllStringSubmatch(text(t, f.get(page)), -1)
			if len(links) < 8 {
				t.Fatalf("%s: only %d links", page, len(links))
			}
			for _, link := range links {
				to, err := base.Parse(html.UnescapeString(link[1]))
				if err != nil {
					t.Fatal(err)
				}
				if got := f.get(to.RequestURI()); got.StatusCode != http.StatusOK {
					t.Errorf("context %s, page %s: %s leads to %s: %s", context, page, link[1], to.Path, got.Status)
				}
			}
		}
	}
}

// versioned is a fixture whose repository has two versions of web, the newer first.
func versioned(t *testing.T, o Options) *fixture {
	f := newFixture(t, o)
	web := &repo.Chart{Name: "web"}
	v := repo.NewView(f.root)
	v.Index = testIndex(t, index.YAML)
	for version, value := range map[string]string{"2.0.0": "b: <i>", "1.0.0": "a: <b>"} {
		file := f.write("web-"+version+".tgz", string(chartArchive(t, "web", version, map[string]string{"values.yaml": value + "\n"})))
		web.Versions = append(web.Versions, &repo.Version{Entry: entry(t, &chart.Metadata{Name: "web", Version: version, APIVersion: "v2"}), Archive: file})
	}
	slices.SortFunc(web.Versions, func(a, b *repo.Version) int { return strings.Compare(b.Entry.Version, a.Entry.Version) })
	v.Add(web)
	f.src.p.Store(v)
	return f
}

// Without a query it is the newest version and the one before; what is not there is said.
func TestDifference(t *testing.T) {
	f := versioned(t, Options{})
	for query, want := range map[string]string{
		"": "200 web: from 1.0.0 to 2.0.0", "?from=2.0.0&to=1.0.0": "200 web: from 2.0.0 to 1.0.0", "?to=1.0.0": "200 web: from 1.0.0 to 1.0.0",
		"?from=3.0.0": "404 chart web has no version 3.0.0", "?from=x&to=y": "404 chart web has no version y",
	} {
		got := f.get("/charts/chart/web/diff/"+query, "Accept", "text/plain")
		if text := strconv.Itoa(got.StatusCode) + " " + text(t, got); !strings.HasPrefix(text, want) {
			t.Errorf("%q: got %s, want %s", query, text, want)
		}
	}
	patch := text(t, f.get("/charts/chart/web/diff/", "Accept", "text/plain"))
	if !strings.Contains(patch, "\n-a: <b>\n+b: <i>\n") {
		t.Errorf("no patch: %s", patch)
	}
	first := f.get("/charts/chart/web/diff/")
	if again := f.get("/charts/chart/web/diff/", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("the same again is %s", again.Status)
	}
	if page := text(t, first); !strings.Contains(page, "<del>a: &lt;b&gt;</del>") {
		t.Errorf("not escaped, or not there: %s", page)
	}
}

// helm is a Renderer.
type helm func(ctx context.Context, archive io.Reader) ([]byte, string, error)

func (h helm) Render(ctx context.Context, archive io.Reader) ([]byte, string, error) {
	return h(ctx, archive)
}

// Manifests are rendered where that is allowed, for one reader at a time.
func TestRendered(t *testing.T) {
	const path = "/charts/chart/web/diff/?rendered"
	f := versioned(t, Options{})
	if got := f.get(path); got.StatusCode != 404 || !strings.Contains(text(t, got), "--allow-helm-template") {
		t.Errorf("without a Renderer: %s", got.Status)
	}
	if page := text(t, f.get("/charts/chart/web/diff/")); strings.Contains(page, "rendered") {
		t.Error("a link to what is not there")
	}
	entered, leave := make(chan bool), make(chan bool)
	f = versioned(t, Options{Renderer: helm(func(ctx context.Context, archive io.Reader) ([]byte, string, error) {
		data, err := io.ReadAll(archive)
		entered <- true
		select {
		case <-leave:
		case <-ctx.Done():
			err = ctx.Err()
		}
		return fmt.Append(nil, "size: ", len(data), "\nhash: ", etagOf(string(data))), "", err
	})})
	if page := text(t, f.get("/charts/chart/web/diff/")); !strings.Contains(page, `href="../../../chart/web/diff/?from=1.0.0&amp;to=2.0.0&amp;rendered"`) {
		t.Errorf("no link: %s", page)
	}
	answers := make(chan *http.Response)
	go func() { answers <- f.get(path, "Accept", "text/plain") }()
	<-entered
	if got := f.get(path); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("a second one at once: %s", got.Status)
	}
	leave <- true
	<-entered
	leave <- true
	if got := <-answers; got.StatusCode != 200 || !strings.Contains(text(t, got), "\n-hash: ") {
		t.Errorf("got %s", got.Status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		f.h.ServeHTTP(w, httptest.NewRequest("GET", path, nil).WithContext(ctx))
		gone <- w.Code
	}()
	<-entered
	cancel()
	if code := <-gone; code != 503 || strings.Contains(f.log.String(), "failed") {
		t.Errorf("a client that went away: %d, %s", code, f.log)
	}
}

// stalled is a client that reads nothing of a body.
type stalled struct {
	http.ResponseWriter
	writing chan bool
	end     context.Context
}

func (s stalled) Write(p []byte) (int, error) {
	s.writing <- true
	<-s.end.Done()
	return len(p), nil
}

// A client that reads slowly keeps nobody else from having charts rendered.
func TestRenderedIsSentLater(t *testing.T) {
	const path = "/charts/chart/web/diff/?rendered"
	f := versioned(t, Options{Renderer: helm(func(context.Context, io.Reader) ([]byte, string, error) { return nil, "", nil })})
	ctx, cancel := context.WithCancel(t.Context())
	w := stalled{httptest.NewRecorder(), make(chan bool, 100), ctx}
	done := make(chan bool)
	go func() {
		f.h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		close(done)
	}()
	<-w.writing
	if got := f.get(path); got.StatusCode != 200 {
		t.Errorf("while another reads: %s", got.Status)
	}
	cancel()
	<-done
}

// What a request asks for in vain can't move the cursor of who sees the answer.
func TestErrorsAreInert(t *testing.T) {
	f := versioned(t, Options{})
	for _, path := range []string{"/charts/chart/web/diff/?to=%1b%5b31m", "/charts/chart/%c2%9b31m/", "/charts/chart/%e2%80%aex/"} {
		if got := text(t, f.get(path)); !strings.Contains(got, "\ufffd") || strings.ContainsAny(got, "\x1b\u009b\u202e") {
			t.Errorf("%s: got %q", path, got)
		}
	}
}

// A search whose URL lacks the slash at its end is still that search.
func TestSlashKeepsTheQuery(t *testing.T) {
	f := newFixture(t, Options{ContextPath: "/helm/stable"})
	for path, want := range map[string]string{
		"/helm/stable": "stable/", "/helm/stable?q=a%20b": "stable/?q=a%20b", "/helm/stable/graph?x": "./graph/?x",
	} {
		if got := f.get(path).Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
}

// A browser is shown a page where there is none, with a link to the list; other programs get a
// line.
func TestMissingPages(t *testing.T) {
	f := newFixture(t, Options{})
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	for _, target := range []string{"/charts/chart/none/", "/chart/heat/9.0.0/values/", "/chart/heat/1.0.0/files/none"} {
		resp := f.get(target, "Accept", browser)
		body := text(t, resp)
		if resp.StatusCode != 404 || resp.Header.Get("Content-Type") != htmlType || !strings.Contains(body, `<a href="../`) || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s in a browser: %s, %v, %s", target, resp.Status, resp.Header, body)
		}
		for _, accept := range []string{"*/*", "text/plain"} {
			if resp := f.get(target, "Accept", accept); resp.StatusCode != 404 || resp.Header.Get("Content-Type") != plainType {
				t.Errorf("%s for %s: %s, %s", target, accept, resp.Status, resp.Header.Get("Content-Type"))
			}
		}
	}
	f.src.p.Store(repo.NewView(f.root))
	resp := f.get("/chart/heat/", "Accept", browser)
	if body := text(t, resp); resp.StatusCode != 503 || !strings.Contains(body, "starting") || resp.Header.Get("Retry-After") == "" {
		t.Errorf("before the index: %s, %s", resp.Status, body)
	}
}
