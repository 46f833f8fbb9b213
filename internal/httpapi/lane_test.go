package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// get is a request on the wire.
func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: localhost:8879"}, headers...), "\r\n") + "\r\n\r\n"
}

// laneRequests are requests and whether the lane answers them.
func laneRequests(f *fixture) map[string]struct {
	request string
	lane    bool
} {
	s := f.src.Snapshot()
	archive, _ := s.Lookup("nova-1.0.0.tgz")
	return map[string]struct {
		request string
		lane    bool
	}{
		"index":                {get("/charts/index.yaml"), true},
		"index at the root":    {get("/index.yaml"), true},
		"JSON":                 {get("/charts/index.json"), true},
		"archive":              {get("/charts/nova-1.0.0.tgz"), true},
		"archive at the root":  {get("/nova-1.0.0.tgz"), true},
		"as ChartMuseum":       {get("/charts/charts/nova-1.0.0.tgz"), true},
		"in a folder":          {get("/charts/sub/x-1.0.0.tgz"), true},
		"plus":                 {get("/charts/nova-1.1.0+a.tgz"), true},
		"provenance":           {get("/charts/nova-1.0.0.tgz.prov"), true},
		"client's headers":     {get("/charts/nova-1.0.0.tgz", "User-Agent: Helm/3.18.0", "Accept: */*", "Connection: Keep-Alive", "X-Forwarded-For: 10.0.0.1"), true},
		"gzip":                 {get("/charts/index.yaml", "Accept-Encoding: gzip"), true},
		"no gzip":              {get("/charts/index.yaml", "Accept-Encoding: gzip;q=0"), true},
		"archive for gzip":     {get("/charts/nova-1.0.0.tgz", "accept-encoding:gzip\t"), true},
		"index not modified":   {get("/charts/index.yaml", "If-None-Match: "+s.Index.YAML.ETag), true},
		"gzip not modified":    {get("/charts/index.yaml", "Accept-Encoding: gzip", "If-None-Match: "+s.Index.YAML.GzipETag), true},
		"archive not modified": {get("/charts/nova-1.0.0.tgz", "If-None-Match: "+archive.ETag), true},

		"other tag":         {get("/charts/index.yaml", `If-None-Match: "x"`), false},
		"weak tag":          {get("/charts/index.yaml", "If-None-Match: W/"+s.Index.YAML.ETag), false},
		"list of tags":      {get("/charts/nova-1.0.0.tgz", `If-None-Match: "x", `+archive.ETag), false},
		"two If-None-Match": {get("/charts/nova-1.0.0.tgz", `If-None-Match: "x"`, "If-None-Match: "+archive.ETag), false},
		"range":             {get("/charts/nova-1.0.0.tgz", "Range: bytes=1-2"), false},
		"HEAD":              {strings.Replace(get("/charts/nova-1.0.0.tgz"), "GET", "HEAD", 1), false},
		"POST":              {strings.Replace(get("/charts/nova-1.0.0.tgz"), "GET", "POST", 1), false},
		"HTTP/1.0":          {strings.Replace(get("/charts/nova-1.0.0.tgz"), "1.1", "1.0", 1), false},
		"close":             {get("/charts/nova-1.0.0.tgz", "Connection: close"), false},
		"body":              {get("/charts/nova-1.0.0.tgz", "Content-Length: 0"), false},
		"large":             {get("/charts/large-1.0.0.tgz"), false},
		"other file":        {get("/artifacthub-repo.yml"), false},
		"page":              {get("/charts/"), false},
		"state":             {get("/status"), false},
		"not there":         {get("/charts/nothing-1.0.0.tgz"), false},
		"escaped":           {get("/charts/nova-1.1.0%2Ba.tgz"), false},
		"query":             {get("/charts/index.yaml?x=1"), false},
		"two slashes":       {get("//charts//index.yaml"), false},
		"dots":              {get("/charts/../index.yaml"), false},
		"dot-file":          {get("/.state"), false},
		"absolute":          {get("http://localhost/charts/index.yaml"), false},
		"no host":           {"GET /charts/index.yaml HTTP/1.1\r\n\r\n", false},
		"two hosts":         {get("/charts/index.yaml", "Host: x"), false},
		"odd host":          {strings.Replace(get("/charts/index.yaml"), "localhost", "a/b", 1), false},
		"folded":            {get("/charts/index.yaml", "Accept: a\r\n b"), false},
		"control character": {get("/charts/index.yaml", "Accept: a\x01"), false},
		"space before :":    {get("/charts/index.yaml", "Accept : a"), false},
		"lone newline":      {strings.ReplaceAll(get("/charts/index.yaml"), "\r\n", "\n"), false},
		"unknown header":    {get("/charts/index.yaml", "X-Something: a"), false},
		"two codings":       {get("/charts/index.yaml", "Accept-Encoding: br", "Accept-Encoding: gzip"), false},
	}
}

