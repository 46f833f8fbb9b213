//go:build linux

package torture

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
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// newVictim is a server with two charts, one of them large enough that a slow
// reader holds it up; s.url + "/index.yaml" must always answer at once.
func newVictim(t *testing.T) *server {
	tree := t.TempDir()
	writeChart(t, filepath.Join(tree, "good"), "good", "1.0.0", 1000)
	writeChart(t, filepath.Join(tree, "large"), "large", "1.0.0", 4<<20)
	repo := filepath.Join(t.TempDir(), "repo")
	return serve(t, repo, tree)
}

// alive checks that the server still answers, soon.
func alive(t *testing.T, s *server) {
	t.Helper()
	begun := time.Now()
	if err := s.serves("good-1.0.0"); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("an index and an archive took %s", took)
	}
}

func (s *server) dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.host(), 10*time.Second)
	must(t, err)
	return c
}

// raw sends bytes as they are, and gives the answers up to the end of the
// connection.
func (s *server) raw(t testing.TB, request string) string {
	t.Helper()
	c := s.dial(t)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	// The server may have hung up before it read all.
	_, _ = io.WriteString(c, request)
	answer, _ := io.ReadAll(io.LimitReader(c, 32<<20))
	return string(answer)
}

// code is the status in a raw answer.
func code(answer string) string {
	if m := regexp.MustCompile(`^HTTP/1\.[01] (\d\d\d) `).FindStringSubmatch(answer); m != nil {
		return m[1]
	}
	return "none"
}

func TestForbiddenPaths(t *testing.T) {
	s := newVictim(t)
	secret := filepath.Join(s.repo, ".secret")
	writeFile(t, secret, []byte("top secret"))
	writeFile(t, filepath.Join(filepath.Dir(s.repo), "outside.tgz"), []byte("top secret"))
	must(t, os.Symlink(filepath.Join(filepath.Dir(s.repo), "outside.tgz"), filepath.Join(s.repo, "leads-out.txt")))
	until(t, settleTime, func() error {
		_, err := os.Stat(filepath.Join(s.repo, ".state"))
		return err
	})
	paths := []string{
		"/.state", "/.lock", "/.secret", "/.gitignore", "/charts/.state", "/charts/charts/.state", "/./.state", "/x/../.state",
		"/%2estate", "/%2Elock", "/charts/%2e%2e/.state", "/%2e%2e/outside.tgz", "/../outside.tgz", "/charts/../../outside.tgz",
		"/..%2foutside.tgz", "/..%5coutside.tgz", `/..\outside.tgz`, `/charts/..\..\outside.tgz`, "/%252e%252e/outside.tgz",
		"/.tmp-1-1", "/by-digest", "/by-digest/", "/by-digest/..", "/by-digest/../.state", "/by-digest/%2e%2e/.state",
		"//.state", "///.state", "/charts//.state", "/.state/", "/.state%00.tgz", "/good-1.0.0.tgz%00", "/%00", "/good-1.0.0.tgz%0d%0aX:y",
		"/etc/passwd", "//etc/passwd", "/charts//etc/passwd", "/%2fetc/passwd", "/file:///etc/passwd", "/C:/x", `/C:\x`, `/\\host\share\x`,
		"/%5c%5chost%5cshare", "/leads-out.txt", "/NUL", "/con.tgz", "/good-1.0.0.tgz/", "/good-1.0.0.tgz/x", "/good-1.0.0.tgz::$DATA",
		"/\xff\xfe", "/%ff%fe", "/%c0%ae%c0%ae/outside.tgz", "/" + strings.Repeat("a/", 5000), "/" + strings.Repeat("../", 5000) + "etc/passwd",
		"/index.yaml/../.state", "/*", "/{x}", "/api/charts/../../.state", "/debug/pprof/", "/by-digest/" + strings.Repeat("0", 64) + "/../../.state",
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "HEAD"} {
			answer := s.raw(t, method+" "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			switch got := code(answer); got {
			case "400", "404", "414", "431":
			default:
				t.Errorf("%s %.60q answers %s", method, path, got)
			}
			if strings.Contains(answer, "secret") || strings.Contains(answer, "root:") || strings.Contains(answer, s.repo) {
				t.Errorf("%s %.60q tells what it must not: %.200q", method, path, answer)
			}
		}
	}
	t.Logf("%d paths", len(paths))
	alive(t, s)
}

