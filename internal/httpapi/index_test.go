package httpapi

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"chartserve/internal/index"
	"chartserve/internal/page"
	"chartserve/internal/repo"
)

func TestIndexForms(t *testing.T) {
	f := newFixture(t, Options{})
	ix := f.src.View().Index
	tests := map[string]struct {
		target, accept string
		body           index.Body
		gzip           bool
		kind           string
	}{
		"YAML":         {"/charts/index.yaml", "", ix.YAML, false, "text/yaml; charset=utf-8"},
		"YAML, gzip":   {"/charts/index.yaml", "gzip", ix.YAML, true, "text/yaml; charset=utf-8"},
		"YAML, gzip=0": {"/charts/index.yaml", "gzip;q=0", ix.YAML, false, "text/yaml; charset=utf-8"},
		"JSON":         {"/charts/index.json", "identity", ix.JSON, false, "application/json"},
		"JSON, gzip":   {"/index.json", "br, gzip", ix.JSON, true, "application/json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, etag, encoding := tt.body.Data.Bytes(), tt.body.ETag, ""
			if tt.gzip {
				data, etag, encoding = tt.body.Gzip.Bytes(), tt.body.GzipETag, "gzip"
			}
			got := f.get(tt.target, "Accept-Encoding", tt.accept)
			if text(t, got) != string(data) {
				t.Error("another body")
			}
			for name, want := range map[string]string{
				"ETag": etag, "Content-Encoding": encoding, "Vary": "Accept-Encoding", "Cache-Control": "no-cache",
				"Content-Type": tt.kind, "Content-Length": strconv.Itoa(len(data)), "Last-Modified": "",
			} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			again := f.get(tt.target, "Accept-Encoding", tt.accept, "If-None-Match", etag)
			if again.StatusCode != http.StatusNotModified || text(t, again) != "" {
				t.Errorf("with its own ETag: %s, or a body", again.Status)
			}
			for name, want := range map[string]string{
				"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache", "Content-Type": "", "Content-Encoding": "",
			} {
				if got := again.Header.Get(name); got != want {
					t.Errorf("304: %s: %q, want %q", name, got, want)
				}
			}
			if got := f.get(tt.target, "Accept-Encoding", tt.accept, "If-Match", `"x"`); got.StatusCode != http.StatusPreconditionFailed {
				t.Errorf("If-Match of another: %s", got.Status)
			}
		})
	}
}

// A cache must not take one form for the other.
func TestETagOfEachForm(t *testing.T) {
	f := newFixture(t, Options{})
	plain := f.get("/index.yaml").Header.Get("ETag")
	zipped := f.get("/index.yaml", "Accept-Encoding", "gzip").Header.Get("ETag")
	if plain == zipped || plain == "" {
		t.Errorf("ETags %s and %s", plain, zipped)
	}
	if got := f.get("/index.yaml", "Accept-Encoding", "gzip", "If-None-Match", plain); got.StatusCode != 200 {
		t.Errorf("the plain form's ETag for the gzip form: %s", got.Status)
	}
}