// What the lane answers is what the handlers answer, over the wire.
func TestLaneAgrees(t *testing.T) {
	f := newFixture(t, Options{})
	server, addr := serveLane(t, f)
	plain := listen(t, http.HandlerFunc(f.h.ServeHTTP)) // all through net/http
	for name, tt := range laneRequests(f) {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			got := exchange(t, c, tt.request)
			if in := server.lane.holds(c.LocalAddr()); in != tt.lane {
				t.Errorf("in the lane: %v, want %v", in, tt.lane)
			}
			want := exchange(t, dial(t, plain), tt.request)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("net/http's answer and the lane's (-want +got):\n%s", diff)
			}
		})
	}
}

// holds tells whether the connection from addr is in the lane.
func (l *lane) holds(addr net.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.RemoteAddr().String() == addr.String() {
			return true
		}
	}
	return false
}

func serveLane(t *testing.T, f *fixture, set ...func(*lane)) (s *Server, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = NewServer(f.h, newLogger(f.log))
	for _, set := range set {
		set(s.lane)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
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
	return answered{resp.Status, resp.Header, string(body)}
}

// Requests that come together are answered in order, also when one of them, or the
// last half of one, is for net/http.
func TestLanePipeline(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serveLane(t, f)
	for name, step := range map[string]int{"at once": 1 << 20, "in pieces": 7} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			all := get("/charts/nova-1.0.0.tgz") + get("/charts/index.yaml") + get("/charts/nova-1.0.0.tgz", "Range: bytes=0-3") + get("/charts/nova-1.0.0.tgz")
			go func() {
				for len(all) > 0 {
					n := min(step, len(all))
					io.WriteString(c, all[:n])
					all = all[n:]
				}
			}()
			r := bufio.NewReader(c)
			for i, want := range []string{"nova 1.0.0", string(f.src.Snapshot().Index.YAML.Data.Bytes()), "nova", "nova 1.0.0"} {
				if got := readAnswer(t, r, "GET"); got.Body != want {
					t.Errorf("answer %d: %.60q, want %.60q", i, got.Body, want)
				}
			}
		})
	}
}

