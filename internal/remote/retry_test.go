package remote

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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
		"reset in the body":       {reset, true},
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
				o := Options{Retries: 2}
				if strings.HasPrefix(name, "silent") {
					o.Stall = 200 * time.Millisecond
				}
				c := newClient(t, o)
				got, err := fetch(t, c, h.URL, "nova", "*")
				asked := len(h.asked())
				switch {
				case tt.again && what != "always":
					if err != nil || got != "data" || asked != 4 {
						t.Errorf("%s: got %q, %v with %d requests", what, got, err, asked)
					}
				case tt.again:
					wantError(t, err, "GET http://", "/index.yaml, tried 3 times: ")
					if strings.HasPrefix(name, "silent") {
						wantError(t, err, "it stopped sending")
					}
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

// reset sends a part of a body, then what a crashed host sends.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
	time.Sleep(20 * time.Millisecond) // that may overtake what was sent
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
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
	t.Parallel()
	h := newHost(t)
	text := indexOf(good("nova", "1.0.0", ""))
	h.handle("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		for part := range 8 {
			io.WriteString(w, text[len(text)*part/8:len(text)*(part+1)/8])
			w.(http.Flusher).Flush()
			time.Sleep(150 * time.Millisecond)
		}
	})
	c := newClient(t, Options{Stall: time.Second, Retries: -1})
	if _, err := indexAt(t.Context(), c, h.URL); err != nil {
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
	_, err = fetch(t, newClient(t, Options{}), "http://"+l.Addr().String(), "nova", "*")
	wantError(t, err, "GET http://"+l.Addr().String()+"/index.yaml: dial tcp") // "tried 4 times" would stand in it
}

// refusing is a transport that has no connection from the second request on.
type refusing struct{ n, from, to int }

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.n++; r.n >= r.from && r.n < r.to {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(indexOf())), ContentLength: -1, Request: req}, nil
}

// TestRestarting: a host that was there a moment ago is waited for.
func TestRestarting(t *testing.T) {
	r := &refusing{from: 2, to: 4}
	c := newClient(t, Options{}).over(r)
	for range 2 {
		if _, _, err := c.IndexSince(t.Context(), "http://charts.example.com", Validators{}); err != nil {
			t.Error(err)
		}
	}
	if r.n != 4 {
		t.Errorf("%d requests, want 4", r.n)
	}
}

func TestWrongScheme(t *testing.T) {
	h := newHost(t)
	_, err := fetch(t, newClient(t, Options{}), strings.Replace(h.URL, "http:", "https:", 1), "nova", "*")
	wantError(t, err, "/index.yaml: http: server gave HTTP response to HTTPS client")
}

func TestUntrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	_, err := fetch(t, newClient(t, Options{}), s.URL, "nova", "*")
	wantError(t, err, "/index.yaml: tls: failed to verify certificate")
	// With a client that knows the certificate it is another matter.
	_, err = fetch(t, newClient(t, Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig}), s.URL, "nova", "*")
	wantError(t, err, "status 404")
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
