package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chartserve/internal/chart"
)

// failTimes answers the first n requests with fail, and the rest with data.
func failTimes(n int, fail http.HandlerFunc, data string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n--; n >= 0 {
			fail(w, r)
			return
		}
		io.WriteString(w, data)
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// cutAfter sends the head and n bytes of a longer body, then closes the connection.
func cutAfter(n int, head string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		io.WriteString(conn, head+strings.Repeat("x", n))
		conn.Close()
	}
}

func TestRetries(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := map[string]struct {
		fail  http.HandlerFunc
		again bool
	}{
		"429":                     {status(429), true},
		"429, asks for no wait":   {status(429, "Retry-After", "0"), true},
		"500":                     {status(500), true},
		"502":                     {status(502), true},
		"503":                     {status(503), true},
		"503, asks for an hour":   {status(503, "Retry-After", "3600"), false},
		"504":                     {status(504), true},
		"400":                     {status(400), false},
		"401":                     {status(401), false},
		"403":                     {status(403), false},
		"404":                     {status(404), false},
		"204":                     {status(204), false},
		"206":                     {status(206), false},
		"cut before the head":     {cutAfter(0, ""), true},
		"cut in the head":         {cutAfter(0, ok+"Content-Le"), true},
		"cut in the body":         {cutAfter(5, ok+"Content-Length: 100\r\n\r\n"), true},
		"cut in a chunk":          {cutAfter(5, ok+"Transfer-Encoding: chunked\r\n\r\n64\r\n"), true},
		"cut between chunks":      {cutAfter(0, ok+"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"), true},
		"silent before the head":  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true},
		"silent in the body":      {stallAfter("some"), true},
		"rubbish in place of one": {cutAfter(9, ""), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, n := range map[string]int{"index": 2, "archive": 2, "always": 99} {
				h := newHost(t)
				text := indexOf(good("nova", "1.0.0", "data"))
				h.put("/index.yaml", text)
				h.put("/nova-1.0.0.tgz", "data")
				if what == "archive" {
					h.handle("/nova-1.0.0.tgz", failTimes(n, tt.fail, "data"))
				} else {
					h.handle("/index.yaml", failTimes(n, tt.fail, text))
				}
				c := newClient(t, Options{Stall: 200 * time.Millisecond, Retries: 2})
				got, err := fetch(t, c, h.URL, "nova", "*")
				asked := len(h.asked())
				switch {
				case tt.again && what != "always":
					if err != nil || got != "data" || asked != 4 {
						t.Errorf("%s: got %q, %v with %d requests", what, got, err, asked)
					}
				case tt.again:
					wantError(t, err, "GET http://", "/index.yaml, tried 3 times: ")
					if asked != 3 {
						t.Errorf("%s: %d requests, want 3", what, asked)
					}
				default:
					wantError(t, err, "GET http://", ": status ")
					if most := map[string]int{"archive": 2}[what]; asked != max(1, most) {
						t.Errorf("%s: %d requests", what, asked)
					}
				}
			}
		})
	}
}

func stallAfter(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, s)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// TestSlowIsNotStalled: a body may take longer than Stall as long as it moves.
func TestSlowIsNotStalled(t *testing.T) {
	h := newHost(t)
	text := indexOf(good("nova", "1.0.0", ""))
	h.handle("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		for part := range 8 {
			io.WriteString(w, text[len(text)*part/8:len(text)*(part+1)/8])
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	})
	c := newClient(t, Options{Stall: 500 * time.Millisecond, Retries: -1})
	if _, err := c.Index(t.Context(), h.URL); err != nil {
		t.Error(err)
	}
}

// TestUnreachable: a host that is not there is no reason to wait.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := newClient(t, Options{Backoff: time.Hour, MaxWait: time.Hour})
	_, err = fetch(t, c, "http://"+l.Addr().String(), "nova", "*")
	wantError(t, err, "GET http://"+l.Addr().String()+"/index.yaml: dial tcp")
}

func TestWrongScheme(t *testing.T) {
	h := newHost(t)
	c := newClient(t, Options{Backoff: time.Hour, MaxWait: time.Hour})
	_, err := fetch(t, c, strings.Replace(h.URL, "http:", "https:", 1), "nova", "*")
	wantError(t, err, "/index.yaml: ", "HTTP")
}

func TestUntrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	c := newClient(t, Options{Backoff: time.Hour, MaxWait: time.Hour})
	_, err := fetch(t, c, s.URL, "nova", "*")
	wantError(t, err, "/index.yaml: ", "certificate")
	// With a client that knows the certificate it is another matter.
	_, err = fetch(t, newClient(t, Options{Client: s.Client()}), s.URL, "nova", "*")
	wantError(t, err, "status 404")
}

