package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	tests := map[string]struct {
		repository string
		want       []string
	}{
		"ftp":            {"ftp://charts.example.com", []string{`"ftp://charts.example.com" has to begin with http:// or https://`}},
		"s3":             {"s3://bucket/charts", []string{"has to begin with http"}},
		"a file":         {"file:///etc", []string{"has to begin with http"}},
		"a name":         {"@stable", []string{`"@stable" has to begin with http`}},
		"nothing":        {"", []string{"has to begin with http"}},
		"no host":        {"http:///charts", []string{`"http:///charts" names no host`}},
		"not a URL":      {"http://ann:hunter2@charts.example.com:port", []string{"not a URL"}},
		"with passwords": {"ftp://ann:hunter2@charts.example.com/?key=s3cret", []string{`"ftp://charts.example.com/?..."`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, Options{})
			_, err := fetch(t, c, tt.repository, "nova", ">= 1")
			wantError(t, err, append(tt.want, `chart nova ">=1" from `, ": not an address to download from")...)
			if !errors.Is(err, ErrAddress) {
				t.Errorf("%v is not ErrAddress", err)
			}
			if _, err := indexAt(t.Context(), c, tt.repository); !errors.Is(err, ErrAddress) {
				t.Errorf("Index: %v is not ErrAddress", err)
			}
		})
	}
}

// TestArchiveAddresses: public indexes are known to lead elsewhere.
func TestArchiveAddresses(t *testing.T) {
	for url, want := range map[string]string{
		"oci://registry.example.com": "invalid reference",
		"file:///etc/passwd":         "has to begin with http",
		"http://[::1":                "no valid URL",
		"//::0/x.tgz":                "no valid URL",
	} {
		h := newHost(t)
		h.put("/index.yaml", indexOf(entry{name: "nova", version: "1.0.0", url: url}))
		_, err := fetch(t, newClient(t, Options{}), h.URL, "nova", "*")
		wantError(t, err, `chart nova "*" from http://`, want)
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v is not ErrAddress", url, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	tests := map[string]struct {
		to   func(n int) string // where the n-th request goes; "" answers it
		want string             // in the error
	}{
		"none":        {func(int) string { return "" }, ""},
		"ten":         {func(n int) string { return map[bool]string{true: fmt.Sprint("/hop/", n)}[n < 10] }, ""},
		"eleven":      {func(n int) string { return map[bool]string{true: fmt.Sprint("/hop/", n)}[n < 11] }, "bad redirect: more than 10 in a row"},
		"without end": {func(n int) string { return fmt.Sprint("/hop/", n) }, "bad redirect: more than 10 in a row"},
		"to a file":   {func(int) string { return "file:///etc/passwd" }, "bad redirect: not an address"},
		"to oci":      {func(int) string { return "oci://registry.example.com/x" }, "bad redirect: not an address"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			n := 0
			h.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				to := tt.to(n)
				n++
				if to == "" {
					io.WriteString(w, indexOf())
					return
				}
				http.Redirect(w, r, to, http.StatusFound)
			})
			_, err := indexAt(t.Context(), newClient(t, Options{}), h.URL)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, "/index.yaml: ", tt.want)
			if n > 11 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestRedirectIsNamed(t *testing.T) {
	h := newHost(t)
	h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login?token=s3cret", http.StatusFound)
	})
	_, err := indexAt(t.Context(), newClient(t, Options{}), h.URL+"?key=s3cret")
	wantError(t, err, "GET "+h.URL+"/index.yaml?...: status 404 Not Found from "+h.URL+"/login?...")
}

