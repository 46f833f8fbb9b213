package metrics

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// text is what Prometheus reads.
func text(t testing.TB, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// wantLines checks that each of the lines is there.
func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("no line %q; there are\n%s", line, matching(got, name))
		}
	}
}

func matching(text, name string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func TestRequests(t *testing.T) {
	m := New("v1.2.3")
	m.Answered("", "/charts/index.yaml", "GET", 200, 1000, 2*time.Millisecond)
	m.Answered("", "/charts/index.yaml", "GET", 200, 500, 20*time.Millisecond)
	m.Answered("", "/charts/index.yaml", "GET", 304, 0, 2*time.Millisecond)
	m.Answered("", "", "BREW", 405, 19, time.Millisecond)
	m.Answered("", "", "PROPFIND", 405, 19, time.Millisecond)
	for _, status := range []int{201, 201, 200, 409, 413, 401, 403, 400, 500, 507, 0, 404, 405} {
		m.Answered("", "/api/charts", "POST", status, 1, time.Millisecond)
	}
	m.Answered("", "/api/charts", "GET", 200, 1, time.Millisecond)
	wantLines(t, text(t, m),
		`chartserve_build_info{version="v1.2.3"} 1`,
		`chartserve_http_requests_total{code="200",method="GET",repo="",route="/charts/index.yaml"} 2`,
		`chartserve_http_requests_total{code="304",method="GET",repo="",route="/charts/index.yaml"} 1`,
		`chartserve_http_requests_total{code="405",method="other",repo="",route="none"} 2`,
		`chartserve_http_response_bytes_total{route="/charts/index.yaml"} 1500`,
		`chartserve_http_request_duration_seconds_count{route="/charts/index.yaml"} 3`,
		`chartserve_http_request_duration_seconds_bucket{route="/charts/index.yaml",le="0.0025"} 2`,
		`chartserve_uploads_total{outcome="published",repo=""} 2`, `chartserve_uploads_total{outcome="unchanged",repo=""} 1`,
		`chartserve_uploads_total{outcome="conflict",repo=""} 1`, `chartserve_uploads_total{outcome="too_large",repo=""} 1`,
		`chartserve_uploads_total{outcome="denied",repo=""} 2`, `chartserve_uploads_total{outcome="refused",repo=""} 1`,
		`chartserve_uploads_total{outcome="failed",repo=""} 3`,
	)
}

// Whatever clients send, there are few series; none is lost under load.
func TestManyAtOnce(t *testing.T) {
	m := New("")
	var load sync.WaitGroup
	for w := range 8 {
		load.Go(func() {
			for i := range 2000 {
				m.Answered("", "/*", fmt.Sprintf("METHOD%d", i), 200+i%5, 1, time.Millisecond)
			}
			_ = text(t, m)
			m.Answered("", "/*", "GET", 200, int64(w), time.Millisecond)
		})
	}
	load.Wait()
	got := text(t, m)
	wantLines(t, got,
		`chartserve_http_requests_total{code="200",method="other",repo="",route="/*"} 3200`,
		`chartserve_http_requests_total{code="204",method="other",repo="",route="/*"} 3200`,
		`chartserve_http_requests_total{code="200",method="GET",repo="",route="/*"} 8`,
		`chartserve_http_response_bytes_total{route="/*"} 16028`)
	if n := strings.Count(got, "\nchartserve_http_requests_total{"); n != 6 {
		t.Errorf("%d series", n)
	}
}

func TestPasses(t *testing.T) {
	m := New("")
	wantLines(t, text(t, m), `chartserve_passes_total{outcome="ok"} 0`, `chartserve_passes_total{outcome="failed"} 0`, `chartserve_downloads_total{outcome="failed"} 0`)
	m.Passed(repo.Pass{Took: 20 * time.Millisecond, Latency: 200 * time.Millisecond})
	m.Passed(repo.Pass{Took: 20 * time.Millisecond})
	m.Passed(repo.Pass{Took: 20 * time.Millisecond, Err: errors.New("full")})
	m.Fetched(nil)
	m.Fetched(errors.New("gone"))
	wantLines(t, text(t, m),
		`chartserve_passes_total{outcome="ok"} 2`, `chartserve_passes_total{outcome="failed"} 1`,
		`chartserve_pass_duration_seconds_count 3`, `chartserve_pass_duration_seconds_bucket{le="0.025"} 3`,
		`chartserve_change_latency_seconds_count 1`, `chartserve_change_latency_seconds_sum 0.2`,
		`chartserve_downloads_total{outcome="ok"} 1`, `chartserve_downloads_total{outcome="failed"} 1`)
}

// view has chart a with a live version and a kept one, and b with a kept one.
func view(t testing.TB) *repo.View {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	v := repo.NewView(root)
	builder := index.NewBuilder(index.YAML)
	version := func(name, version string, live bool) *repo.Version {
		e, err := index.NewEntry(&chart.Metadata{Name: name, Version: version, APIVersion: "v2"}, "x.tgz", strings.Repeat("0", 64), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return &repo.Version{Entry: e, Live: live}
	}
	v.Add(&repo.Chart{Name: "a", Versions: []*repo.Version{version("a", "1.1.0", true), version("a", "1.0.0", false)}})
	v.Add(&repo.Chart{Name: "b", Versions: []*repo.Version{version("b", "1.0.0", false)}})
	v.Index = builder.Encode()
	v.Status = repo.Status{
		Charts: 2, Archives: 3, Problem: "full", Failures: make([]repo.Failure, 4), Warnings: make([]repo.Warning, 5),
		Downloads: []repo.Download{{Running: true}, {Reason: "gone"}},
		Changes:   []repo.Change{{At: time.UnixMilli(1_750_000_000_500)}}, Sources: make([]repo.SourceStatus, 1),
	}
	return v
}

func TestHoldings(t *testing.T) {
	v := view(t)
	m := New("")
	m.Repository("", func() *repo.View { return v })
	m.Connections(func() int { return 7 })
	wantLines(t, text(t, m),
		`chartmuseum_charts_served_total{repo=""} 2`, `chartmuseum_chart_versions_served_total{repo=""} 3`,
		`chartserve_charts{repo="",state="live"} 1`, `chartserve_charts{repo="",state="kept"} 1`,
		`chartserve_chart_versions{repo="",state="live"} 1`, `chartserve_chart_versions{repo="",state="kept"} 2`,
		`chartserve_failures{repo=""} 4`, `chartserve_warnings{repo=""} 5`, `chartserve_downloads_failing{repo=""} 1`,
		`chartserve_ready{repo=""} 1`, `chartserve_problem{repo=""} 1`, fmt.Sprintf(`chartserve_index_bytes{repo=""} %d`, v.Index.YAML.Data.Len()),
		`chartserve_last_change_timestamp_seconds{repo=""} 1.7500000005e+09`, `chartserve_connections 7`)
	// Without SOURCEs nothing has lost its source; before the first index there is nothing.
	v.Status.Sources = nil
	wantLines(t, text(t, m), `chartserve_chart_versions{repo="",state="live"} 3`, `chartserve_charts{repo="",state="kept"} 0`)
	v = &repo.View{}
	wantLines(t, text(t, m), `chartserve_ready{repo=""} 0`, `chartserve_index_bytes{repo=""} 0`,
		`chartserve_last_change_timestamp_seconds{repo=""} 0`, `chartmuseum_charts_served_total{repo=""} 0`)
}

func BenchmarkAnswered(b *testing.B) {
	m := New("")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Answered("", "/*", "GET", 200, 12000, 100*time.Microsecond)
		}
	})
}
