package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"chartserve/internal/repo"
)

func newLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// listen serves h as the command does, on a port of its own.
func listen(t testing.TB, h http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(h, 1000, nil)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l, nil) }()
	t.Cleanup(func() {
		s.Close()
		<-done
		http.DefaultClient.CloseIdleConnections()
	})
	return l.Addr().String()
}

// raw sends bytes and returns all that comes back.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(c) // an error is the server's cut
	return string(got)
}

func TestOverTheWire(t *testing.T) {
	f := newFixture(t, Options{})
	addr := listen(t, f.h)
	tests := map[string]struct{ request, want string }{
		"HTTP/1.0":      {"GET /charts/nova-1.0.0.tgz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n"},
		"no host":       {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		"absolute form": {"GET http://elsewhere/charts/nova-1.0.0.tgz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		"huge headers": {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 80<<10) + "\r\n\r\n",
			"HTTP/1.1 431 "},
		"body that is too large": {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
			"HTTP/1.1 413 "},
		"pipelined": {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"HTTP/1.1 200 OK\r\n"},
		"no HTTP":      {"hello\r\n\r\n", "HTTP/1.1 400 "},
		"NUL in path":  {"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 "},
		"raw dot-dots": {"GET /charts/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := raw(t, addr, tt.request)
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %.100q, want %q", got, tt.want)
			}
			if name == "pipelined" && !strings.HasSuffix(got, "ready\n") {
				t.Errorf("the second answer is missing: %q", got)
			}
		})
	}
	if got, err := http.Get("http://" + addr + "/charts/nova-1.0.0.tgz"); err != nil || text(t, got) != "nova 1.0.0" {
		t.Errorf("afterwards: %v", err)
	}
}

func TestServerBounds(t *testing.T) {
	s := NewServer(http.NotFoundHandler(), 1000, nil)
	for name, got := range map[string]time.Duration{
		"ReadHeaderTimeout": s.http.ReadHeaderTimeout, "ReadTimeout": s.http.ReadTimeout,
		"WriteTimeout": s.http.WriteTimeout, "IdleTimeout": s.http.IdleTimeout,
	} {
		if got <= 0 || got > 5*time.Minute {
			t.Errorf("%s is %v", name, got)
		}
	}
	if s.http.MaxHeaderBytes <= 0 {
		t.Error("no MaxHeaderBytes")
	}
}

// The server's own messages go to the log.
func TestServerLog(t *testing.T) {
	log := &lockedBuffer{}
	s := NewServer(http.NotFoundHandler(), 1000, newLogger(log))
	s.http.ErrorLog.Print("http: something")
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "http: something") {
		t.Errorf("got %q", got)
	}
}

func TestPanic(t *testing.T) {
	f := newFixture(t, Options{})
	a := &api{root: &served{src: f.src}, log: newLogger(f.log)}
	tests := map[string]struct {
		do   http.HandlerFunc
		want string
		log  bool
	}{
		"before the answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			panic("secret")
		}, "HTTP/1.1 500 Internal Server Error", true},
		"after the status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic("secret")
		}, "", true},
		"within the answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			panic("secret")
		}, "", true},
		"abort": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.log.b.Reset()
			got := raw(t, listen(t, a.observe(a.recoverPanics(tt.do))), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			status, _, _ := strings.Cut(got, "\r\n")
			if status != tt.want || strings.Contains(got, "secret") || strings.Contains(got, "Content-Encoding") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if logged := strings.Contains(f.log.String(), "secret"); logged != tt.log {
				t.Errorf("logged: %v, want %v: %s", logged, tt.log, f.log)
			}
		})
	}
}

func TestBodyThatDoesNotTellItsSize(t *testing.T) {
	var got error
	h := (&api{root: &served{src: &source{}}}).serve(func(_ http.ResponseWriter, r *http.Request, _ *repo.View) error {
		_, got = io.Copy(io.Discard, r.Body)
		return nil
	})
	r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(neverEnding('a'), 1<<20))
	r.ContentLength = -1
	h.ServeHTTP(httptest.NewRecorder(), r)
	if _, ok := got.(*http.MaxBytesError); !ok {
		t.Errorf("got %v, want a MaxBytesError", got)
	}
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// writer stands in for net/http's: it notes from what it was told to read.
type writer struct {
	*httptest.ResponseRecorder
	sources []string
}

func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	part, ok := r.(*io.LimitedReader)
	if !ok {
		w.sources = append(w.sources, fmt.Sprintf("%T", r))
	} else {
		w.sources = append(w.sources, fmt.Sprintf("%d of %T", part.N, part.R))
	}
	return io.Copy(struct{ io.Writer }{w.ResponseRecorder}, r)
}

// sendfile needs a limited *os.File to reach net/http, and nothing else will do.
// Small files come from memory.
func TestSendfileIsKept(t *testing.T) {
	f := newFixture(t, Options{})
	w := &writer{ResponseRecorder: httptest.NewRecorder()}
	f.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/charts/large-1.0.0.tgz", nil))
	if got, want := strings.Join(w.sources, "; "), "100000 of *os.File"; got != want {
		t.Errorf("net/http reads %q, want %q", got, want)
	}
	if w.Body.Len() != 100_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
}

// slowServer serves a large file with a short deadline, and small buffers
// where the client shall feel it.
func slowServer(t *testing.T, size int, buffer int) net.Conn {
	t.Helper()
	f := newFixture(t, Options{})
	f.src.p.Store(f.snapshot(f.write("large-1.0.0.tgz", strings.Repeat("x", size))))
	_, addr := serve(t, f, func(s *Server) {
		s.http.WriteTimeout = time.Second
		s.http.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			if buffer > 0 {
				c.(*conn).Conn.(*net.TCPConn).SetWriteBuffer(buffer)
			}
			return ctx
		}
	})
	c := dial(t, addr)
	if buffer > 0 {
		c.(*net.TCPConn).SetReadBuffer(buffer)
	}
	io.WriteString(c, get("/large-1.0.0.tgz", "Connection: close"))
	return c
}

func TestSlowReaderIsServed(t *testing.T) {
	const size = 32 << 20
	c := slowServer(t, size, 0)
	buf := make([]byte, 1<<20)
	got := 0
	for got < 16<<20 { // in about two seconds, two deadlines
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("cut after %d bytes although it went on: %v", got, err)
		}
		got += n
		time.Sleep(time.Duration(n) * 120 * time.Nanosecond)
	}
	rest, err := io.Copy(io.Discard, c)
	if got+int(rest) < size || err != nil {
		t.Errorf("%d bytes of %d, %v", got+int(rest), size, err)
	}
}

func TestStalledReaderIsCut(t *testing.T) {
	const size = 32 << 20
	c := slowServer(t, size, 8<<10)
	time.Sleep(2 * time.Second) // takes nothing
	if got, err := io.Copy(io.Discard, c); got >= size || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is not cut after %d bytes: %v", got, err)
	}
}

var _ Source = (*source)(nil)
