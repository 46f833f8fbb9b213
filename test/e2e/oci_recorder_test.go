package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// exchange is a request of a client, and what it needs of the answer. The unit tests of
// internal/httpapi send these requests again.
type exchange struct {
	Method string
	// Path has the query. {1} in it is the place of the first upload, {2} that of the second.
	Path   string
	Header map[string]string `json:",omitempty"`
	Text   string            `json:",omitempty"` // the body
	Data   []byte            `json:",omitempty"` // the body, where it is no text
	Status int
	Answer map[string]string `json:",omitempty"`

	upload string // the path of the upload that the answer starts
}

// recorder is a proxy that remembers what goes through it.
type recorder struct {
	host    string
	pending sync.WaitGroup // requests, some of whose answers are out already
	mu      sync.Mutex
	all     []*exchange
}

// record starts a recorder in front of a server.
func record(t *testing.T, s *server) *recorder {
	t.Helper()
	to, err := url.Parse(s.root())
	must(t, err)
	r := &recorder{}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host },
		Transport: &http.Transport{DisableCompression: true},
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.pass(w, req, proxy) }))
	t.Cleanup(front.Close)
	r.host = strings.TrimPrefix(front.URL, "http://")
	return r
}

// answered is a ResponseWriter that remembers the status.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (r *recorder) pass(w http.ResponseWriter, req *http.Request, proxy http.Handler) {
	r.pending.Add(1)
	defer r.pending.Done()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	x := &exchange{Method: req.Method, Path: req.URL.RequestURI()}
	x.Header = kept(req.Header, "Accept", "Accept-Encoding", "Authorization", "Content-Range", "Content-Type", "Range")
	if utf8.Valid(body) {
		x.Text = string(body)
	} else {
		x.Data = body
	}
	r.mu.Lock()
	r.all = append(r.all, x)
	r.mu.Unlock()
	out := &answered{ResponseWriter: w, status: http.StatusOK}
	proxy.ServeHTTP(out, req)
	r.mu.Lock()
	defer r.mu.Unlock()
	x.Status = out.status
	x.Answer = kept(w.Header(), "Content-Encoding", "Content-Length", "Content-Type", "Docker-Content-Digest", "Oci-Subject", "Www-Authenticate")
	if at, err := url.Parse(w.Header().Get("Location")); err == nil && x.Method == http.MethodPost && x.Status == http.StatusAccepted {
		x.upload = at.Path
	}
}

// kept are these headers, each in one line.
func kept(h http.Header, names ...string) map[string]string {
	some := map[string]string{}
	for _, name := range names {
		if values := h.Values(name); len(values) > 0 {
			some[name] = strings.Join(values, ", ")
		}
	}
	return some
}

// take returns what was recorded since the last time, in an order that does not depend on
// which of several requests at once came first. The client has ended.
func (r *recorder) take() []*exchange {
	r.pending.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	contents := uploads(all)
	for first := 0; first < len(all); first++ {
		last := first
		for last < len(all) && (all[last].Path == "/v2/" || strings.Contains(all[last].Path, "/blobs/")) {
			last++
		}
		slices.SortStableFunc(all[first:last], func(a, b *exchange) int { return cmp.Compare(a.content(contents), b.content(contents)) })
		first = max(first, last-1)
	}
	r.anonymous(all)
	return all
}

var digestIn = regexp.MustCompile(`sha256(?::|%3A)([0-9a-f]{64})`)

// uploads are the digests of what was uploaded, by the path of the upload.
func uploads(all []*exchange) map[string]string {
	contents := map[string]string{}
	for _, x := range all {
		if path, _, _ := strings.Cut(x.Path, "?"); x.Method == http.MethodPut {
			if found := digestIn.FindStringSubmatch(x.Path); found != nil {
				contents[path] = found[1]
			}
		}
	}
	return contents
}

// content is the digest of the blob that x is about.
func (x *exchange) content(uploads map[string]string) string {
	if found := digestIn.FindStringSubmatch(x.Path); found != nil {
		return found[1]
	}
	path, _, _ := strings.Cut(x.Path, "?")
	return uploads[cmp.Or(x.upload, path)]
}

// anonymous takes out what differs each time: addresses and names of uploads.
func (r *recorder) anonymous(all []*exchange) {
	n := 0
	for i, x := range all {
		x.Path = strings.ReplaceAll(x.Path, url.QueryEscape(r.host), "HOST")
		if x.upload == "" {
			continue
		}
		n++
		for _, later := range all[i+1:] {
			if rest, ok := strings.CutPrefix(later.Path, x.upload); ok {
				later.Path = "{" + strconv.Itoa(n) + "}" + rest
			}
		}
	}
}

// String is one line for a message.
func (x *exchange) String() string { return fmt.Sprintf("%s %s %v", x.Method, x.Path, x.Header) }
