package httpapi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const big = "/charts/nova-1.1.0+a.tgz" // 10,000 bytes: 0123456789...

func TestFileHeaders(t *testing.T) {
	f := newFixture(t, Options{})
	for name, kind := range map[string]string{
		"nova-1.0.0.tgz":             "application/gzip",
		"nova-1.0.0.tgz.prov":        "text/plain; charset=utf-8",
		"artifacthub-repo.yml":       "text/yaml; charset=utf-8",
		"icon.svg":                   "image/svg+xml",
		"readme.html":                "text/html; charset=utf-8",
		"something.with-no-known.ex": "application/octet-stream",
	} {
		t.Run(name, func(t *testing.T) {
			got := f.get("/charts/"+name, "Accept-Encoding", "gzip")
			if text(t, got) != contents()[name] {
				t.Error("another body")
			}
			for name, want := range map[string]string{
				"Content-Type": kind, "Content-Encoding": "", "ETag": etagOf(contents()[name]), "Cache-Control": "no-cache",
				"Accept-Ranges": "bytes", "Vary": "",
			} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if _, err := http.ParseTime(got.Header.Get("Last-Modified")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFileConditionsAndRanges(t *testing.T) {
	f := newFixture(t, Options{})
	etag := etagOf(contents()["nova-1.1.0+a.tgz"])
	date := f.get(big).Header.Get("Last-Modified")
	tests := map[string]struct {
		header []string
		code   int
		body   string // not compared when empty
	}{
		"plain":             {nil, 200, contents()["nova-1.1.0+a.tgz"]},
		"same":              {[]string{"If-None-Match", etag}, 304, ""},
		"weak in a list":    {[]string{"If-None-Match", `"x", W/` + etag}, 304, ""},
		"other":             {[]string{"If-None-Match", `"x"`}, 200, ""},
		"since":             {[]string{"If-Modified-Since", date}, 304, ""},
		"must match, not":   {[]string{"If-Match", `"x"`}, 412, "precondition failed\n"},
		"must match":        {[]string{"If-Match", etag, "If-Unmodified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"}, 200, ""},
		"changed since":     {[]string{"If-Unmodified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"}, 412, "precondition failed\n"},
		"not changed since": {[]string{"If-Unmodified-Since", date}, 200, ""},
		"first bytes":       {[]string{"Range", "bytes=0-4"}, 206, "01234"},
		"from the middle":   {[]string{"Range", "bytes=9995-"}, 206, "56789"},
		"last bytes":        {[]string{"Range", "bytes=-3"}, 206, "789"},
		"longer than it is": {[]string{"Range", "bytes=9998-20000"}, 206, "89"},
		"beyond the end":    {[]string{"Range", "bytes=10000-"}, 416, ""},
		"backwards":         {[]string{"Range", "bytes=5-1"}, 416, ""},
		"other unit":        {[]string{"Range", "lines=1-2"}, 416, ""},
		"if it is the same": {[]string{"Range", "bytes=0-4", "If-Range", etag}, 206, "01234"},
		"if weakly":         {[]string{"Range", "bytes=0-4", "If-Range", "W/" + etag}, 200, ""},
		"if it changed":     {[]string{"Range", "bytes=0-4", "If-Range", `"x"`}, 200, contents()["nova-1.1.0+a.tgz"]},
		"if of that date":   {[]string{"Range", "bytes=0-4", "If-Range", date}, 206, "01234"},
		"more than all":     {[]string{"Range", "bytes=" + strings.Repeat("0-9999,", 1000) + "0-1"}, 200, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := f.get(big, tt.header...)
			body := text(t, got)
			if got.StatusCode != tt.code || tt.body != "" && body != tt.body {
				t.Errorf("got %s with %d bytes, want %d", got.Status, len(body), tt.code)
			}
			if tt.code == 206 && got.Header.Get("Content-Length") != fmt.Sprint(len(tt.body)) {
				t.Errorf("Content-Length %s", got.Header.Get("Content-Length"))
			}
		})
	}
}

func TestSeveralRanges(t *testing.T) {
	f := newFixture(t, Options{})
	got := f.get(big, "Range", "bytes=0-1,10-12")
	_, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || got.StatusCode != http.StatusPartialContent {
		t.Fatalf("got %s, %v", got.Status, err)
	}
	parts := multipart.NewReader(got.Body, params["boundary"])
	for _, want := range []string{"01", "012"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(part); string(body) != want || err != nil {
			t.Errorf("got %q, %v, want %q", body, err, want)
		}
	}
}

func TestImmutableFile(t *testing.T) {
	f := newFixture(t, Options{})
	file := f.write("x-1.0.0.tgz", "x")
	file.Immutable = true
	f.src.p.Store(f.snapshot(file))
	got := f.get("/charts/x-1.0.0.tgz").Header.Get("Cache-Control")
	if want := "public, max-age=31536000, immutable"; got != want {
		t.Errorf("Cache-Control %q, want %q", got, want)
	}
}

// A date has seconds only; a file may be replaced within one.
func TestNoDateOfAFreshFile(t *testing.T) {
	f := newFixture(t, Options{})
	file := f.write("fresh-1.0.0.tgz", "fresh")
	file.ModTime = time.Now()
	if err := os.Chtimes(filepath.Join(f.dir, file.Path), file.ModTime, file.ModTime); err != nil {
		t.Fatal(err)
	}
	f.src.p.Store(f.snapshot(file))
	got := f.get("/fresh-1.0.0.tgz")
	if got.StatusCode != 200 || got.Header.Get("Last-Modified") != "" {
		t.Errorf("got %s of %q", got.Status, got.Header.Get("Last-Modified"))
	}
}

// A new archive was renamed over the old one; the View that knows it follows.
func TestReplacedFileIsWaitedFor(t *testing.T) {
	tests := map[string]struct {
		then func(f *fixture)
		code int
		body string
	}{
		"replaced": {func(f *fixture) { f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", "a newer nova"))) }, 200, "a newer nova"},
		"removed":  {func(f *fixture) { f.src.p.Store(f.snapshot()) }, 404, "not found\n"},
		"never":    {func(*fixture) {}, 503, "being replaced, try again\n"},
		"snapshot without it": {func(f *fixture) {
			f.src.p.Store(f.snapshot(f.write("other-1.0.0.tgz", "")))
		}, 404, "not found\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, Options{})
				f.write("nova-1.0.0.tgz", "a newer nova")
				done := make(chan *http.Response)
				begin := time.Now()
				go func() { done <- f.get("/charts/nova-1.0.0.tgz") }()
				time.Sleep(100 * time.Millisecond)
				tt.then(f)
				got := <-done
				if body := text(t, got); got.StatusCode != tt.code || body != tt.body {
					t.Errorf("got %s %q, want %d %q", got.Status, body, tt.code, tt.body)
				}
				if took := time.Since(begin); took > settleTime+2*settleStep {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestClientGoesWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Options{})
		f.write("nova-1.0.0.tgz", "a newer nova")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begin := time.Now()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/charts/nova-1.0.0.tgz", nil)
		w := httptest.NewRecorder()
		f.h.ServeHTTP(w, r)
		if took := time.Since(begin); took > 0 || w.Code != http.StatusServiceUnavailable {
			t.Errorf("got %d after %v", w.Code, took)
		}
	})
}

// A link in the place of a file is not followed: the file is no longer the one that
// was listed. The client is not told why.
func TestEscapingLink(t *testing.T) {
	f := newFixture(t, Options{})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := f.write("link-1.0.0.tgz", "secret")
	if err := os.Remove(filepath.Join(f.dir, file.Path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(f.dir, file.Path)); err != nil {
		t.Fatal(err)
	}
	f.src.p.Store(f.snapshot(file))
	got := f.get("/link-1.0.0.tgz")
	if body := text(t, got); got.StatusCode != 503 || body != "being replaced, try again\n" {
		t.Errorf("got %s %q", got.Status, body)
	}
}

// More headers than eight take a map of another kind, which costs a tenth of a request.
func TestHeadersOfAnArchive(t *testing.T) {
	resp := newFixture(t, Options{}).get("/charts/nova-1.0.0.tgz")
	if n := len(resp.Header); n > 8 || resp.Header.Get("Content-Security-Policy") != "" {
		t.Errorf("got %d headers, want 8 at most: %v", n, resp.Header)
	}
}
