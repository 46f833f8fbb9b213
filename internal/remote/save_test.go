package remote

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// bytesOf are n bytes that don't repeat.
func bytesOf(seed, n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return string(b)
}

func newFile(t *testing.T, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "download")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// upstream serves one file with ranges, and cuts connections.
type upstream struct {
	mu     sync.Mutex
	data   string
	etag   string
	cut    int // bytes after which each of the first cuts answers ends
	cuts   int
	plain  bool // without ranges
	blind  bool // without a look at If-Range
	ranges []string
	sent   int
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ranges = append(u.ranges, r.Header.Get("Range"))
	if u.etag != "" {
		w.Header().Set("ETag", u.etag)
	}
	if u.plain {
		r.Header.Del("Range")
	}
	if u.blind {
		r.Header.Del("If-Range")
	}
	if u.cuts > 0 {
		u.cuts--
		w = &cutWriter{ResponseWriter: w, left: u.cut}
	}
	http.ServeContent(counter{w, &u.sent}, r, "x.tgz", time.Time{}, strings.NewReader(u.data))
}

// cutWriter aborts the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(p[:min(c.left, len(p))])
	if c.left -= n; c.left == 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

type counter struct {
	http.ResponseWriter
	n *int
}

func (c counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	*c.n += n
	return n, err
}

func TestSaveResumes(t *testing.T) {
	const size = 1 << 20
	data, other := bytesOf(1, size), bytesOf(2, size)
	tests := map[string]struct {
		up     *upstream
		change func(u *upstream) // after the first request
		want   string
		ranges []string // of the requests; "~" is any
	}{
		"whole":           {up: &upstream{etag: `"a"`}, want: data, ranges: []string{""}},
		"cut once":        {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 1}, want: data, ranges: []string{"", "bytes=300000-"}},
		"cut three times": {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 9}, want: data, ranges: []string{"", "~", "~", "~"}},
		"no ranges":       {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 1, plain: true}, want: data, ranges: []string{"", "~"}},
		"no validator":    {up: &upstream{cut: 300_000, cuts: 1}, want: data, ranges: []string{"", ""}},
		"weak validator":  {up: &upstream{etag: `W/"a"`, cut: 300_000, cuts: 1}, want: data, ranges: []string{"", ""}},
		"changed": {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 1}, want: other, ranges: []string{"", "bytes=300000-"},
			change: func(u *upstream) { u.data, u.etag = other, `"b"` }},
		"changed, If-Range ignored": {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 1, blind: true}, want: other,
			ranges: []string{"", "bytes=300000-", ""}, change: func(u *upstream) { u.data, u.etag = other, `"b"` }},
		"changed, shorter": {up: &upstream{etag: `"a"`, cut: 300_000, cuts: 1, blind: true}, want: other[:1000],
			ranges: []string{"", "bytes=300000-", ""}, change: func(u *upstream) { u.data, u.etag = other[:1000], `"b"` }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := tt.up
			u.data = data
			h := newHost(t)
			asked := 0
			h.handle("/x.tgz", func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == 2 && tt.change != nil {
					tt.change(u)
				}
				u.ServeHTTP(w, r)
			})
			var mu sync.Mutex
			var told int64
			c := newClient(t, Options{Retries: 2, Progress: func(n int64) { mu.Lock(); told += n; mu.Unlock() }})
			f := newFile(t, strings.Repeat("old", size)) // longer, and goes
			digest, err := c.Save(t.Context(), h.URL, "x.tgz", f, 2*size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want || digest != digestOf(tt.want) {
				t.Errorf("wrong file: %d bytes, told digest %s", len(got), digest)
			}
			if told != int64(len(got)) {
				t.Errorf("progress tells %d bytes, want %d", told, len(got))
			}
			if !slices.EqualFunc(u.ranges, tt.ranges, func(a, b string) bool { return a == b || b == "~" && a != "" }) {
				t.Errorf("ranges %q, want %q", u.ranges, tt.ranges)
			}
		})
	}
}

