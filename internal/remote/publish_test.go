package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"chartserve/internal/index"
)

func TestAPIPath(t *testing.T) {
	tests := map[string]struct{ path, context, want string }{
		"chartserve":             {"/charts", "/charts", "/charts/api"},
		"its root":               {"", "/charts", "/charts/api"},
		"one of several":         {"/charts/a", "/charts", "/charts/api/a"},
		"a tenant":               {"/charts/org/repo", "/charts", "/charts/api/org/repo"},
		"a tenant at the root":   {"/org/repo", "", "/api/org/repo"},
		"the root":               {"", "", "/api"},
		"slashes":                {"/charts/a", "charts/", "/charts/api/a"},
		"a deep context":         {"/a/b/c", "/a/b", "/a/b/api/c"},
		"behind a proxy":         {"/site/charts/a", "/charts", "/site/charts/api/a"},
		"a name that begins so":  {"/charts-old", "/charts", "/charts/api/charts-old"},
		"of a tenant's own name": {"/charts/charts", "/charts", "/charts/api/charts"},
		"dots":                   {"/charts", "/../x", ""},
		"a host":                 {"/charts", "/a//b", ""},
		"a query":                {"/charts", "/a?b", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := apiPath(tt.path, tt.context)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// museum answers like ChartMuseum with one version, whose digest may be set.
func museum(t *testing.T, digest string) *host {
	h := newHost(t)
	h.put("/charts/index.yaml", indexOf()+"serverInfo: {contextPath: /charts}\n")
	h.put("/charts/api/charts/nova/1.0.0", `{"name":"nova","version":"1.0.0","urls":["charts/nova-1.0.0.tgz"],"digest":"`+digest+`"}`)
	h.handle("/charts/api/charts", answer(201, `{"saved":true}`))
	return h
}

func answer(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func upload(t *testing.T, h *host, o Options, u *Upload) (Published, error) {
	t.Helper()
	api, err := newClient(t, o).FindAPI(t.Context(), h.URL+"/charts", "")
	if err != nil {
		t.Fatal(err)
	}
	if u.Archive == nil {
		u.Name, u.Version, u.Archive, u.Size, u.Digest = "nova", "1.0.0", strings.NewReader("data"), 4, digestOf("data")
	}
	h.reset()
	return api.Publish(t.Context(), u)
}

// What a server may answer to an upload, and what becomes of it.
func TestPublishAnswers(t *testing.T) {
	same, other := digestOf("data"), digestOf("other")
	const exists = `{"error":"file already exists"}`
	tests := map[string]struct {
		handler   http.HandlerFunc
		digest    string // that it lists
		posts     int
		want      string // in the error; empty: none
		unchanged bool
	}{
		"saved":                   {answer(201, `{"saved":true}`), same, 1, "", false},
		"saved, not said":         {answer(202, ""), same, 1, "", false},
		"the same":                {answer(200, `{"saved":true}`), same, 1, "", true},
		"a page for everything":   {answer(200, "<html>log in</html>"), same, 1, "not that of a chart repository's API", false},
		"saved, other bytes":      {answer(201, `{"saved":true}`), other, 1, "what is served is not what was sent: its SHA-256 is " + other, false},
		"saved, no digest":        {answer(201, `{"saved":true}`), "", 1, "what is served is not what was sent", false},
		"there, the same":         {answer(409, exists), same, 1, "", true},
		"there, other bytes":      {answer(409, exists), other, 1, "status 409 Conflict: file already exists (", false},
		"unauthorized":            {answer(401, `{"error":"unauthorized"}`), same, 1, "status 401 Unauthorized: unauthorized (credentials for http", false},
		"forbidden":               {answer(403, "forbidden\n"), same, 1, "status 403 Forbidden: forbidden (it may need", false},
		"no API":                  {answer(404, `{"error":"not found"}`), same, 1, "status 404 Not Found: not found", false},
		"too large":               {answer(413, "request too large"), same, 1, "status 413 Request Entity Too Large: request too large", false},
		"bad":                     {answer(400, `{"error":"gzip: invalid\nheader"}`), same, 1, "status 400 Bad Request: gzip: invalid header", false},
		"broken":                  {answer(500, `{"error":"x"}`), same, 1, "status 500 Internal Server Error: x", false},
		"full":                    {answer(507, "repo has reached storage limit"), same, 1, "storage limit", false},
		"busy":                    {failTimes(2, answer(429, ""), `{"saved":true}`), same, 3, "", true},
		"starting":                {failTimes(1, status(503, "Retry-After", "0"), `{"saved":true}`), same, 2, "", true},
		"always starting":         {answer(503, "starting"), same, 3, "tried 3 times: status 503 Service Unavailable: starting", false},
		"asks for an hour":        {status(503, "Retry-After", "3600"), same, 1, "wait for 1h", false},
		"a gateway, the server":   {failTimes(1, answer(502, "<html>"), `{"saved":true}`), same, 2, "", false},
		"lost, and there":         {thenAnswer(cutAfter(0, ""), answer(409, exists)), same, 2, "", false},
		"lost, there with others": {thenAnswer(cutAfter(0, ""), answer(409, exists)), other, 2, "status 409 Conflict", false},
		"moved":                   {status(301, "Location", "https://charts.example.com/charts"), same, 1, "bad redirect: it leads to https://charts.example.com/charts (give the", false},
		"found":                   {status(302, "Location", "/charts/index.yaml"), same, 1, "bad redirect", false},
		"another place":           {status(308, "Location", "/charts/api/x"), same, 1, "bad redirect", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := museum(t, tt.digest)
			h.handle("/charts/api/charts", tt.handler)
			got, err := upload(t, h, Options{Retries: 2}, new(Upload))
			asked := strings.Join(h.asked(), "\n")
			if posts := strings.Count(asked, "POST "); posts != tt.posts {
				t.Errorf("%d uploads, want %d: %s", posts, tt.posts, asked)
			}
			if n := strings.Count(asked, "GET "); name == "there, other bytes" && n != 1 {
				t.Errorf("it is compared %d times, and nothing will change", n)
			}
			switch {
			case tt.want != "":
				wantError(t, err, tt.want)
			case err != nil || got != Published{Unchanged: tt.unchanged, Compared: true}:
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func thenAnswer(first, then http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first(w, r)
			return
		}
		then(w, r)
	}
}

// What is sent: the archive as it is, or a form; the query of the repository goes along,
// and progress counts what arrived once.
func TestPublishSends(t *testing.T) {
	for name, tt := range map[string]struct {
		prov, query, want string
		force             bool
	}{
		"an archive": {want: "/charts/api/charts"},
		"a form":     {prov: "signed", want: "/charts/api/charts"},
		"force":      {force: true, want: "/charts/api/charts?force"},
		"a key":      {force: true, query: "?key=hunter2", want: "/charts/api/charts?key=hunter2&force"},
	} {
		t.Run(name, func(t *testing.T) {
			h := museum(t, digestOf("data"))
			h.put("/charts/charts/nova-1.0.0.tgz.prov", tt.prov)
			got := ""
			h.handle("/charts/api/charts", thenAnswer(cutAfter(0, ""), func(w http.ResponseWriter, r *http.Request) {
				got = r.URL.RequestURI()
				sent := map[string]string{}
				if tt.prov == "" {
					data, _ := io.ReadAll(r.Body)
					sent["chart"] = string(data)
				} else {
					for _, field := range []string{"chart", "prov"} {
						f, _, err := r.FormFile(field)
						if err != nil {
							t.Error(err)
							return
						}
						data, _ := io.ReadAll(f)
						sent[field] = string(data)
					}
				}
				if r.ContentLength < 4 || sent["chart"] != "data" || sent["prov"] != tt.prov {
					t.Errorf("got %d bytes, %q", r.ContentLength, sent)
				}
				w.WriteHeader(201)
			}))
			var told atomic.Int64
			api, err := newClient(t, Options{Progress: func(n int64) { told.Add(n) }}).FindAPI(t.Context(), h.URL+"/charts"+tt.query, "")
			if err != nil {
				t.Fatal(err)
			}
			u := &Upload{Name: "nova", Version: "1.0.0", Archive: strings.NewReader("data"), Size: 4, Digest: digestOf("data"), Force: tt.force}
			if tt.prov != "" {
				u.Provenance = []byte(tt.prov)
			}
			p, err := api.Publish(t.Context(), u)
			if err != nil || !p.Compared || got != tt.want {
				t.Errorf("got %q, %+v, %v", got, p, err)
			}
			body, _ := u.payload()
			if told.Load() != body.size {
				t.Errorf("told of %d bytes, want %d", told.Load(), body.size)
			}
		})
	}
}

// What the server serves as provenance counts too.
func TestPublishProvenance(t *testing.T) {
	const path = "/charts/charts/nova-1.0.0.tgz.prov"
	for name, tt := range map[string]struct {
		served string
		asGood bool
		want   string
	}{
		"the same":        {"signed", false, ""},
		"none":            {"", false, "there is no provenance at "},
		"another":         {"other", false, "its provenance is not"},
		"another as good": {"other", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := museum(t, digestOf("data"))
			h.put(path, tt.served)
			_, err := upload(t, h, Options{Retries: -1}, &Upload{Provenance: []byte("signed"), AsGood: func([]byte) bool { return tt.asGood }})
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if wantError(t, err, tt.want); !errors.Is(err, ErrServed) {
				t.Errorf("%v is not ErrServed", err)
			}
		})
	}
}

// A list that comes a little later is waited for; who may not read it learns nothing.
func TestPublishCompares(t *testing.T) {
	const path = "/charts/api/charts/nova/1.0.0"
	late := museum(t, "")
	late.handle(path, failTimes(2, answer(404, ""), `{"version":"1.0.0","digest":"`+digestOf("data")+`"}`))
	if p, err := upload(t, late, Options{}, new(Upload)); err != nil || !p.Compared {
		t.Errorf("got %+v, %v", p, err)
	}
	build := museum(t, "")
	build.put(path, `{"version":"1.0.0+b","digest":"`+digestOf("data")+`"}`)
	_, err := upload(t, build, Options{Retries: 1}, new(Upload))
	wantError(t, err, "tried 2 times: what is served is not what was sent: nova 1.0.0 is not listed")
	for _, code := range []int{401, 403} {
		h := museum(t, "")
		h.handle(path, status(code))
		if p, err := upload(t, h, Options{}, new(Upload)); err != nil || p.Compared {
			t.Errorf("%d: got %+v, %v", code, p, err)
		}
	}
}

// A server that takes nothing in is not waited for for ever; one that is slow is.
func TestPublishStalls(t *testing.T) {
	t.Parallel()
	h := museum(t, digestOf("data"))
	over := make(chan struct{})
	h.handle("/charts/api/charts", func(http.ResponseWriter, *http.Request) { <-over })
	const size = 32 << 20 // more than buffers take
	u := &Upload{Name: "nova", Version: "1.0.0", Archive: strings.NewReader(strings.Repeat("x", size)), Size: size, Digest: digestOf("data")}
	start := time.Now()
	_, err := upload(t, h, Options{Retries: -1, Stall: 1500 * time.Millisecond}, u)
	close(over)
	wantError(t, err, "POST http://", "it stopped sending")
	if spent := time.Since(start); spent > 15*time.Second {
		t.Errorf("it took %v", spent)
	}
	h.handle("/charts/api/charts", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(2 * time.Second) // more than Stall: it is at work
		w.WriteHeader(201)
	})
	if _, err := upload(t, h, Options{Retries: -1, Stall: time.Second}, new(Upload)); err != nil {
		t.Error(err)
	}
}

// A large archive is not sent to a server that refuses it at once.
func TestPublishAsksFirst(t *testing.T) {
	h := museum(t, digestOf("data"))
	h.handle("/charts/api/charts", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond) // in which a client would send
		w.Header().Set("Connection", "close")
		w.WriteHeader(413)
	})
	var told atomic.Int64
	u := &Upload{Name: "nova", Version: "1.0.0", Archive: strings.NewReader(strings.Repeat("x", 8<<20)), Size: 8 << 20, Digest: digestOf("data")}
	_, err := upload(t, h, Options{Progress: func(n int64) { told.Add(max(n, 0)) }}, u)
	wantError(t, err, "status 413")
	if told.Load() > 0 {
		t.Errorf("%d bytes were sent", told.Load())
	}
}

func TestRemove(t *testing.T) {
	const path = "/charts/api/charts/nova/1.0.0+b"
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"deleted":        {answer(200, `{"deleted":true}`), ""},
		"lost, and gone": {thenAnswer(cutAfter(0, ""), answer(404, "")), ""},
		"not there":      {answer(404, `{"error":"no chart version found"}`), "status 404 Not Found: no chart version found"},
		"busy, no such":  {thenAnswer(answer(503, ""), answer(404, "")), "status 404"},
		"held":           {answer(409, `{"error":"the version comes from a SOURCE: a"}`), "status 409 Conflict: the version comes from a SOURCE: a"},
		"a page":         {answer(200, "<html>"), "not that of a chart repository's API"},
		"moved":          {status(302, "Location", "/charts/index.yaml"), "bad redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			h := museum(t, "")
			h.handle(path, tt.handler)
			api, err := newClient(t, Options{}).FindAPI(t.Context(), h.URL+"/charts/", "")
			if err != nil {
				t.Fatal(err)
			}
			if err = api.Remove(t.Context(), "nova", "1.0.0+b"); tt.want != "" {
				wantError(t, err, "DELETE http://", tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReasonHasNoSecrets: a server that repeats what it got is not repeated.
func TestReasonHasNoSecrets(t *testing.T) {
	for name, say := range map[string]func(*http.Request) string{
		"the header":   func(r *http.Request) string { return "bad login " + r.Header.Get("Authorization") },
		"the password": func(r *http.Request) string { _, p, _ := r.BasicAuth(); return "no user with " + p },
		"the query":    func(r *http.Request) string { return "not at " + r.URL.RequestURI() },
	} {
		t.Run(name, func(t *testing.T) {
			h := museum(t, "")
			h.handle("/charts/api/charts", func(w http.ResponseWriter, r *http.Request) { http.Error(w, say(r), 400) })
			c := newClient(t, Options{Logins: []Login{{Origin: h.URL, Username: "ann", Password: "hunter2"}}})
			api, err := c.FindAPI(t.Context(), h.URL+"/charts?key=s3cret", "")
			if err != nil {
				t.Fatal(err)
			}
			_, err = api.Publish(t.Context(), &Upload{Name: "nova", Version: "1.0.0", Archive: strings.NewReader("x"), Size: 1})
			wantError(t, err, "status 400 Bad Request")
			if basic := "YW5uOmh1bnRlcjI="; strings.Contains(err.Error(), basic) || strings.Contains(err.Error(), "with") {
				t.Errorf("it shows the secret: %v", err)
			}
		})
	}
}

func TestFindAPI(t *testing.T) {
	h := museum(t, "")
	c := newClient(t, Options{})
	_, err := c.FindAPI(t.Context(), h.URL+"/none", "")
	wantError(t, err, "/none/index.yaml: status 404", "no chart repository is there")
	_, err = c.FindAPI(t.Context(), "oci://charts.example.com/x", "")
	wantError(t, err, "no repository with an index")
	h.put("/evil/index.yaml", indexOf()+"serverInfo: {contextPath: ../../x}\n")
	_, err = c.FindAPI(t.Context(), h.URL+"/evil", "")
	wantError(t, err, "context path")
	h.reset()
	api, err := c.FindAPI(t.Context(), h.URL+"/charts/team", "/charts")
	if err != nil || len(h.asked()) > 0 || api.at("charts").url.Path != "/charts/api/team/charts" {
		t.Errorf("got %v, %v after %q", api, err, h.asked())
	}
}

func FuzzReason(f *testing.F) {
	for _, s := range []string{"", "not found\n", `{"error":"file already exists"}`, `{"error":3}`, "<html>", "\x1b[31mred", "a\u202eb", strings.Repeat("\u00e4", 300), `[1]`, "\xff\xfe", `"text"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := reason(body)
		bad := func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
		}
		if len(got) > maxReason || !utf8.ValidString(got) || strings.ContainsFunc(got, bad) || got != strings.TrimSpace(got) {
			t.Errorf("got %q", got)
		}
	})
}

// The answer of the API about a version may be anything.
func FuzzListed(f *testing.F) {
	f.Add(`{"version":"1.0.0","digest":"`+digestOf("data")+`","urls":["a.tgz"]}`, true)
	f.Add(`{"version":"1.0.0","digest":"`+digestOf("data")+`","urls":["::"]}`, true)
	f.Add(`null`, false)
	f.Fuzz(func(t *testing.T, body string, prov bool) {
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r, Header: http.Header{}}, nil
		})
		at, err := parseRepository("http://charts.example.com")
		if err != nil {
			t.Fatal(err)
		}
		a := &API{c: newClient(t, Options{Retries: -1}).over(base), repository: at, base: at.withPath("/api")}
		u := &Upload{Name: "nova", Version: "1.0.0", Digest: digestOf("data")}
		if prov {
			u.Provenance = []byte(fmt.Sprint(body, "x")) // never what is served
		}
		if same, err := a.compare(t.Context(), u, false); same && (prov || !strings.Contains(strings.ToLower(body), u.Digest)) || same == (err != nil) {
			t.Errorf("got %v, %v", same, err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The index says where the API is, in YAML and in JSON.
func TestContextPath(t *testing.T) {
	for name, text := range map[string]string{
		"yaml":  "apiVersion: v1\nentries: {}\nserverInfo:\n  contextPath: \"/charts\"\n",
		"json":  `{"apiVersion":"v1","entries":{},"serverInfo":{"contextPath":"/charts"}}`,
		"empty": "apiVersion: v1\nentries: {}\nserverInfo: {}\n",
		"other": "apiVersion: v1\nentries: {}\nserverInfo: [1]\n",
		"types": "apiVersion: v1\nentries: {}\nserverInfo: {contextPath: 3}\n",
	} {
		f, err := index.Decode([]byte(text))
		want := map[string]string{"yaml": "/charts", "json": "/charts"}[name]
		if err != nil || f.ContextPath != want {
			t.Errorf("%s: got %q, %v", name, f.ContextPath, err)
		}
	}
}