// TestSecrets: credentials go to the repository's scheme, host and port alone,
// also after redirects, and so does its query.
func TestSecrets(t *testing.T) {
	const data = "data"
	home, away := newHost(t), newHost(t)
	away.put("/nova.tgz", data)
	home.put("/charts/nova.tgz", data)
	home.handle("/moved.tgz", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, away.URL+"/nova.tgz", http.StatusFound)
	})
	home.handle("/within.tgz", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, home.URL+"/charts/nova.tgz", http.StatusFound)
	})
	for name, tt := range map[string]struct {
		url        string
		home, away int // requests with credentials
	}{
		"relative":            {"nova.tgz", 2, 0},
		"absolute":            {home.URL + "/charts/nova.tgz", 2, 0},
		"redirected within":   {home.URL + "/within.tgz", 3, 0},
		"elsewhere":           {away.URL + "/nova.tgz", 1, 0},
		"redirected away":     {"/moved.tgz", 2, 0}, // from a URL with the query
		"the same scheme":     {strings.TrimPrefix(away.URL, "http:") + "/nova.tgz", 1, 0},
		"its own credentials": {strings.Replace(away.URL, "://", "://bob:hunter2@", 1) + "/nova.tgz", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, h := range []*host{home, away} {
				h.mu.Lock()
				h.headers, h.requests = nil, nil
				h.mu.Unlock()
			}
			home.put("/charts/index.yaml", indexOf(entry{name: "nova", version: "1.0.0", url: tt.url, digest: digestOf(data)}))
			repository := strings.Replace(home.URL, "://", "://ann:hunter2@", 1) + "/charts?key=s3cret"
			got, err := fetch(t, newClient(t, Options{}), repository, "nova", "*")
			if err != nil || got != data {
				t.Fatalf("got %q, %v", got, err)
			}
			if n := withCredentials(home); n != tt.home {
				t.Errorf("%d requests with credentials at home, want %d: %q", n, tt.home, home.asked())
			}
			if n := withCredentials(away); n != tt.away {
				t.Errorf("%d requests with credentials elsewhere, want %d", n, tt.away)
			}
			for i, header := range away.headers {
				if strings.Contains(header.Get("Referer")+away.requests[i], "s3cret") {
					t.Errorf("the query went elsewhere: %s, Referer %q", away.requests[i], header.Get("Referer"))
				}
			}
		})
	}
}

func withCredentials(h *host) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, header := range h.headers {
		if header.Get("Authorization") != "" {
			n++
		}
	}
	return n
}

func TestUserAgent(t *testing.T) {
	for given, want := range map[string]string{"": "chartserve", "chartserve/1.2.3": "chartserve/1.2.3"} {
		h := newHost(t)
		h.put("/index.yaml", indexOf(good("nova", "1.0.0", "data")))
		h.put("/nova-1.0.0.tgz", "data")
		if _, err := fetch(t, newClient(t, Options{UserAgent: given}), h.URL, "nova", "*"); err != nil {
			t.Fatal(err)
		}
		for i, header := range h.headers {
			if got := header.Get("User-Agent"); got != want {
				t.Errorf("%s: User-Agent %q, want %q", h.requests[i], got, want)
			}
		}
	}
}

// TestProxy takes the proxy that TestMain put into the environment.
func TestProxy(t *testing.T) {
	f, err := indexAt(t.Context(), newClient(t, Options{}), "http://charts.invalid")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Entries) != 1 || f.Entries[0].Name != "proxied" {
		t.Errorf("got %v", f.Entries)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"MaxIndex": {MaxIndex: -1}, "MaxArchive": {MaxArchive: -1},
		"Backoff": {Backoff: -1}, "MaxWait": {MaxWait: -1}, "Stall": {Stall: -1},
	} {
		if c, err := New(o); err == nil || c != nil {
			t.Errorf("a negative %s is accepted", name)
		}
	}
}

// FuzzResolve checks what holds for whatever a chart or an index says: requests go
// out by HTTP, and what is secret goes to the repository alone and is never shown.
func FuzzResolve(f *testing.F) {
	for _, ref := range []string{
		"nova-1.0.0.tgz", "../x.tgz", "/x.tgz?v=1", "//other.example.com/x", "https://other.example.com/x", "http:x", "a%2Fb",
		"http://ann:pw@charts.example.com/x", "oci://r/x", "index.yaml", "", "?", "#", "%", "http://[::1]:1/",
	} {
		f.Add("https://ann:hunter2@charts.example.com/a%2Fb/?key=s3cret", ref)
		f.Add("http://charts.example.com", ref)
	}
	f.Fuzz(func(t *testing.T, repository, ref string) {
		at, err := parseRepository(repository)
		if err != nil {
			return
		}
		to, err := at.resolve(ref)
		if err != nil {
			return
		}
		if (to.url.Scheme != "http" && to.url.Scheme != "https") || to.url.Host == "" || to.url.User != nil || to.url.Fragment != "" {
			t.Errorf("%q in %q: got %q", ref, repository, to.url)
		}
		if again, err := url.Parse(to.url.String()); err != nil || again.Host != to.url.Host {
			t.Errorf("%q in %q: %q is read back as %v, %v", ref, repository, to.url, again, err)
		}
		if strings.Contains(to.String(), "@") && !strings.Contains(to.url.Host+to.url.Path, "@") {
			t.Errorf("%q shows a user", to)
		}
		if given, err := url.Parse(ref); err == nil && given.User == nil && to.user != nil && !sameOrigin(to.url, at.url) {
			t.Errorf("%q in %q: credentials go to %q", ref, repository, to.url)
		}
	})
}