func TestOddRequests(t *testing.T) {
	s := newVictim(t)
	get := func(more string) string {
		return "GET /good-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n"
	}
	ranges := strings.TrimSuffix(strings.Repeat("0-0,", 5000), ",")
	cases := map[string]struct {
		request string
		want    string // statuses, any of which will do
	}{
		"HTTP/1.0":                {"GET /index.yaml HTTP/1.0\r\n\r\n", "200"},
		"HTTP/0.9":                {"GET /index.yaml\r\n", "400"},
		"HTTP/3.7":                {"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n", "505 400"},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", "400"},
		"two hosts":               {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"absolute URL":            {"GET http://elsewhere/index.yaml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "421"},
		"CONNECT":                 {"CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", "421 405 404 400"},
		"TRACE":                   {"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405"},
		"DELETE":                  {"DELETE /good-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405"},
		"PUT":                     {"PUT /good-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "405"},
		"an endless method":       {strings.Repeat("A", 200_000) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 405 431 414"},
		"junk":                    {string(noise(5000)) + "\r\n\r\n", "400 431 none"},
		"a TLS hello":             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + string(noise(200)) + "\r\n\r\n", "400 none"},
		"huge header":             {get("X: " + strings.Repeat("x", 1<<20) + "\r\n"), "431 none"},
		"100,000 headers":         {get(strings.Repeat("X: y\r\n", 100_000)), "431 none"},
		"huge URL":                {"GET /?" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "431 414 none"},
		"body of 1 TB":            {get("Content-Length: 1099511627776\r\n"), "413"},
		"negative length":         {get("Content-Length: -1\r\n"), "400"},
		"two lengths":             {get("Content-Length: 1\r\nContent-Length: 2\r\n"), "400"},
		"length and chunks":       {get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", "200 400"},
		"bad chunk":               {get("Transfer-Encoding: chunked\r\n") + "zz\r\n", "200 400"},
		"unknown coding":          {get("Transfer-Encoding: gzip, chunked\r\n"), "400 501"},
		"split header":            {get("X: a\r\n b\r\n"), "200 400"},
		"header without name":     {get(": x\r\n"), "400"},
		"NUL in a header":         {get("X: a\x00b\r\n"), "400"},
		"5,000 ranges":            {get("Range: bytes=" + ranges + "\r\n"), "200 416 431"},
		"overlapping ranges":      {get("Range: bytes=0-,0-,0-,0-,0-\r\n"), "200 206 416"},
		"a range beyond the end":  {get("Range: bytes=99999999-\r\n"), "416"},
		"a negative range":        {get("Range: bytes=--5\r\n"), "416"},
		"a range from the end":    {get("Range: bytes=-5\r\n"), "206"},
		"a backward range":        {get("Range: bytes=5-1\r\n"), "416"},
		"a range of 2^64":         {get("Range: bytes=18446744073709551616-\r\n"), "416"},
		"ranges in apples":        {get("Range: apples=1-2\r\n"), "416 200"},
		"If-Range rubbish":        {get("Range: bytes=0-1\r\nIf-Range: \x01junk\r\n"), "200 400"},
		"If-None-Match rubbish":   {get("If-None-Match: \"\"\"\",,, W/ \"x\r\n"), "200"},
		"If-None-Match long":      {get("If-None-Match: " + strings.Repeat("\"x\", ", 9000) + "\r\n"), "200"},
		"If-None-Match star":      {get("If-None-Match: *\r\n"), "304"},
		"If-Match other":          {get("If-Match: \"x\"\r\n"), "412"},
		"If-Modified-Since never": {get("If-Modified-Since: Thu, 99 Foo 9999 99:99:99 GMT\r\n"), "200"},
		"Accept-Encoding rubbish": {"GET /index.yaml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: ;q=,gzip;q=nan,*;q=2,,\r\n\r\n", "200 406"},
		"Expect rubbish":          {get("Expect: the-unexpected\r\n"), "417 200"},
		"upgrade to HTTP/2":       {get("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), "200"},
		"HTTP/2 at once":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 505 none 404 405"},
		"forwarded by someone":    {get("X-Forwarded-Host: <script>\r\nX-Forwarded-Proto: javascript\r\n"), "200"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			answer := s.raw(t, c.request)
			if got := code(answer); !strings.Contains(c.want, got) {
				t.Errorf("status %s, want one of %s: %.300q", got, c.want, answer)
			}
			if len(answer) > 64<<10 {
				t.Errorf("%d bytes were sent for a file of less than 2 KB", len(answer))
			}
			if took := time.Since(begun); took > 12*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	alive(t, s)
	if strings.Contains(s.logs.String(), "panicked") {
		t.Error("a handler panicked")
	}
}

func TestHeadEverywhere(t *testing.T) {
	s := newVictim(t)
	address := s.index()["good-1.0.0"].Digest
	for _, path := range []string{"/", "/index.html", "/index", "/index.yaml", "/index.json", "/charts", "/charts/", "/charts/index.yaml", "/api/charts",
		"/charts/api/charts", "/healthz", "/readyz", "/status", "/good-1.0.0.tgz", "/charts/good-1.0.0.tgz", "/charts/charts/good-1.0.0.tgz",
		"/by-digest/" + address + "/good-1.0.0.tgz", "/nowhere", "/good-1.0.0.tgz.prov"} {
		head, err := plainClient.Head("http://" + s.host() + path)
		must(t, err)
		head.Body.Close()
		code, body := s.get(path)
		if head.StatusCode != code || code == 200 && head.ContentLength >= 0 && !head.Uncompressed && head.ContentLength != int64(len(body)) && head.Header.Get("Content-Encoding") == "" {
			t.Errorf("HEAD %s: %d, %d bytes; GET: %d, %d bytes", path, head.StatusCode, head.ContentLength, code, len(body))
		}
	}
}

// TestPipelining sends many requests at once and wants all answers in order.
func TestPipelining(t *testing.T) {
	s := newVictim(t)
	c := s.dial(t)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(time.Minute)))
	const n = 500
	go func() {
		_, _ = io.WriteString(c, strings.Repeat("GET /good-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n", n))
	}()
	want, r := s.index()["good-1.0.0"].Digest, bufio.NewReader(c)
	for i := range n {
		for _, method := range []string{"GET", "HEAD"} {
			resp, err := http.ReadResponse(r, &http.Request{Method: method})
			if err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 || method == "GET" && digest(body) != want {
				t.Fatalf("answer %d to %s: %d, %v", i, method, resp.StatusCode, err)
			}
		}
	}
}

// TestQueryStrings asks with ever other queries, which nothing may remember.
func TestQueryStrings(t *testing.T) {
	s := newVictim(t)
	n := pick(10_000, 100_000)
	ask := func(from, to int) {
		c := s.dial(t)
		defer c.Close()
		r := bufio.NewReader(c)
		for i := from; i < to; i++ {
			fmt.Fprintf(c, "GET /index.yaml?%d=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", i, strings.Repeat("q", 1000))
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			if resp.StatusCode != 200 {
				t.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	}
	ask(0, 1000)
	s.collect()
	before := s.resident()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { ask(i*n/4, (i+1)*n/4) })
	}
	all.Wait()
	s.collect()
	after := s.resident()
	t.Logf("%d query strings: resident %d MiB before, %d after", n, before, after)
	if after > before+30 {
		t.Error("they are remembered")
	}
}

// TestSlowClients has many connections that send or read next to nothing. Others
// are served meanwhile, and the slow ones are cut off in time.
func TestSlowClients(t *testing.T) {
	s := newVictim(t)
	base, gs := s.files(), s.goroutines()
	s.resetPeak()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	// Headers that never end, no request at all, and a body that never comes.
	for n := range 300 {
		c := s.dial(t)
		conns = append(conns, c)
		switch n % 3 {
		case 0:
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		case 1:
		case 2:
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
		}
	}
	// Readers that take the first bytes of 4 MB and no more, and clients that are gone
	// without a word.
	for range 1000 {
		c := s.dial(t)
		conns = append(conns, c)
		must(t, c.(*net.TCPConn).SetReadBuffer(4096))
		fmt.Fprint(c, "GET /large-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	for range 200 {
		c := s.dial(t)
		fmt.Fprint(c, "GET /large-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		must(t, c.(*net.TCPConn).SetLinger(0)) // RST
		c.Close()
	}
	alive(t, s)
	t.Logf("with %d slow connections: %d files, %d goroutines, peak %d MiB", len(conns), s.files(), s.goroutines(), s.peak())
	if peak := s.peak(); peak > 400 {
		t.Errorf("%d MiB for slow clients", peak)
	}
	// Those that send nothing are cut off after ten seconds.
	must(t, conns[0].SetReadDeadline(time.Now().Add(40*time.Second)))
	if _, err := io.Copy(io.Discard, conns[0]); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("headers that never end are waited for")
	}
	alive(t, s)
	if long {
		// A minute a MiB is what a reader has.
		until(t, 8*time.Minute, func() error {
			if n := s.files(); n > base+20 {
				return fmt.Errorf("%d files are open, %d were before", n, base)
			}
			return nil
		})
	}
	for _, c := range conns {
		c.Close()
	}
	conns = nil
	until(t, settleTime, func() error {
		plainClient.CloseIdleConnections()
		if f, g := s.files(), s.goroutines(); f > base+20 || g > gs+20 {
			return fmt.Errorf("%d files and %d goroutines, %d and %d were before", f, g, base, gs)
		}
		return nil
	})
}

// TestManyConnections opens more connections than the process may have files.
func TestManyConnections(t *testing.T) {
	s := newVictim(t)
	var limit syscall.Rlimit
	if err := prlimit(s.cmd.Process.Pid, &syscall.Rlimit{Cur: 100, Max: 100}, &limit); err != nil {
		t.Skipf("the limit of open files can't be set for the server alone: %v", err)
	}
	var conns []net.Conn
	for range 300 {
		c, err := net.DialTimeout("tcp", s.host(), time.Second)
		if err != nil {
			break
		}
		fmt.Fprint(c, "GET /good-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		conns = append(conns, c)
	}
	time.Sleep(time.Second)
	select {
	case <-s.ended:
		t.Fatal("the server ended")
	default:
	}
	for _, c := range conns {
		c.Close()
	}
	until(t, settleTime, func() error { return s.serves("good-1.0.0", "large-1.0.0") })
	t.Logf("%d connections at a limit of 100 files", len(conns))
}

// TestConnectionsLeaveFiles: clients can't take the files that publishing needs.
func TestConnectionsLeaveFiles(t *testing.T) {
	tree, repo := t.TempDir(), filepath.Join(t.TempDir(), "repo")
	writeChart(t, filepath.Join(tree, "good"), "good", "1.0.0", 1000)
	writeChart(t, filepath.Join(tree, "large"), "large", "1.0.0", 4<<20)
	s := serve(t, repo, tree, "--max-connections", "40")
	var limit syscall.Rlimit
	if err := prlimit(s.cmd.Process.Pid, &syscall.Rlimit{Cur: 100, Max: 100}, &limit); err != nil {
		t.Skipf("the limit of open files can't be set for the server alone: %v", err)
	}
	for range 300 {
		c := s.dial(t)
		defer c.Close()
		must(t, c.(*net.TCPConn).SetReadBuffer(4096))
		fmt.Fprint(c, "GET /large-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n\r\n") // each holds the archive open
	}
	writeChart(t, filepath.Join(tree, "good"), "good", "2.0.0", 1000)
	until(t, settleTime, func() error {
		_, err := os.Stat(filepath.Join(repo, "good-2.0.0.tgz"))
		return err
	})
	if n := s.files(); n >= 100 {
		t.Errorf("%d files are open", n)
	}
}

// TestTLS speaks TLS to it; the connection ends at once.
func TestTLS(t *testing.T) {
	s := newVictim(t)
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", s.host(), &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		c.Close()
		t.Error("it speaks TLS")
	}
	alive(t, s)
}
