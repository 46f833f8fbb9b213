package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"alone":        {"", "https://ann:hunter2@charts.example.com/x.tgz", "https://charts.example.com/x.tgz"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Resolve(tt.repository, tt.ref); got != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	for _, ref := range []string{"x.tgz", "oci://registry.example.com/nova:1.0.0"} {
		if _, err := Resolve("", ref); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %v", ref, err)
		}
	}
}

// TestIndexCut: an index that was cut goes on where it stopped, unless it was packed
// on its way: ranges count packed bytes then, and we have the others.
func TestIndexCut(t *testing.T) {
	entries := []entry{}
	for i := range 5000 {
		entries = append(entries, good("nova", fmt.Sprintf("1.0.%d", i), bytesOf(i, 8)))
	}
	text := indexOf(entries...)
	for name, want := range map[string][]string{"as it is": {"", "bytes=100000-"}, "packed": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			h, u := newHost(t), &upstream{data: text, etag: `"1"`, cut: 100_000, cuts: 1}
			if name == "packed" {
				u.data = gzipOf(t, text)
			}
			h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
				if name == "packed" && r.Header.Get("Accept-Encoding") == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
				}
				u.ServeHTTP(w, r)
			})
			f, _, err := newClient(t, Options{}).IndexSince(t.Context(), h.URL, Validators{})
			if err != nil || len(f.Entries) != len(entries) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, u.ranges); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMemorySink takes sizes around that from which what is announced is believed.
func TestMemorySink(t *testing.T) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 9<<20 + 1} {
		data := bytesOf(1, size)
		for _, announced := range []int{-1, 0, size / 2, size, 2 * size} {
			var m memorySink
			for range 2 {
				if err := m.restart(int64(announced)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{&m}, strings.NewReader(data), make([]byte, 64<<10)); err != nil {
					t.Fatal(err)
				}
			}
			if m.String() != data {
				t.Errorf("%d bytes, %d announced: got %d", size, announced, m.Len())
			}
		}
	}
	var m memorySink
	if err := m.restart(1 << 40); err != nil {
		t.Fatal(err)
	}
	m.Write([]byte("x"))
	if m.Cap() > 1<<20 {
		t.Errorf("%d bytes are set aside for what was only announced", m.Cap())
	}
}

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
	data, _, err := c.read(t.Context(), request{address: mustAddress(t, h.URL+"/index.yaml"), limit: 128 << 20, exact: true})
	runtime.ReadMemStats(&after)
	if err != nil || len(data) != len(text) {
		t.Fatal(err)
	}
	// Built for the race detector bytes.Buffer makes the room twice when it grows; doubling
	// from the start would take three times the text.
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(2*len(text)+8<<20); used > most {
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
