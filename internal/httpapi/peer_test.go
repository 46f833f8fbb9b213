package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// The client is the last hop that is no trusted proxy: what stands before it in
// X-Forwarded-For the client may have made up.
func TestClientOf(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tt := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"nobody's proxy":    {"192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1:1234"},
		"a proxy":           {"10.0.0.1:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"says nothing":      {"10.0.0.1:1234", nil, "10.0.0.1:1234"},
		"two proxies":       {"10.0.0.1:1234", []string{"198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"two headers":       {"10.0.0.1:1234", []string{"198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
		"made up":           {"10.0.0.1:1234", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"},
		"made up, as ours":  {"10.0.0.1:1234", []string{"10.9.9.9, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"no address":        {"10.0.0.1:1234", []string{"198.51.100.7, unknown"}, "10.0.0.1:1234"},
		"no address before": {"10.0.0.1:1234", []string{"x\ny, 10.0.0.2"}, "10.0.0.2"},
		"all of them ours":  {"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"IPv6":              {"[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv4 in IPv6":      {"[::ffff:10.0.0.1]:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"a zone":            {"[fd00::1%eth0]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newLogged(t, Options{TrustedProxies: proxies})
			r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.forwarded
			f.h.ServeHTTP(httptest.NewRecorder(), r)
			if got, want := f.log.String(), "client="+tt.want+" "; !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Without trusted proxies nobody is believed.
func TestForwardedForIsNotBelieved(t *testing.T) {
	f := newLogged(t, Options{})
	f.get("/healthz", "X-Forwarded-For", "198.51.100.7", "Forwarded", "for=198.51.100.7", "X-Real-Ip", "198.51.100.7")
	if got := f.log.String(); !strings.Contains(got, "client=192.0.2.1:1234 ") {
		t.Errorf("got %q", got)
	}
}

func TestAllowedHosts(t *testing.T) {
	some := []string{"charts.site", "*.Example.com", "localhost"}
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8879": true, "LOCALHOST:8879": true, "localhost.:8879": true, "app.localhost": true,
		"127.0.0.1:8879": true, "192.0.2.1": true, "[::1]:8879": true, "[::1]": true, "": true,
		"charts.site": true, "charts.site:80": true, "Charts.Site.": true, "a.example.com": true, "a.b.example.com": true,
		"evil.test": false, "evil.test:8879": false, "localhost.evil.test": false, "notlocalhost": false, "example.com": false,
		"127.0.0.1.evil.test": false, "charts.site.evil.test": false, "x charts.site": false,
		"localhost:80@evil.test": false, "localhost:": true,
	} {
		if got := hostIn(host, some); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

// A browser that was led here under another's name gets nothing, of no path.
func TestOtherHostsAreRefused(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t), AllowedHosts: []string{}})
	for _, host := range []string{"evil.test:8879", "localhost:8879"} {
		walk(t, f, func(_ string, e example) {
			if e.method == http.MethodConnect || e.status == http.StatusRequestEntityTooLarge {
				return
			}
			r := httptest.NewRequest(e.method, e.target, nil)
			r.Host = host
			w := httptest.NewRecorder()
			f.h.ServeHTTP(w, r)
			refused := w.Code == http.StatusMisdirectedRequest
			if refused != (host == "evil.test:8879") {
				t.Errorf("%s %s from %s: %d", e.method, e.target, host, w.Code)
			}
			if body := w.Body.String(); refused && e.method != http.MethodHead && body != errHost.Error()+"\n" && body != `{"error":"`+errHost.Error()+`"}` && body != `{"errors":[{"code":"DENIED","message":"`+errHost.Error()+`"}]}` {
				t.Errorf("%s: got %q", e.target, body)
			}
		})
	}
	if got := newFixture(t, Options{}).get("/healthz"); got.StatusCode != http.StatusOK { // asks for example.com
		t.Errorf("without the option: %s", got.Status)
	}
}

// What is let through names this machine, for whoever reads it as a browser does.
func FuzzHost(f *testing.F) {
	for _, host := range []string{"localhost:8879", "127.0.0.1", "[::1]:80", "app.localhost.", "evil.test", "localhost:80@evil.test", "[::1%25lo]", "127.0.0.1.evil.test:80", "]", "[]", "[localhost"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !hostIn(host, nil) || host == "" {
			return
		}
		u, err := url.Parse("http://" + host)
		if err != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return // no browser sends it
		}
		name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		_, err = netip.ParseAddr(name)
		if err != nil && name != "" && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
			t.Errorf("%q is let through, and leads to %q", host, name)
		}
	})
}

// Whatever is forwarded, the client is the peer or an address, and never one that the
// trusted proxies did not write.
func FuzzForwardedFor(f *testing.F) {
	for _, header := range []string{"", "198.51.100.7", "1.2.3.4, 198.51.100.7,10.0.0.2", ",", "unknown, 10.0.0.1", "fe80::1%eth0"} {
		f.Add(header)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:1234", Header: http.Header{"X-Forwarded-For": {header, "192.0.2.9, 10.0.0.2"}}}
		if got := clientOf(r, proxies); got != "192.0.2.9" {
			t.Errorf("%q: got %s", header, got)
		}
		r.Header.Set("X-Forwarded-For", header)
		got := clientOf(r, proxies)
		if _, err := netip.ParseAddr(got); err != nil && got != r.RemoteAddr {
			t.Errorf("%q: got %q", header, got)
		}
	})
}

// A proxy on a unix socket has no address: it is trusted where that is said.
func TestClientBehindUnixSocket(t *testing.T) {
	for peer, local := range map[string]bool{"@": true, "garbage": false} {
		for _, proxies := range [][]netip.Prefix{nil, {netip.Prefix{}}} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = peer
			r.Header.Set("X-Forwarded-For", "198.51.100.7")
			if local {
				r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, &net.UnixAddr{Net: "unix"}))
			}
			want := peer
			if local && proxies != nil {
				want = "198.51.100.7"
			}
			if got := clientOf(r, proxies); got != want {
				t.Errorf("%s, %v: got %s, want %s", peer, proxies, got, want)
			}
		}
	}
}