func TestLimits(t *testing.T) {
	text, data := indexOf(good("nova", "1.0.0", strings.Repeat("x", 1000))), strings.Repeat("x", 1000)
	chunked := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush() // before the length is known
			io.WriteString(w, s)
		}
	}
	packed := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, gzipOf(t, "#"+strings.Repeat(" ", 1<<20)))
	}
	size := int64(len(text))
	tests := map[string]struct {
		index, archive       http.HandlerFunc
		maxIndex, maxArchive int64
		want                 string // in the error
	}{
		"just within":               {nil, nil, size, 1000, ""},
		"just within, chunked":      {chunked(text), chunked(data), size, 1000, ""},
		"a large index":             {nil, nil, size - 1, 1000, "/index.yaml: larger than the "},
		"a large index, chunked":    {chunked(text), nil, size - 1, 1000, "/index.yaml: larger than the "},
		"a small index, compressed": {packed, nil, 1 << 16, 1000, "/index.yaml: larger than the 65536"},
		"a large archive":           {nil, nil, size, 999, "/nova-1.0.0.tgz: larger than the 999 bytes"},
		"a large archive, chunked":  {nil, chunked(data), size, 999, "/nova-1.0.0.tgz: larger than the 999 bytes"},
		"no bounds":                 {nil, nil, 1<<63 - 1, 1<<63 - 1, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.put("/index.yaml", text)
			h.put("/nova-1.0.0.tgz", data)
			h.handle("/index.yaml", tt.index)
			h.handle("/nova-1.0.0.tgz", tt.archive)
			c := newClient(t, Options{MaxIndex: tt.maxIndex, MaxArchive: tt.maxArchive})
			got, err := fetch(t, c, h.URL, "nova", "*")
			if tt.want == "" {
				if err != nil || got != data {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
				return
			}
			wantError(t, err, tt.want)
			if !errors.Is(err, chart.ErrLimit) {
				t.Errorf("%v is not ErrLimit", err)
			}
		})
	}
}

// script is a transport that answers in turn and notes when.
type script struct {
	answers []http.Response
	began   time.Time
	at      []time.Duration
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Since(s.began))
	a := s.answers[min(len(s.at), len(s.answers))-1]
	a.Body, a.Request = http.NoBody, r
	if a.Header == nil {
		a.Header = http.Header{}
	}
	return &a, nil
}

func TestWaits(t *testing.T) {
	after := func(code int, header string) http.Response {
		return http.Response{StatusCode: code, Header: http.Header{"Retry-After": {header}}}
	}
	plain := http.Response{StatusCode: 503}
	tests := map[string]struct {
		answers  []http.Response
		opts     Options
		deadline time.Duration
		want     [][2]time.Duration // bounds of each wait
	}{
		"doubling": {answers: []http.Response{plain},
			want: [][2]time.Duration{{250e6, 500e6}, {500e6, 1e9}, {1e9, 2e9}}},
		"at most MaxWait": {answers: []http.Response{plain}, opts: Options{MaxWait: 600 * time.Millisecond, Retries: 5},
			want: [][2]time.Duration{{250e6, 500e6}, {300e6, 600e6}, {300e6, 600e6}, {300e6, 600e6}, {300e6, 600e6}}},
		"none": {answers: []http.Response{plain}, opts: Options{Retries: -1}},
		"as asked, in seconds": {answers: []http.Response{after(429, "7"), after(503, " 12 "), plain},
			want: [][2]time.Duration{{7e9, 7e9}, {12e9, 12e9}, {1e9, 2e9}}},
		"as asked, by a date": {answers: []http.Response{after(503, "Sat, 01 Jan 2000 00:00:09 GMT"), {StatusCode: 404}},
			want: [][2]time.Duration{{9e9, 9e9}}},
		"a date that has passed": {answers: []http.Response{after(503, "Fri, 31 Dec 1999 00:00:00 GMT"), {StatusCode: 404}},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"rubbish": {answers: []http.Response{after(503, "soon"), {StatusCode: 404}},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"less than our own": {answers: []http.Response{after(503, "0"), {StatusCode: 404}},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"more than MaxWait":      {answers: []http.Response{after(503, "31")}},
		"beyond the deadline":    {answers: []http.Response{after(503, "20")}, deadline: 10 * time.Second},
		"far too many seconds":   {answers: []http.Response{after(503, "99999999999999999999999")}, want: [][2]time.Duration{{250e6, 500e6}, {500e6, 1e9}, {1e9, 2e9}}},
		"not for a client's sin": {answers: []http.Response{after(400, "1")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers, began: time.Now()} // 2000-01-01 in here
				tt.opts.Client = &http.Client{Transport: s}
				c, err := New(tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				_, err = c.Index(ctx, "http://charts.example.com")
				wantError(t, err, "status ")
				if len(s.at) != len(tt.want)+1 {
					t.Fatalf("requests at %v, want %d waits", s.at, len(tt.want))
				}
				for i, bounds := range tt.want {
					if wait := s.at[i+1] - s.at[i]; wait < bounds[0] || wait > bounds[1] {
						t.Errorf("wait %d was %v, want within %v", i, wait, bounds)
					}
				}
			})
		})
	}
}

// TestWaitEnds: a context that ends during a wait ends it.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.Response{{StatusCode: 503, Header: http.Header{"Retry-After": {"20"}}}}, began: time.Now()}
		c, err := New(Options{Client: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = c.Index(ctx, "http://charts.example.com")
		wantError(t, err, "context canceled, after status 503")
		if !errors.Is(err, context.Canceled) || time.Since(s.began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(s.began))
		}
	})
}

func TestStatusErrorIs(t *testing.T) {
	h := newHost(t)
	h.handle("/index.yaml", status(503, "Retry-After", strconv.Itoa(90)))
	_, err := fetch(t, newClient(t, Options{}), h.URL, "nova", "*")
	wantError(t, err, "status 503 Service Unavailable, with the request to wait for 1m30s")
	var e *StatusError
	if !errors.As(err, &e) || e.Code != 503 || e.RetryAfter != 90*time.Second {
		t.Errorf("got %+v", e)
	}
}