// Archives that are replaced are never sent under the old tag, from the lane either.
func TestLaneSeesReplacements(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serveLane(t, f)
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
func TestLaneDates(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serveLane(t, f)
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

// What is handed over when nobody listens any more is closed.
func TestHandOverAtTheEnd(t *testing.T) {
	f := newFixture(t, Options{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ll := newLane(f.h.(*api)).listen(inner).(*laneListener)
	ll.Close()
	if _, err := ll.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	ours, theirs := net.Pipe()
	ll.handOver(ours)
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other end reads %v", err)
	}
}

func TestLaneNotReady(t *testing.T) {
	f := newFixture(t, Options{})
	f.src.p.Store(repo.NewSnapshot(f.root))
	_, addr := serveLane(t, f)
	if got := exchange(t, dial(t, addr), get("/charts/index.yaml")); !strings.HasPrefix(got.Status, "503") {
		t.Errorf("got %s", got.Status)
	}
}

// A connection has its bounds in the lane: for its first word, the next one, and
// for taking an answer.
func TestLaneBounds(t *testing.T) {
	const bound = 50 * time.Millisecond
	large := strings.Repeat("x", 64<<20)
	tests := map[string]struct {
		set func(*lane)
		do  func(*testing.T, net.Conn)
	}{
		"silent from the start": {func(l *lane) { l.first = bound }, func(*testing.T, net.Conn) {}},
		"silent afterwards": {func(l *lane) { l.first, l.next = 4*bound, bound }, func(t *testing.T, c net.Conn) {
			exchange(t, c, get("/charts/nova-1.0.0.tgz"))
		}},
		"takes nothing": {func(l *lane) { l.step = bound }, func(t *testing.T, c net.Conn) {
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
			_, addr := serveLane(t, f, tt.set)
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
func TestLaneSlowReader(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot()
	var all strings.Builder
	for all.Len() < 32<<20 {
		fmt.Fprintln(&all, all.Len())
	}
	s.Index.YAML.Data = inParts(all.String())
	f.src.p.Store(s)
	_, addr := serveLane(t, f, func(l *lane) { l.step = time.Second })
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

// Shutdown lets answers finish, answers what has come, and waits for nobody else.
func TestLaneShutdown(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
	s.Index.YAML.Data = inParts(strings.Repeat("x", 32<<20))
	f.src.p.Store(s)
	server, addr := serveLane(t, f)
	idle, silent, busy := dial(t, addr), dial(t, addr), dial(t, addr)
	exchange(t, idle, get("/charts/nova-1.0.0.tgz"))
	io.WriteString(busy, get("/index.yaml"))
	r := bufio.NewReader(busy)
	if _, err := r.Peek(1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	start := time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- server.Shutdown(ctx)
	}()
	for _, c := range []net.Conn{idle, silent} {
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a connection without a request got %d bytes, %v", n, err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("connections without a request were closed after %v", took)
	}
	if got := readAnswer(t, r, "GET"); len(got.Body) != 32<<20 {
		t.Errorf("%d bytes of the answer in flight came", len(got.Body))
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("it still listens")
	}
}

// What came before the end is answered; a client in the middle of an answer does
// not hold up the end for longer than was asked for.
func TestLaneShutdownInTime(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
	s.Index.YAML.Data = inParts(strings.Repeat("x", 64<<20))
	f.src.p.Store(s)
	server, addr := serveLane(t, f, func(l *lane) { l.last = time.Second }) // other work may share the machine
	stuck, late := dial(t, addr), dial(t, addr)
	exchange(t, late, get("/charts/nova-1.0.0.tgz"))
	io.WriteString(stuck, get("/index.yaml"))
	if _, err := io.ReadFull(stuck, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- server.Shutdown(ctx) }()
	if got := exchange(t, late, get("/charts/nova-1.0.0.tgz")); got.Body != "nova" {
		t.Errorf("got %q", got.Body)
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want that it ran out of time", err)
	}
	server.Close()
	if n, _ := io.Copy(io.Discard, stuck); n >= 64<<20 {
		t.Error("the stuck client got everything")
	}
}

// A panic ends one connection, and is in the log.
func TestLanePanic(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serveLane(t, f)
	s := f.snapshot()
	f.src.p.Store(nil)
	c := dial(t, addr)
	io.WriteString(c, get("/charts/index.yaml"))
	got, err := io.ReadAll(c)
	if len(got) > 0 || err != nil || !strings.Contains(f.log.String(), "handler panicked") {
		t.Errorf("got %q, %v, log %q", got, err, f.log.String())
	}
	f.src.p.Store(s)
	if got := exchange(t, dial(t, addr), get("/charts/index.yaml")); got.Status != "200 OK" {
		t.Errorf("afterwards: %s", got.Status)
	}
}

// FuzzLane: what is plain to the lane is to net/http the same request, of the same
// length, and has the same answer.
func FuzzLane(f *testing.F) {
	fx := newFixture(f, Options{})
	for _, tt := range laneRequests(fx) {
		f.Add([]byte(tt.request))
	}
	a := fx.h.(*api)
	l := newLane(a)
	f.Fuzz(func(t *testing.T, in []byte) {
		q, n := parsePlain(in)
		if n == 0 {
			return
		}
		c := &laneConn{lane: l}
		s := fx.src.Snapshot()
		body, ok := c.answer(q, s)
		if !ok {
			return
		}
		read := bytes.NewReader(in)
		buffered := bufio.NewReader(read)
		r, err := http.ReadRequest(buffered)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		if used := len(in) - read.Len() - buffered.Buffered(); used != n {
			t.Fatalf("the lane takes %d bytes, net/http %d", n, used)
		}
		if r.Close || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Host == "" {
			t.Fatalf("not plain: %+v", r)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		got, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(c.out), bytes.NewReader(bytes.Join(body, nil)))), r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		got.Header.Del("Date")
		if got.StatusCode == http.StatusNotModified && len(body) > 0 {
			t.Errorf("%d bytes follow a 304", len(body))
		}
		if diff := cmp.Diff(fmt.Sprintln(w.Code, w.Body), fmt.Sprintln(got.StatusCode, string(text))); diff != "" {
			t.Errorf("(-handler +lane):\n%s", diff)
		}
		if diff := cmp.Diff(w.Header(), got.Header); diff != "" {
			t.Errorf("headers (-handler +lane):\n%s", diff)
		}
	})
}