// What goes out over the wire as gzip is what goes out plain.
func TestGzipOverTheWire(t *testing.T) {
	f := newFixture(t, Options{})
	r, err := gzip.NewReader(f.get("/index.yaml", "Accept-Encoding", "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := text(t, f.get("/index.yaml")); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// With the JSON form as index.yaml the name, and so the type, stays.
func TestJSONAsYAML(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot()
	s.Index = testIndex(t, index.JSON)
	f.src.p.Store(s)
	got := f.get("/charts/index.yaml")
	if !json.Valid([]byte(text(t, got))) || got.Header.Get("Content-Type") != yamlType {
		t.Errorf("%s, or not JSON", got.Header.Get("Content-Type"))
	}
}

// ChartMuseum's list, cut from the index that package index makes.
func TestAPICharts(t *testing.T) {
	f := newFixture(t, Options{})
	for _, target := range []string{"/charts/api/charts", "/api/charts", "/charts/api/charts?other=1"} {
		got := f.get(target)
		body := text(t, got)
		var list map[string][]struct{ Name, Version, Digest string }
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatalf("%s: %v in %s", target, err, body)
		}
		if len(list) != 1 || len(list["nova"]) != 2 || list["nova"][0].Version != "1.1.0+a" || list["nova"][1].Digest == "" {
			t.Errorf("%s: got %v", target, list)
		}
		if got := f.get(target, "If-None-Match", got.Header.Get("ETag")); got.StatusCode != http.StatusNotModified {
			t.Errorf("%s: with its ETag: %s", target, got.Status)
		}
	}
	s := f.snapshot()
	s.Index = index.NewBuilder(index.Auto).Encode()
	f.src.p.Store(s)
	if got := text(t, f.get("/charts/api/charts")); got != "{}" {
		t.Errorf("an empty repository: %s", got)
	}
}

func TestPageIsConditional(t *testing.T) {
	f := newFixture(t, Options{})
	got := f.get("/charts/")
	etag := got.Header.Get("ETag")
	for name, want := range map[string]string{
		"Cache-Control": "no-cache", "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": page.Policy, "Referrer-Policy": "no-referrer",
	} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := f.get("/", "If-None-Match", etag); got.StatusCode != http.StatusNotModified {
		t.Errorf("got %s", got.Status)
	}
}

func TestUnknownErrorsAreNotTold(t *testing.T) {
	f := newFixture(t, Options{})
	a := &api{root: &served{src: f.src}, log: newLogger(f.log)}
	h := a.serve(func(http.ResponseWriter, *http.Request, *repo.View) error {
		return errors.New("open /secret: permission denied")
	})
	f.h = h
	got := f.get("/x")
	if body := text(t, got); got.StatusCode != 500 || body != "internal server error\n" {
		t.Errorf("got %s %q", got.Status, body)
	}
	if !strings.Contains(f.log.String(), "open /secret: permission denied") {
		t.Errorf("the log has not all of it: %s", f.log)
	}
}

// The page and the list are compressed for who asks.
func TestGzipOfPages(t *testing.T) {
	f := newFixture(t, Options{})
	for target, vary := range map[string]string{"/charts/": "Accept, Accept-Encoding", "/api/charts": "Accept-Encoding"} {
		for _, version := range []string{"first", "second"} {
			s := f.snapshot()
			s.Status.Version, s.Status.Warnings = version, []repo.Warning{{Message: version}}
			s.Index.JSON.ETag = `"` + version + `"`
			f.src.p.Store(s)
			plain, zipped := f.get(target), f.get(target, "Accept-Encoding", "gzip")
			want := text(t, plain)
			r, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); string(got) != want || err != nil {
				t.Errorf("%s, %s: got %.60q, %v, want %.60q", target, version, got, err, want)
			}
			etag := zipped.Header.Get("ETag")
			if etag == plain.Header.Get("ETag") || etag == "" || zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("Vary") != vary ||
				plain.Header.Get("Vary") != vary {
				t.Errorf("%s: headers %v and %v", target, plain.Header, zipped.Header)
			}
			if got := f.get(target, "Accept-Encoding", "gzip", "If-None-Match", etag); got.StatusCode != http.StatusNotModified {
				t.Errorf("%s: with its own ETag: %s", target, got.Status)
			}
			if got := f.get(target, "If-None-Match", etag); got.StatusCode != http.StatusOK {
				t.Errorf("%s: the gzip form's ETag for the plain one: %s", target, got.Status)
			}
		}
	}
}

func TestGzipIsMadeOnce(t *testing.T) {
	var z zipped
	b := index.Body{Data: index.NewText([]byte("text")), ETag: `"a"`}
	first := z.with(b)
	if again := z.with(b); &again.Gzip.Parts()[0][0] != &first.Gzip.Parts()[0][0] {
		t.Error("made twice")
	}
}
