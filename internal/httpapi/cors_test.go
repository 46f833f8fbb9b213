package httpapi

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCORS(t *testing.T) {
	const ui = "https://ui.example.com"
	// What a browser sends for a page of ui.
	page := []string{"Origin", ui, "Sec-Fetch-Site", "cross-site"}
	preflight := append(page, "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization")
	reads := map[string]string{"Allow-Origin": ui, "Expose-Headers": "ETag, Retry-After, Link, Docker-Content-Digest, X-Request-Id"}
	asks := map[string]string{
		"Allow-Origin": ui, "Allow-Methods": "GET, HEAD, POST, PUT, DELETE", "Max-Age": "600",
		"Allow-Headers": "Authorization, Accept, Content-Type, If-Match, If-None-Match, Range, X-Request-Id",
	}
	with := func(all map[string]string, name, value string) map[string]string {
		changed := map[string]string{name: value}
		for n, v := range all {
			if n != name {
				changed[n] = v
			}
		}
		return changed
	}
	for name, tt := range map[string]struct {
		origin, method, target string
		header                 []string
		code                   int
		want                   map[string]string // without Access-Control-
	}{
		"off":                  {"", "GET", "/api/charts", append(page, as("reader")...), 200, nil},
		"off, preflight":       {"", "OPTIONS", "/api/charts", preflight, 401, nil},
		"off, write":           {"", "DELETE", "/api/charts/heat/1.0.0", append(page, as("all")...), 403, nil},
		"read":                 {ui, "GET", "/charts/api/charts", append(page, as("reader")...), 200, reads},
		"read, index":          {ui, "GET", "/charts/index.yaml", append(page, as("reader")...), 200, reads},
		"read, file":           {ui, "GET", "/charts/nova-1.0.0.tgz", append(page, as("reader")...), 200, reads},
		"not there":            {ui, "GET", "/charts/none-1.0.0.tgz", append(page, as("reader")...), 404, reads},
		"no login":             {ui, "GET", "/api/charts", page, 401, reads},
		"preflight":            {ui, "OPTIONS", "/api/charts/heat/1.0.0", preflight, 204, asks},
		"no preflight":         {ui, "OPTIONS", "/api/charts", append(page, as("all")...), 405, reads},
		"write":                {ui, "DELETE", "/api/charts/none/1.0.0", append(page, as("all")...), 404, reads},
		"write from elsewhere": {ui, "DELETE", "/api/charts/none/1.0.0", append([]string{"Origin", "https://other.example.com"}, as("all")...), 403, reads},
		"every page reads":     {"*", "GET", "/api/charts", append(page, as("reader")...), 200, with(reads, "Allow-Origin", "*")},
		"every page, asks":     {"*", "OPTIONS", "/api/charts", preflight, 204, with(with(asks, "Allow-Origin", "*"), "Allow-Methods", "GET, HEAD")},
		"no page writes":       {"*", "DELETE", "/api/charts/none/1.0.0", append(page, as("all")...), 403, with(reads, "Allow-Origin", "*")},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{CORSOrigin: tt.origin, Uploads: uploads(t), Access: guard(t, "")})
			resp := f.do(tt.method, tt.target, tt.header...)
			if resp.StatusCode != tt.code {
				t.Errorf("got %s, want %d", resp.Status, tt.code)
			}
			var got map[string]string
			for _, n := range []string{"Allow-Origin", "Allow-Methods", "Allow-Headers", "Allow-Credentials", "Expose-Headers", "Max-Age"} {
				if v := resp.Header.Get("Access-Control-" + n); v != "" {
					if got == nil {
						got = map[string]string{}
					}
					got[n] = v
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What middleware denies, preflights do not get around.
func TestCORSBehindMiddleware(t *testing.T) {
	deny := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "denied", http.StatusUnauthorized) })
	}
	f := newFixture(t, Options{CORSOrigin: "*", Middleware: []func(http.Handler) http.Handler{deny}})
	resp := f.do("OPTIONS", "/api/charts", "Origin", "https://ui.example.com", "Access-Control-Request-Method", "GET")
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %s, %v", resp.Status, resp.Header)
	}
}

func TestCORSOrigin(t *testing.T) {
	for origin, ok := range map[string]bool{
		"": true, "*": true, "https://ui.example.com": true, "http://localhost:3000": true,
		"ui.example.com": false, "https://ui.example.com/": false, "https://*.example.com": false, "https://UI.example.com": false, "null": false, "https://": false,
	} {
		if _, err := New(newFixture(t, Options{}).src, Options{CORSOrigin: origin}); (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
