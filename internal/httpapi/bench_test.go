package httpapi

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"chartserve/internal/access"
	"chartserve/internal/accesslog"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/metrics"
	"chartserve/internal/repo"
)

// sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// What a request costs beyond net/http's own work.
func BenchmarkHandler(b *testing.B) {
	dir := b.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	if err := os.WriteFile(dir+"/nova-1.0.0.tgz", make([]byte, 5000), 0o644); err != nil {
		b.Fatal(err)
	}
	fi, err := os.Stat(dir + "/nova-1.0.0.tgz")
	if err != nil {
		b.Fatal(err)
	}
	builder := index.NewBuilder(index.Auto)
	for i := range 100 {
		name := fmt.Sprintf("chart-%03d", i)
		var entries []*index.Entry
		for v := range 10 {
			entries = append(entries, entry(b, &chart.Metadata{Name: name, Version: fmt.Sprintf("1.%d.0", 10-v), APIVersion: "v2"}))
		}
		builder.Set(name, entries)
	}
	nova := &repo.File{
		Name: "nova-1.0.0.tgz", Path: "nova-1.0.0.tgz", Size: 5000, ModTime: fi.ModTime(), ETag: etagOf(string(make([]byte, 5000))), Archive: true,
	}
	s := repo.NewView(root, nova)
	s.Index = builder.Encode()
	s.Add(&repo.Chart{Name: "nova", Versions: []*repo.Version{{Entry: entry(b, &chart.Metadata{Name: "nova", Version: "1.0.0", APIVersion: "v2"}), Archive: nova}}})
	src := &source{}
	src.p.Store(s)
	h, err := New(src, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	guard, err := access.New(access.Options{User: "bench", Password: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	log := accesslog.To(slog.New(slog.NewTextHandler(io.Discard, nil)))
	full, err := New(src, Options{Logger: slog.New(slog.DiscardHandler), Access: guard, AccessLog: log, Observer: metrics.New("")})
	if err != nil {
		b.Fatal(err)
	}
	for name, header := range map[string][2]string{
		"/charts/nova-1.0.0.tgz": {},
		// With a login, metrics and the access log.
		"/charts/nova-1.0.0.tgz full": {"Authorization", "Basic YmVuY2g6YmVuY2g="},
		"/charts/index.yaml":          {},
		"/charts/index.yaml gzip":     {"Accept-Encoding", "gzip"},
		"/charts/index.yaml 304":      {"If-None-Match", s.Index.YAML.ETag},
		"/healthz":                    {},

		"/v2/charts/nova/manifests/1.0.0":                              {},
		"/v2/charts/nova/blobs/sha256:" + strings.Trim(nova.ETag, `"`): {},
	} {
		b.Run(name, func(b *testing.B) {
			target, kind, _ := strings.Cut(name, " ")
			r := httptest.NewRequest(http.MethodGet, target, nil)
			if header[0] != "" {
				r.Header.Set(header[0], header[1])
			}
			b.ReportAllocs()
			h := h
			if kind == "full" {
				h = full
			}
			for b.Loop() {
				h.ServeHTTP(&sink{h: make(http.Header)}, r)
			}
		})
	}
}