// TestSaveGivesUp: a server that never gets further than before is left after
// Options.Retries.
func TestSaveGivesUp(t *testing.T) {
	for name, u := range map[string]*upstream{
		"no ranges": {etag: `"a"`, cut: 300_000, cuts: 99, plain: true},
		"few bytes": {etag: `"a"`, cut: 10, cuts: 99},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u.data = bytesOf(1, 1<<20)
			h := newHost(t)
			h.handle("/x.tgz", u.ServeHTTP)
			_, err := newClient(t, Options{Retries: 2}).Save(t.Context(), h.URL, "x.tgz", newFile(t, ""), 1<<21)
			wantError(t, err, "GET "+h.URL+"/x.tgz, tried ", "unexpected EOF")
			if n := len(u.ranges); n < 3 || n > 4 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestSaveFaults(t *testing.T) {
	lying := func(contentRange string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"a"`)
			if r.Header.Get("Range") == "" {
				w.Header().Set("Content-Length", "1000")
				io.WriteString(w, strings.Repeat("x", 100))
				return
			}
			w.Header().Set("Content-Range", contentRange)
			w.WriteHeader(http.StatusPartialContent)
			io.WriteString(w, strings.Repeat("y", 900))
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		opts    Options
		want    string
		limit   bool
	}{
		"endless": {handler: func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}, want: "larger than the 5000 bytes", limit: true},
		"announced too large": {handler: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "5001") },
			want: "larger than the 5000 bytes", limit: true},
		"silent":              {handler: stallAfter("some"), opts: Options{Stall: 100 * time.Millisecond, Retries: 1}, want: "tried 2 times: it stopped sending"},
		"a range unasked":     {handler: status(206), want: "status 206"},
		"another range":       {handler: lying("bytes 50-949/1000"), opts: Options{Retries: 2}, want: "unexpected EOF"},
		"no range":            {handler: lying(""), opts: Options{Retries: 1}, want: "it changed while it was downloaded"},
		"another total":       {handler: lying("bytes 100-999/1001"), opts: Options{Retries: 1}, want: "it changed while it was downloaded"},
		"more than the total": {handler: lying("bytes 100-1000/1001"), opts: Options{Retries: 1}, want: "it changed while it was downloaded"},
		"not there":           {handler: status(404), want: "status 404 Not Found"},
		"always busy":         {handler: status(503, "Retry-After", "0"), opts: Options{Retries: 2}, want: "tried 3 times: status 503"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.handle("/x.tgz", tt.handler)
			digest, err := newClient(t, tt.opts).Save(t.Context(), h.URL, "x.tgz", newFile(t, ""), 5000)
			wantError(t, err, "GET "+h.URL+"/x.tgz", tt.want)
			if errors.Is(err, chart.ErrLimit) != tt.limit || digest != "" {
				t.Errorf("got digest %q, %v", digest, err)
			}
		})
	}
}

// TestSaveThirds: with every third request refused all files arrive.
func TestSaveThirds(t *testing.T) {
	h := newHost(t)
	var mu sync.Mutex
	n := 0
	data := bytesOf(1, 50_000)
	h.handle("/x.tgz", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		refused := n%3 == 0
		mu.Unlock()
		if refused {
			status(503, "Retry-After", "0")(w, r)
			return
		}
		io.WriteString(w, data)
	})
	c := newClient(t, Options{})
	for i := range 20 {
		if digest, err := c.Save(t.Context(), h.URL, "x.tgz", newFile(t, ""), 1<<20); err != nil || digest != digestOf(data) {
			t.Fatalf("file %d: digest %s, %v", i, digest, err)
		}
	}
	if got := c.Requests(); got != int64(n) || n < 29 {
		t.Errorf("Requests is %d, the host saw %d", got, n)
	}
}

// fullDisk is a sink that takes nothing.
type fullDisk struct{}

func (fullDisk) restart(int64) error { return nil }
func (fullDisk) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "download", Err: syscall.ENOSPC}
}

// TestSaveToFullDisk: an error of the disk is no reason to ask again.
func TestSaveToFullDisk(t *testing.T) {
	h := newHost(t)
	h.put("/x.tgz", "data")
	r := request{address: mustAddress(t, h.URL+"/x.tgz"), limit: 100}
	_, err := newClient(t, Options{}).download(t.Context(), r, fullDisk{})
	wantError(t, err, "GET "+h.URL+"/x.tgz: write download: no space left on device")
	if n := len(h.asked()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// TestSavePieces: a server may send less than the range that is asked for.
func TestSavePieces(t *testing.T) {
	const piece = 300_000
	data := bytesOf(1, 1<<20)
	h := newHost(t)
	h.handle("/x.tgz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"a"`)
		var from int
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			io.WriteString(w, data[:piece]) // and the connection is cut
			return
		}
		to := min(from+piece, len(data))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, data[from:to])
	})
	digest, err := newClient(t, Options{Retries: 1}).Save(t.Context(), h.URL, "x.tgz", newFile(t, ""), 1<<21)
	if err != nil || digest != digestOf(data) {
		t.Errorf("got %s, %v", digest, err)
	}
}

