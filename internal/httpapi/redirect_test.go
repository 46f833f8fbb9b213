package httpapi

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// certified is a Redirect to hosts of example.com.
func certified() *Redirect {
	return &Redirect{Port: 8443, Certified: func(host string) bool { return host == "example.com" || host == "192.0.2.7" }}
}

// Who comes over plain TCP is led to HTTPS, whatever the path and method, before anything
// else is said; and nowhere that only a Host header names.
func TestRedirect(t *testing.T) {
	asked := 0
	login := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
	for name, c := range map[string]struct {
		allowed      []string
		host, target string
		want         string // empty: 421
	}{
		"certified":             {nil, "example.com", "/charts/index.yaml?x=%2F", "https://example.com:8443/charts/index.yaml?x=%2F"},
		"with a port and a dot": {nil, "EXAMPLE.com.:80", "/", "https://example.com:8443/"},
		"certified address":     {nil, "192.0.2.7", "/", "https://192.0.2.7:8443/"},
		"allowed":               {[]string{"*.site"}, "charts.site", "/a%2Fb", "https://charts.site:8443/a%2Fb"},
		"this machine":          {nil, "[::1]:80", "/", "https://[::1]:8443/"},
		"a path of slashes":     {nil, "example.com", "//evil.test/x", "https://example.com:8443//evil.test/x"},
		"any host":              {nil, "evil.test", "/", ""},
		"not allowed":           {[]string{"*.site"}, "evil.test", "/", ""},
		"another address":       {[]string{"*.site"}, "203.0.113.9", "/", ""},
		"no host":               {[]string{"*"}, "", "/", ""},
		"no name":               {[]string{"*"}, "evil:x.site", "/", ""},
	} {
		f := newFixture(t, Options{Redirect: certified(), AllowedHosts: c.allowed, Middleware: []func(http.Handler) http.Handler{login}})
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			r := httptest.NewRequest(method, "http://x"+c.target, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			f.h.ServeHTTP(w, r)
			code := http.StatusPermanentRedirect
			if c.want == "" {
				code = http.StatusMisdirectedRequest
			}
			if got := w.Header().Get("Location"); got != c.want || w.Code != code {
				t.Errorf("%s, %s: %d to %q, want %d to %q", name, method, w.Code, got, code, c.want)
			}
		}
	}
	if asked != 0 {
		t.Errorf("%d were asked for a password over HTTP", asked)
	}
}

// Over TLS, and on a unix socket, requests are answered.
func TestNoRedirect(t *testing.T) {
	f := newFixture(t, Options{Redirect: certified()})
	unix := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.UnixAddr{Net: "unix"})
	over := httptest.NewRequest(http.MethodGet, "/charts/nova-1.0.0.tgz", nil)
	over.TLS = new(tls.ConnectionState)
	for name, r := range map[string]*http.Request{"TLS": over, "unix": httptest.NewRequest(http.MethodGet, "/charts/nova-1.0.0.tgz", nil).WithContext(unix)} {
		w := httptest.NewRecorder()
		if f.h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("%s: got %d", name, w.Code)
		}
	}
}

// On the wire a request may name anything.
func TestRedirectOverTheWire(t *testing.T) {
	addr := listen(t, newFixture(t, Options{Redirect: certified()}).h)
	for request, want := range map[string]string{
		"OPTIONS * HTTP/1.1\r\nHost: example.com\r\n":                         "https://example.com:8443/",
		"GET http://example.com/x HTTP/1.1\r\nHost: evil.test\r\n":            "https://example.com:8443/x",
		"GET http://evil.test/x HTTP/1.1\r\nHost: example.com\r\n":            "",
		"GET http://example.com@evil.test/ HTTP/1.1\r\nHost: example.com\r\n": "",
	} {
		got := raw(t, addr, request+"Connection: close\r\n\r\n")
		_, location, _ := strings.Cut(got, "\r\nLocation: ")
		location, _, _ = strings.Cut(location, "\r\n")
		if location != want {
			t.Errorf("%q: led to %q, want %q", request, location, want)
		}
	}
}

// FuzzRedirect: whoever is led somewhere is led to HTTPS on a host that is allowed.
func FuzzRedirect(f *testing.F) {
	for _, host := range []string{"example.com", "evil.test", "a.site:80", "evil:x.site", "[::1]", "[fe80::1%25x]:1", "x@evil.site", ".site", "example.com.evil", "a..site"} {
		f.Add(host, "/charts/index.yaml", "a=b")
		f.Add(host, "*", "")
		f.Add(host, ".evil.test", "//")
	}
	h := redirectPlain(certified(), []string{"*.site"})(http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, host, path, query string) {
		r := &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		location := w.Header().Get("Location")
		if location == "" {
			if w.Code != http.StatusMisdirectedRequest {
				t.Errorf("%q: %d", host, w.Code)
			}
			return
		}
		rest, ok := strings.CutPrefix(location, "https://")
		authority, _, _ := strings.Cut(rest, "/")
		name, port, err := net.SplitHostPort(authority)
		ip := net.ParseIP(name)
		if !ok || err != nil || port != "8443" || name != "example.com" && name != "192.0.2.7" && !strings.HasSuffix(name, ".site") && (ip == nil || !ip.IsLoopback()) && name != "localhost" && !strings.HasSuffix(name, ".localhost") || strings.ContainsAny(name, "@/?#%\\ ") {
			t.Errorf("%q, %q: led to %q", host, path, location)
		}
	})
}
