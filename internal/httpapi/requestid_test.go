package httpapi

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var madeID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// A request has the id that its client gave it, where that can be repeated, else one of
// its own: in the answer, whatever that is, and in the log.
func TestRequestID(t *testing.T) {
	uuid := "0b8e3f6a-6c1b-4b60-9f0e-1f2d3c4b5a69"
	for name, tt := range map[string]struct{ sent, want string }{
		"none":     {"", ""},
		"a UUID":   {uuid, uuid},
		"base64":   {"Zm9v+/b=", "Zm9v+/b="},
		"longest":  {strings.Repeat("a", maxID), strings.Repeat("a", maxID)},
		"too long": {strings.Repeat("a", maxID+1), ""},
		"a blank":  {"a b", ""},
		"a line":   {"a\nb", ""},
		"a quote":  {`a"b`, ""},
		"no ASCII": {"é", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newLogged(t, Options{})
			for _, target := range []string{"/charts/nova-1.0.0.tgz", "/none", "/charts/../x"} {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.URL.Path = target
				r.Header[idHeader] = []string{tt.sent}
				w := httptest.NewRecorder()
				f.h.ServeHTTP(w, r)
				got := w.Result().Header[idHeader]
				if len(got) != 1 || tt.want != "" && got[0] != tt.want || tt.want == "" && !madeID.MatchString(got[0]) {
					t.Fatalf("%s: got %q, want %q", target, got, tt.want)
				}
				if log := f.log.String(); strings.Count(log, " requestID="+got[0]+"\n")+strings.Count(log, " requestID=\""+got[0]+"\"\n") == 0 {
					t.Errorf("%s: log %q, want %q", target, log, got[0])
				}
			}
		})
	}
}

// Requests without an id get different ones.
func TestRequestIDsDiffer(t *testing.T) {
	f := newFixture(t, Options{})
	seen := map[string]bool{}
	for range 1000 {
		seen[f.get("/healthz").Header.Get(idHeader)] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d ids for 1000 requests", len(seen))
	}
}

// What fails is logged under the id that its client was told.
func TestRequestIDOfErrors(t *testing.T) {
	f := newFixture(t, Options{Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Panic") != "" {
				panic("oops")
			}
			next.ServeHTTP(w, r)
		})
	}}})
	got := f.get("/healthz", "X-Panic", "yes", idHeader, "panicked")
	if got.StatusCode != 500 || got.Header.Get(idHeader) != "panicked" || !strings.Contains(f.log.String(), " requestID=panicked ") {
		t.Errorf("got %s, %q; log %q", got.Status, got.Header, f.log.String())
	}
}

func FuzzRequestID(f *testing.F) {
	f.Add("a\r\nb")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, sent string) {
		id := idOf(&http.Request{Header: http.Header{idHeader: {sent}}})
		if !regexp.MustCompile(`^[A-Za-z0-9._~:+/=@-]{1,128}$`).MatchString(id) || id != sent && !madeID.MatchString(id) {
			t.Errorf("%q becomes %q", sent, id)
		}
	})
}
