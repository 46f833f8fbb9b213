package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

// Feeds and badges are told by their content: who has it already gets 304, be it compressed
// or not; and a reader of some charts has the news of those.
func TestFeedsAreConditional(t *testing.T) {
	f := newFixture(t, Options{URL: "https://charts.example.org/x"})
	for target, kind := range map[string]string{
		"/feed.atom": "application/atom+xml; charset=utf-8", "/charts/chart/heat/feed.atom": "application/atom+xml; charset=utf-8", "/chart/heat/badge.svg": "image/svg+xml",
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			got := f.get(target, "Accept-Encoding", encoding)
			if h := got.Header; got.StatusCode != 200 || h.Get("Content-Type") != kind || h.Get("Cache-Control") != "no-cache" || h.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %s %v", target, got.Status, h)
			}
			tag := got.Header.Get("Etag")
			if again := f.get(target, "Accept-Encoding", encoding, "If-None-Match", tag); again.StatusCode != http.StatusNotModified || tag == "" {
				t.Errorf("%s once more: %s", target, again.Status)
			}
		}
	}
	if got := text(t, f.get("/charts/chart/heat/feed.atom")); !strings.Contains(got, `href="https://charts.example.org/x/chart/heat/1.0.0/"`) {
		t.Errorf("no absolute link:\n%s", got)
	}
}

func TestFeedOfSomeCharts(t *testing.T) {
	f := newFixture(t, Options{Access: guardOf(t, "", "- {names: [reader], rights: [read], charts: [heat]}")})
	got := text(t, f.get("/feed.atom", as("reader")...))
	if !strings.Contains(got, "<title>heat 1.0.0</title>") || strings.Contains(got, "nova") {
		t.Errorf("the feed for a reader of heat:\n%s", got)
	}
	for _, target := range []string{"/chart/nova/feed.atom", "/chart/nova/badge.svg"} {
		if got := f.get(target, as("reader")...); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", target, got.Status)
		}
	}
}

// A sitemap is of the repository that it is asked of, and there is none without being asked for.
func TestSitemap(t *testing.T) {
	f := newFixture(t, Options{URL: "https://charts.example.org/x", Sitemap: true, Uploads: uploads(t)})
	for target, want := range map[string]string{
		"/sitemap.xml": "https://charts.example.org/x/chart/heat/1.0.0/", "/charts/team/sitemap.xml": "https://charts.example.org/x/team/chart/heat/1.0.0/",
	} {
		got := f.get(target)
		if body := text(t, got); got.Header.Get("Content-Type") != "application/xml; charset=utf-8" || !strings.Contains(body, "<loc>"+want+"</loc>") {
			t.Errorf("%s: %s\n%s", target, got.Status, body)
		}
	}
	if got := newFixture(t, Options{URL: "https://charts.example.org/x"}).get("/sitemap.xml"); got.StatusCode != http.StatusNotFound {
		t.Errorf("nobody asked for one: %s", got.Status)
	}
	if _, err := New(f.src, Options{Sitemap: true}); err == nil {
		t.Error("one without addresses was made")
	}
}
