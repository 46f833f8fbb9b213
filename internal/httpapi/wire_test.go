package httpapi

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/index"
)

// get is a request on the wire.
func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: localhost:8879"}, headers...), "\r\n") + "\r\n\r\n"
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// answered is an answer, without its date.
type answered struct {
	Status string
	Header http.Header
	Body   string
	Close  bool
}

// serve serves f as the command does, on a port of its own.
func serve(t testing.TB, f *fixture, set ...func(*Server)) (s *Server, addr string) {
	t.Helper()
	return serveWith(t, f, nil, set...)
}

// serveWith is serve, over TLS where config is not nil.
func serveWith(t testing.TB, f *fixture, config func() *tls.Config, set ...func(*Server)) (s *Server, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, f, l, config, set...), l.Addr().String()
}

func serveOn(t testing.TB, f *fixture, l net.Listener, config func() *tls.Config, set ...func(*Server)) *Server {
	s := NewServer(f.h, 1000, newLogger(f.log))
	for _, set := range set {
		set(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l, config) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

func exchange(t *testing.T, c net.Conn, request string) answered {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, bufio.NewReader(c), request)
}

func readAnswer(t *testing.T, r *bufio.Reader, request string) answered {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil && time.Since(date).Abs() > time.Minute {
		t.Errorf("Date is %v", date)
	}
	resp.Header.Del("Date")
	return answered{resp.Status, resp.Header, string(body), resp.Close}
}

// Requests that come together, or in pieces, are answered in order.
func TestPipeline(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serve(t, f)
	for name, step := range map[string]int{"at once": 1 << 20, "in pieces": 7} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			all := get("/charts/nova-1.0.0.tgz") + get("/charts/large-1.0.0.tgz") + get("/charts/index.yaml") + get("/charts/nova-1.0.0.tgz", "Range: bytes=0-3") + get("/charts/nova-1.0.0.tgz")
			go func() {
				for len(all) > 0 {
					n := min(step, len(all))
					io.WriteString(c, all[:n])
					all = all[n:]
				}
			}()
			r := bufio.NewReader(c)
			for i, want := range []string{"nova 1.0.0", contents()["large-1.0.0.tgz"], string(f.src.View().Index.YAML.Data.Bytes()), "nova", "nova 1.0.0"} {
				if got := readAnswer(t, r, "GET"); got.Body != want {
					t.Errorf("answer %d: %.60q, want %.60q", i, got.Body, want)
				}
			}
		})
	}
}

// Archives that are replaced are never sent under the old tag.
func TestReplacedFile(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serve(t, f)
	c := dial(t, addr)
	for _, content := range []string{"first", "second"} {
		f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", content)))
		got := exchange(t, c, get("/charts/nova-1.0.0.tgz"))
		if got.Body != content || got.Header.Get("Etag") != etagOf(content) {
			t.Errorf("got %q with %s", got.Body, got.Header.Get("Etag"))
		}
	}
}

// A date is not told before it is sure to be the file's last within its second.
func TestLastModified(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serve(t, f)
	for _, age := range []time.Duration{0, time.Hour} {
		file := f.write("nova-1.0.0.tgz", fmt.Sprint("nova ", age))
		file.ModTime = time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(f.dir, file.Path), file.ModTime, file.ModTime); err != nil {
			t.Fatal(err)
		}
		f.src.p.Store(f.snapshot(file))
		want := ""
		if age > 0 {
			want = file.ModTime.UTC().Format(http.TimeFormat)
		}
		if got := exchange(t, dial(t, addr), get("/nova-1.0.0.tgz")); got.Status != "200 OK" || got.Header.Get("Last-Modified") != want {
			t.Errorf("%v old: %s, Last-Modified %q, want %q", age, got.Status, got.Header.Get("Last-Modified"), want)
		}
	}
}

// A connection has its bounds: for its headers, a body, the next request, and for
// taking an answer.
func TestConnectionBounds(t *testing.T) {
	const bound = 50 * time.Millisecond
	large := strings.Repeat("x", 64<<20)
	tests := map[string]struct {
		set func(*Server)
		do  func(*testing.T, net.Conn)
	}{
		"silent from the start": {func(s *Server) { s.http.ReadHeaderTimeout = bound }, func(*testing.T, net.Conn) {}},
		"half of the headers": {func(s *Server) { s.http.ReadHeaderTimeout = bound }, func(_ *testing.T, c net.Conn) {
			io.WriteString(c, "GET /charts/index.yaml HTTP/1.1\r\nHost: x\r\n")
		}},
		"half of a body": {func(s *Server) { s.http.ReadTimeout = bound }, func(_ *testing.T, c net.Conn) {
			io.WriteString(c, "GET /charts/nova-1.0.0.tgz HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
		}},
		"silent afterwards": {func(s *Server) { s.http.IdleTimeout = bound }, func(t *testing.T, c net.Conn) {
			exchange(t, c, get("/charts/nova-1.0.0.tgz"))
		}},
		"takes nothing": {func(s *Server) { s.http.WriteTimeout = bound }, func(t *testing.T, c net.Conn) {
			io.WriteString(c, get("/charts/index.yaml"))
			time.Sleep(10 * bound)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{})
			s := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
			s.Index.YAML.Data = inParts(large)
			f.src.p.Store(s)
			_, addr := serve(t, f, tt.set)
			c := dial(t, addr)
			tt.do(t, c)
			n, err := io.Copy(io.Discard, c)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Error("it was not closed")
			}
			if n >= int64(len(large)) {
				t.Error("all of it came")
			}
		})
	}
}

