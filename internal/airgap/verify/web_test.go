package verify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/remote"
)

// serve hosts the site as static files; wrap may be nil.
func (s *site) serve(wrap func(http.Handler) http.Handler) string {
	s.t.Helper()
	h := http.Handler(http.FileServer(http.Dir(s.dir)))
	if wrap != nil {
		h = wrap(h)
	}
	srv := httptest.NewServer(h)
	s.t.Cleanup(srv.Close)
	return srv.URL
}

// repository verifies what is served at address.
func (s *site) repository(address string, o Options) (*Report, error) {
	s.t.Helper()
	v, err := New(o)
	must(s.t, err)
	c, err := remote.New(remote.Options{Retries: 1, Backoff: time.Millisecond})
	must(s.t, err)
	return v.Repository(s.t.Context(), address, c)
}

func TestCleanRepository(t *testing.T) {
	for name, format := range map[string]index.Format{"YAML": index.YAML, "JSON": index.JSON} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, format)
			var auth atomic.Int32
			address := s.serve(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if user, password, _ := r.BasicAuth(); user == "ann" && password == "secret" {
						auth.Add(1)
					}
					h.ServeHTTP(w, r)
				})
			})
			withUser := strings.Replace(address, "://", "://ann:secret@", 1)
			r, err := s.repository(withUser, Options{Offline: true, Keyring: ring(t, s.key)})
			must(t, err)
			if len(r.Findings) > 0 || r.Archives != 3 || r.Entries != 3 || r.Provenance != 1 || len(r.Signers) != 1 {
				t.Errorf("got %+v", r)
			}
			if r.Repository != address {
				t.Errorf("repository: got %q, want %q", r.Repository, address)
			}
			if auth.Load() != 7 { // the index, archives and provenance
				t.Errorf("%d requests with credentials, want 7", auth.Load())
			}
		})
	}
}

func TestRepositoryDefects(t *testing.T) {
	const nova, keystone = "nova-1.0.0.tgz", "keystone-2.0.0+abc.tgz"
	status := func(path string, code int) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, path) {
					http.Error(w, "no", code)
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	for name, c := range map[string]struct {
		make func(*site)
		wrap func(http.Handler) http.Handler
		want *chart.Error
	}{
		"gone": {make: func(s *site) { s.remove("keystone-2.0.0+abc.tgz") },
			want: failing("index.yaml", "entries.keystone[2.0.0+abc].urls[0]", "there is no archive at "+keystone)},
		"replaced": {make: func(s *site) {
			s.write("keystone-2.0.0+abc.tgz", tgz(t, map[string]string{"Chart.yaml": "name: keystone\nversion: 2.0.0+abc\n"}))
		}, want: failing(keystone, "entries.keystone[2.0.0+abc].digest", "the index has")},
		"a server error": {wrap: status(nova, 500),
			want: failing(nova, "", "status 500")},
		// A server may answer so for what is not there; but it may be there.
		"no access to provenance": {wrap: status(nova+".prov", 403),
			want: failing(nova+".prov", "", "status 403")},
		"a URL outside": {make: func(s *site) { s.edit("index.yaml", "- nova-1.0.0.tgz", "- https://charts.invalid/nova-1.0.0.tgz") },
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "outside")},
		"a URL of a registry": {make: func(s *site) { s.edit("index.yaml", "- nova-1.0.0.tgz", "- oci://localhost/nova:1.0.0") },
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "it is not verified")},
		"altered provenance": {make: func(s *site) { s.edit(nova+".prov", "compute", "computer") },
			want: failing(nova+".prov", "", "signature does not fit")},
		"an unknown field": {make: func(s *site) { s.edit("index.yaml", "    name: nova\n", "    name: nova\n    colour: red\n") },
			want: failing("index.yaml", "entries.nova[0].colour", "unknown field")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, index.YAML)
			if c.make != nil {
				c.make(s)
			}
			r, err := s.repository(s.serve(c.wrap), Options{Offline: true, Keyring: ring(t, s.key)})
			must(t, err)
			s.once(r, c.want)
		})
	}
}

// Archives on another host are verified too, when the site may be online.
func TestRepositoryElsewhere(t *testing.T) {
	s, other := newSite(t, index.YAML), newSite(t, index.YAML)
	s.edit("index.yaml", "- nova-1.0.0.tgz", "- "+other.serve(nil)+"/nova-1.0.0.tgz")
	s.remove("nova-1.0.0.tgz")
	r, err := s.repository(s.serve(nil), Options{})
	must(t, err)
	if len(r.Findings) > 0 || r.Archives != 3 {
		t.Errorf("got %+v", r)
	}
}

// The host of the repository itself is inside.
func TestOwnHost(t *testing.T) {
	h := newHosts("Charts.example.com", nil)
	for address, want := range map[string]bool{
		"https://charts.example.com/x.tgz":      true,
		"https://charts.example.com:8443/x.tgz": true,
		"https://www.example.com/x.tgz":         false,
	} {
		u, err := url.Parse(address)
		must(t, err)
		if got := h.inside(u); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	if u := (&url.URL{Path: "x.tgz"}); newHosts("", nil).inside(u) {
		t.Error("a folder has a host of its own")
	}
}

func TestRepositoryErrors(t *testing.T) {
	s := newSite(t, index.YAML)
	s.remove("index.yaml")
	_, err := s.repository(s.serve(nil), Options{})
	var status *remote.StatusError
	if !errors.As(err, &status) || status.Code != 404 {
		t.Errorf("no index: got %v", err)
	}
	if _, err := s.repository("oci://charts.example.com", Options{}); !errors.Is(err, remote.ErrAddress) {
		t.Errorf("OCI: got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "  ") {
		t.Errorf("the error has a gap: %v", err)
	}
}