func TestResumable(t *testing.T) {
	const noon, later = "Fri, 02 Jan 2026 12:00:00 GMT", "Fri, 02 Jan 2026 12:00:01 GMT"
	for name, tt := range map[string]struct{ etag, modified, date, want string }{
		"nothing":                 {"", "", later, ""},
		"strong tag":              {`"a"`, noon, noon, `"a"`},
		"weak tag":                {`W/"a"`, noon, later, ""},
		"time":                    {"", noon, later, noon},
		"time of the same second": {"", noon, noon, ""},
		"time, and no date":       {"", noon, "", ""},
		"no time":                 {"", "yesterday", later, ""},
	} {
		got := resumable(http.Header{"Etag": {tt.etag}, "Last-Modified": {tt.modified}, "Date": {tt.date}})
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestSize(t *testing.T) {
	h := newHost(t)
	h.put("/x.tgz", "12345")
	h.handle("/chunked.tgz", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() })
	h.handle("/never.tgz", status(405))
	for ref, want := range map[string]int64{"x.tgz": 5, "chunked.tgz": -1, "never.tgz": -1} {
		if got, err := newClient(t, Options{}).Size(t.Context(), h.URL, ref); got != want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", ref, got, err, want)
		}
	}
	_, err := newClient(t, Options{}).Size(t.Context(), "", h.URL+"/none.tgz")
	wantError(t, err, "HEAD "+h.URL+"/none.tgz: status 404")
}

// TestRate: many downloads together keep to the rate, also those of two clients, and none
// stalls for it.
func TestRate(t *testing.T) {
	t.Parallel()
	const size, rate = 100_000, 400_000
	h := newHost(t)
	h.put("/x.tgz", bytesOf(1, size))
	o := Options{Limiter: NewLimiter(rate), Stall: 300 * time.Millisecond, Retries: -1}
	clients := []*Client{newClient(t, o), newClient(t, o)}
	began := time.Now()
	errs := make(chan error)
	for i := range 4 {
		f := newFile(t, "")
		go func() {
			_, err := clients[i%2].Save(t.Context(), h.URL, "x.tgz", f, size)
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	// The first eighth of a second's bytes are free.
	if took, least := time.Since(began), 800*time.Millisecond; took < least || took > 10*time.Second {
		t.Errorf("took %v, want about a second", took)
	}
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-4/5", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "bytes -1-2/3", "", "bytes 0-9/5", "items 0-1/2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		from, total, ok := contentRange(s)
		if ok && (from < 0 || total >= 0 && total <= from || !strings.HasPrefix(s, "bytes ")) {
			t.Errorf("%q: %d of %d", s, from, total)
		}
		if ok && total >= 0 {
			again := fmt.Sprintf("bytes %d-%d/%d", from, total-1, total)
			if f2, t2, ok := contentRange(again); !ok || f2 != from || t2 != total {
				t.Errorf("%q is not read back", again)
			}
		}
	})
}
