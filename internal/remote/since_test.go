package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

func TestIndexSince(t *testing.T) {
	for name, header := range map[string][2]string{"tag": {"ETag", `"1"`}, "time": {"Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"}} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			text := indexOf(good("nova", "1.0.0", "data"))
			h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(header[0], header[1])
				if r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") == header[1] {
					w.Header().Del(header[0]) // it need not be repeated
					w.WriteHeader(http.StatusNotModified)
					return
				}
				io.WriteString(w, text)
			})
			c := newClient(t, Options{})
			f, now, err := c.IndexSince(t.Context(), h.URL, Validators{})
			if err != nil || len(f.Entries) != 1 || now.ETag+now.Modified != header[1] {
				t.Fatalf("first: %v, %+v, %v", f, now, err)
			}
			for range 2 {
				again, later, err := c.IndexSince(t.Context(), h.URL, now)
				if err != nil || again != nil || later != now {
					t.Errorf("again: %v, %+v, %v", again, later, err)
				}
			}
			if n := c.Requests(); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			if f, _, err = c.IndexSince(t.Context(), h.URL, Validators{ETag: `"0"`}); err != nil || f == nil {
				t.Errorf("with another validator: %v, %v", f, err)
			}
		})
	}
}

func TestIndexSinceFails(t *testing.T) {
	h := newHost(t)
	c := newClient(t, Options{MaxIndex: 1000, Retries: -1})
	_, _, err := c.IndexSince(t.Context(), h.URL, Validators{})
	wantError(t, err, "repository "+h.URL+": ", "status 404", "no chart repository is there")
	h.put("/index.yaml", indexOf(good("nova", strings.Repeat("1", 2000), "data")))
	if _, _, err = c.IndexSince(t.Context(), h.URL, Validators{}); !errors.Is(err, chart.ErrLimit) {
		t.Errorf("got %v", err)
	}
	// An answer that nobody asked for.
	h.handle("/index.yaml", status(304))
	_, _, err = c.IndexSince(t.Context(), h.URL, Validators{})
	wantError(t, err, "status 304")
	if _, _, err = c.IndexSince(t.Context(), "ftp://x", Validators{}); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v", err)
	}
}

func TestResolve(t *testing.T) {
	for name, tt := range map[string]struct{ repository, ref, want string }{
		"relative":     {"https://ann:hunter2@charts.example.com/a/", "b/x.tgz", "https://charts.example.com/a/b/x.tgz"},
		"absolute":     {"https://charts.example.com", "http://bob:hunter2@other.example.com/x.tgz", "http://other.example.com/x.tgz"},
		"query hidden": {"https://charts.example.com?key=s3cret", "x.tgz", "https://charts.example.com/x.tgz?..."},
		"registry":     {"https://charts.example.com", "oci://ann:hunter2@registry.example.com/nova:1.0.0", "oci://registry.example.com/nova:1.0.0"},
		"alone":        {"", "https://ann:hunter2@charts.example.com/x.tgz", "https://charts.example.com/x.tgz"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := newClient(t, Options{}).Resolve(tt.repository, tt.ref); got != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	if _, err := newClient(t, Options{}).Resolve("", "x.tgz"); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v", err)
	}
}

// TestReadBody takes sizes around those of the parts, announced and not.
func TestReadBody(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 1 << 20, 1<<20 + 511, 1<<20 + 512, 1<<20 + 513, 9<<20 + 1} {
		data := bytesOf(1, size)
		for name, announced := range map[string]int64{"announced": int64(size), "not announced": -1} {
			got, err := readBody(strings.NewReader(data), announced, int64(size))
			if err != nil || string(got) != data {
				t.Errorf("%d bytes, %s: got %d, %v", size, name, len(got), err)
			}
			if _, err := readBody(strings.NewReader(data+"x"), announced, int64(size)); !errors.Is(err, chart.ErrLimit) {
				t.Errorf("%d bytes and one more, %s: %v", size, name, err)
			}
		}
	}
	cut := io.MultiReader(strings.NewReader("abc"), errReader{io.ErrUnexpectedEOF})
	if got, err := readBody(cut, 10, 100); err != io.ErrUnexpectedEOF || got != nil {
		t.Errorf("a cut body: %q, %v", got, err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestLargeIndex: of 20 MB that are announced there is one copy.
func TestLargeIndex(t *testing.T) {
	if testing.Short() {
		t.Skip("20 MB")
	}
	var b strings.Builder
	b.WriteString(`{"apiVersion":"v1","entries":{"nova":[`)
	for i := 0; b.Len() < 20<<20; i++ {
		fmt.Fprintf(&b, `{"name":"nova","version":"1.0.%d","description":%q,"urls":["x.tgz"]},`, i, strings.Repeat("d", 2000))
	}
	text := strings.TrimSuffix(b.String(), ",") + `]}}`
	h := newHost(t)
	h.handle("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		io.WriteString(w, text)
	})
	c := newClient(t, Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a, err := c.get(t.Context(), request{address: mustAddress(t, h.URL+"/index.yaml"), limit: 128 << 20, exact: true})
	runtime.ReadMemStats(&after)
	if err != nil || len(a.body) != len(text) {
		t.Fatal(err)
	}
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(len(text)+4<<20); used > most {
		t.Errorf("%d bytes for %d", used, len(text))
	}
}

func mustAddress(t *testing.T, s string) address {
	t.Helper()
	a, err := parseRepository(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