// inParts is text in parts of all sizes, of which some are larger than a step.
func inParts(text string) index.Text {
	var parts [][]byte
	for n := 1; len(text) > 0; n = n*7%(2*stepBytes) + 1 {
		n = min(n, len(text))
		parts, text = append(parts, []byte(text[:n])), text[n:]
	}
	return index.NewText(parts...)
}

// A reader that is slow but goes on gets all of it.
func TestSlowReaderOfAText(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot()
	var all strings.Builder
	for all.Len() < 32<<20 {
		fmt.Fprintln(&all, all.Len())
	}
	s.Index.YAML.Data = inParts(all.String())
	f.src.p.Store(s)
	_, addr := serve(t, f, func(s *Server) { s.http.WriteTimeout = time.Second })
	c := dial(t, addr)
	io.WriteString(c, get("/index.yaml"))
	r := bufio.NewReaderSize(slow{c}, 256<<10)
	if got := readAnswer(t, r, "GET"); string(got.Body) != all.String() {
		t.Errorf("%d bytes came of %d, or others", len(got.Body), all.Len())
	}
}

// slow reads about 10 MB a second, a tenth of a step each: 32 MB take longer than one
// deadline, which is two steps at most.
type slow struct{ net.Conn }

func (s slow) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	time.Sleep(time.Duration(n) * 100 * time.Nanosecond)
	return n, err
}

// A panic is one answer and a log line; the connection goes on.
func TestPanicOfAHandler(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serve(t, f)
	s := f.snapshot()
	f.src.p.Store(nil)
	c := dial(t, addr)
	got := exchange(t, c, get("/charts/index.yaml"))
	if got.Status != "500 Internal Server Error" || got.Body != "internal server error\n" || !strings.Contains(f.log.String(), "handler panicked") {
		t.Errorf("got %s %q, log %q", got.Status, got.Body, f.log.String())
	}
	f.src.p.Store(s)
	if got := exchange(t, c, get("/charts/index.yaml")); got.Status != "200 OK" {
		t.Errorf("afterwards: %s", got.Status)
	}
}

// An answer that an error of the server's own cut off is in the log; one that the
// client did not want to its end is not.
func TestAnswerCutOff(t *testing.T) {
	const size = 32 << 20
	tests := map[string]struct {
		do   func(*testing.T, *fixture, net.Conn)
		want string
	}{
		"the file ends early": {func(t *testing.T, f *fixture, c net.Conn) {
			if err := os.Truncate(filepath.Join(f.dir, "big-1.0.0.tgz"), size/2); err != nil {
				t.Fatal(err)
			}
			if n, _ := io.Copy(io.Discard, c); n >= size {
				t.Errorf("%d bytes came", n)
			}
		}, "unexpected EOF"},
		"the client goes": {func(_ *testing.T, _ *fixture, c net.Conn) { c.Close() }, ""},
		"the client resets": {func(_ *testing.T, _ *fixture, c net.Conn) {
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}, ""},
		"the client takes all": {func(_ *testing.T, _ *fixture, c net.Conn) { io.Copy(io.Discard, c) }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newLogged(t, Options{})
			f.src.p.Store(f.snapshot(f.write("big-1.0.0.tgz", strings.Repeat("x", size))))
			_, addr := serve(t, f)
			c := dial(t, addr)
			io.WriteString(c, get("/charts/big-1.0.0.tgz", "Connection: close"))
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			tt.do(t, f, c)
			for deadline := time.Now().Add(10 * time.Second); !strings.Contains(f.log.String(), "msg=request "); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the request does not end")
				}
			}
			time.Sleep(10 * time.Millisecond) // the line that must not be there comes after that of the request
			got := f.log.String()
			if logged := strings.Contains(got, `msg="answer cut off"`); logged != (tt.want != "") || !strings.Contains(got, tt.want) {
				t.Errorf("log %q, want %q", got, tt.want)
			}
		})
	}
}

// An I/O error in the midst of a file is in the log, by sendfile and without it.
func TestReadErrorIsLogged(t *testing.T) {
	f := newFixture(t, Options{})
	mem, err := os.Open("/proc/self/mem") // reading at 0 is an I/O error
	if err != nil {
		t.Skip("no file here that can't be read")
	}
	defer mem.Close()
	a := &api{root: &served{src: f.src}, log: newLogger(f.log)}
	h := a.observe(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2000")
		io.WriteString(w, strings.Repeat("x", 1000)) // as if the file were good so far
		io.CopyN(w, mem, 1000)
	}))
	got := raw(t, listen(t, h), "GET /x.tgz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if log := f.log.String(); strings.HasSuffix(got, strings.Repeat("x", 1001)) || !strings.Contains(log, "path=/x.tgz bytes=1000") ||
		!strings.Contains(log, "input/output error") {
		t.Errorf("log %q", log)
	}
}
