package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// trouble stands between a server and who asks it: each third request fails, but
// none twice in a row, the first answer with each archive is cut off in the middle,
// and the index lies about one digest.
type trouble struct {
	t     *testing.T
	proxy *httputil.ReverseProxy
	lie   *strings.Replacer

	mu                     sync.Mutex
	requests, due          int
	failed, cut, continued int
	cutBefore              map[string]bool
	notBefore              map[string]time.Time // by path, where the last request failed
}

func newTrouble(t *testing.T, target, digest string) (*trouble, string) {
	t.Helper()
	u, err := url.Parse(target)
	must(t, err)
	x := &trouble{t: t, lie: strings.NewReplacer(digest, strings.Repeat("f", 64)), cutBefore: map[string]bool{}, notBefore: map[string]time.Time{}}
	x.proxy = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
	x.proxy.ModifyResponse = x.change
	x.proxy.ErrorLog = quiet()
	s := httptest.NewUnstartedServer(x)
	s.Config.ErrorLog = quiet()
	s.Start()
	t.Cleanup(s.Close)
	return x, s.URL + u.Path
}

func (x *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if x.fails(r.URL.Path) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.Header.Del("Accept-Encoding") // to lie in plain text
	x.proxy.ServeHTTP(w, r)
}

// fails tells whether it is a request's turn to fail, and looks whether a client
// that was told to wait has done so.
func (x *trouble) fails(path string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests++
	if x.requests%3 == 0 {
		x.due++
	}
	until, waited := x.notBefore[path]
	delete(x.notBefore, path)
	if waited && time.Now().Before(until) {
		x.t.Errorf("%s is asked for again before Retry-After", path)
	}
	if x.due == 0 || waited {
		return false
	}
	x.due--
	x.failed++
	x.notBefore[path] = time.Now().Add(time.Second)
	return true
}

// again is for the next client: it cuts anew and counts anew.
func (x *trouble) again() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.cutBefore)
	clear(x.notBefore)
	x.cut, x.continued = 0, 0
}

func (x *trouble) change(r *http.Response) error {
	path := r.Request.URL.Path
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, "/index.yaml") {
		body = []byte(x.lie.Replace(string(body)))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(path, ".tgz") {
		x.mu.Lock()
		defer x.mu.Unlock()
		if !x.cutBefore[path] {
			x.cutBefore[path] = true
			x.cut++
			// Less than Content-Length has promised: the server ends the connection.
			r.Body = io.NopCloser(bytes.NewReader(body[:len(body)/2]))
		} else if r.StatusCode == http.StatusPartialContent {
			x.continued++
		}
	}
	return nil
}

// TestAirGapTrouble mirrors from the worst of servers. The chart that is lied about
// is refused by its name, and everything else arrives.
func TestAirGapTrouble(t *testing.T) {
	from := stock(t)
	x, address := newTrouble(t, serve(t, from, "--repo-path", from).URL, indexOf(t, from)["toolkit 0.1.0"].Digest)
	site := filepath.Join(t.TempDir(), "site")
	args := []string{"mirror", address, "--devel", "--repo-path", site, "--retries", "9", "--jobs", "8"}

	wantWords(t, "with a lie", gap(t, 1, args...), "chartserve: toolkit 0.1.0: ", "SHA-256")
	holds(t, site, files{})

	x.again()
	out := gap(t, 1, append(args, "--keep-going")...)
	wantWords(t, "--keep-going", out, "chartserve: toolkit 0.1.0: ", strings.Repeat("f", 64), "1 failed")
	want := archives(t, from)
	delete(want, "toolkit-0.1.0.tgz")
	holds(t, site, want)
	index := indexOf(t, from)
	delete(index, "toolkit 0.1.0")
	if got := indexOf(t, site); len(got) != len(index) {
		t.Errorf("the index has %d versions, want %d", len(got), len(index))
	}
	gap(t, 0, "verify", "--offline", "--repo-path", site)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed < 3 || x.cut < 1 || x.continued != x.cut {
		t.Errorf("%d requests failed, %d were cut, %d continued: want some, and all that were cut to be continued", x.failed, x.cut, x.continued)
	}
}
