package remote

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
	"go.uber.org/goleak"

	"chartserve/internal/index"
)

// TestMain sets a proxy for the whole run, because net/http reads the environment
// once in a process. Requests to loopback addresses never take it.
func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "charts.invalid" || r.URL.Path != "/index.yaml" {
			http.Error(w, "not through here", http.StatusTeapot)
			return
		}
		io.WriteString(w, indexOf(entry{name: "proxied", version: "1.0.0", url: "x.tgz"}))
	}))
	os.Setenv("HTTP_PROXY", proxy.URL)
	os.Unsetenv("http_proxy")
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	code := m.Run()
	proxy.Close()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// entry is one version in a test's index.
type entry struct {
	name, version, url, digest string
}

// good is an entry whose archive is data, found beside the index.
func good(name, version, data string) entry {
	return entry{name: name, version: version, url: name + "-" + version + ".tgz", digest: digestOf(data)}
}

func digestOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// indexOf is a block YAML index, the entries of each chart in the order given.
func indexOf(entries ...entry) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nentries:\n")
	last := ""
	for _, e := range entries {
		if e.name != last {
			fmt.Fprintf(&b, "  %s:\n", e.name)
			last = e.name
		}
		fmt.Fprintf(&b, "  - apiVersion: v2\n    name: %s\n    version: %q\n    urls: [%q]\n", e.name, e.version, e.url)
		if e.digest != "" {
			fmt.Fprintf(&b, "    digest: %q\n", e.digest)
		}
	}
	if len(entries) == 0 {
		b.WriteString("    {}\n")
	}
	return b.String()
}

// host is a repository on loopback that counts requests.
type host struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string]string // by path; "" is 404
	handlers map[string]http.HandlerFunc
	fallback http.HandlerFunc // for all else; nil is 404
	requests []string         // "GET /index.yaml?q"
	headers  []http.Header
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{files: map[string]string{}, handlers: map[string]http.HandlerFunc{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.requests = append(h.requests, r.Method+" "+r.URL.RequestURI())
	h.headers = append(h.headers, r.Header.Clone())
	handler, data := h.handlers[r.URL.Path], h.files[r.URL.Path]
	h.mu.Unlock()
	switch {
	case handler != nil:
		handler(w, r)
	case data != "":
		io.WriteString(w, data)
	case h.fallback != nil:
		h.fallback(w, r)
	default:
		http.NotFound(w, r)
	}
}

// put makes data what the path answers.
func (h *host) put(path, data string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[path] = data
}

func (h *host) handle(path string, handler http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handlers[path] = handler
}

// asked is the requests so far.
func (h *host) asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.requests...)
}

// newClient is a Client that doesn't wait long.
func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	o.Backoff = cmp.Or(o.Backoff, time.Millisecond)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// over has the requests made by base in place of the network.
func (c *Client) over(base http.RoundTripper) *Client {
	c.http.Transport.(*transport).base = base
	return c
}

func fetch(t *testing.T, c *Client, repository, name, constraint string) (string, error) {
	t.Helper()
	cs, err := semver.NewConstraint(constraint)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	data, err := c.Fetch(ctx, repository, name, cs)
	return string(data), err
}

// indexAt is the index that Fetch works with.
func indexAt(ctx context.Context, c *Client, repository string) (*index.File, error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, err
	}
	f, _, err := c.index(ctx, at, c.opts.IndexAge)
	return f, err
}

// wantError checks that err has every one of the texts, and none of what never
// may be in one.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q\nhas no %q", err, s)
		}
	}
	for _, s := range []string{"hunter2", "s3cret", "\n"} {
		if strings.Contains(err.Error(), s) {
			t.Errorf("error %q has %q", err, s)
		}
	}
}

// reset forgets the requests.
func (h *host) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.headers, h.requests = nil, nil
}
