package httpapi

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"chartserve/internal/access"
	"chartserve/internal/repo"
)

// secrets are the passwords of the users that guard makes.
var secrets = map[string]string{"reader": "s3cret-r", "writer": "s3cret-w", "all": "s3cret-a", "a": "b"}

// guard knows reader, writer, all, and a, who has no rights. more are lines of the access
// file.
func guard(t testing.TB, more string) *access.Guard {
	t.Helper()
	return guardOf(t, more, "- {names: [reader], rights: [read]}")
}

// guardOf has another grant of reader.
func guardOf(t testing.TB, more, reader string) *access.Guard {
	t.Helper()
	g, _ := guardIn(t, more, reader)
	return g
}

// guardIn also returns where the files are.
func guardIn(t testing.TB, more, reader string) (g *access.Guard, dir string) {
	t.Helper()
	users := ""
	dir = t.TempDir()
	for name, secret := range secrets {
		sum := sha1.Sum([]byte(secret))
		users += name + ":{SHA}" + base64.StdEncoding.EncodeToString(sum[:]) + "\n"
	}
	rules := more + `
htpasswd: [users]
grants:
` + reader + `
- {names: [writer], rights: [upload], charts: ["web-*"]}
- {names: [all], rights: [read, upload, delete]}
`
	for name, text := range map[string]string{"users": users, "access.yaml": rules} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, err := access.New(access.Options{File: filepath.Join(dir, "access.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return g, dir
}

// as is the header of a user.
func as(name string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secrets[name]))}
}

const challenge = `Basic realm="chartserve"`

func TestLogin(t *testing.T) {
	wrong := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("reader:x"))}
	for name, tt := range map[string]struct {
		more, method, target string
		header               []string
		code                 int
		body                 string // not looked at where empty
	}{
		"nobody":                {"", "GET", "/charts/index.yaml", nil, 401, "unauthorized\n"},
		"nobody, API":           {"", "GET", "/api/charts", nil, 401, `{"error":"unauthorized"}`},
		"nobody, HEAD":          {"", "HEAD", "/charts/index.yaml", nil, 401, ""},
		"nobody writes":         {"", "DELETE", "/charts/api/charts/nova/1.0.0", nil, 401, `{"error":"unauthorized"}`},
		"skopeo's nobody":       {"", "GET", "/status", []string{"Authorization", "Basic Og=="}, 401, ""},
		"wrong password":        {"", "GET", "/charts/index.yaml", wrong, 401, "unauthorized\n"},
		"reader":                {"", "GET", "/charts/index.yaml", as("reader"), 200, ""},
		"reader, archive":       {"", "GET", "/charts/nova-1.0.0.tgz", as("reader"), 200, "nova 1.0.0"},
		"reader, part":          {"", "GET", "/charts/large-1.0.0.tgz", append(as("reader"), "Range", "bytes=0-3"), 206, "0123"},
		"reader writes":         {"", "POST", "/api/charts", as("reader"), 403, `{"error":"reader may not upload charts"}`},
		"writer reads":          {"", "GET", "/charts/index.yaml", as("writer"), 403, "writer may not read charts\n"},
		"without rights":        {"", "GET", "/charts/index.yaml", as("a"), 403, "a may not read charts\n"},
		"alive":                 {"", "GET", "/healthz", nil, 200, "ok\n"},
		"alive, whoever":        {"", "GET", "//healthz", wrong, 200, "ok\n"},
		"ready":                 {"", "HEAD", "/readyz", nil, 200, ""},
		"health":                {"", "GET", "/charts/health", nil, 200, `{"healthy":true}`},
		"not alive":             {"", "POST", "/healthz", nil, 401, ""},
		"below health":          {"", "GET", "/health/x", nil, 401, ""},
		"no such path":          {"", "GET", "/charts/none", nil, 401, ""},
		"bad path":              {"", "GET", "/.state", nil, 401, ""},
		"info":                  {"", "GET", "/info", nil, 401, ""},
		"anonymous":             {"anonymousRead: true", "GET", "/charts/index.yaml", nil, 200, ""},
		"anonymous, OPTIONS":    {"anonymousRead: true", "OPTIONS", "/charts/index.yaml", nil, 405, ""},
		"anonymous writes":      {"anonymousRead: true", "POST", "/api/charts", nil, 401, `{"error":"unauthorized"}`},
		"anonymous, PUT":        {"anonymousRead: true", "PUT", "/charts/nova-1.0.0.tgz", nil, 401, "unauthorized\n"},
		"anonymous, other":      {"anonymousRead: true", "BREW", "/charts/index.yaml", nil, 401, ""},
		"wrong where all read":  {"anonymousRead: true", "GET", "/charts/index.yaml", wrong, 401, ""},
		"writer where all read": {"anonymousRead: true", "GET", "/charts/index.yaml", as("writer"), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{Uploads: uploads(t), Access: guard(t, tt.more)})
			got := f.do(tt.method, tt.target, tt.header...)
			if body := text(t, got); got.StatusCode != tt.code || tt.body != "" && body != tt.body {
				t.Errorf("got %d %.80q, want %d %q", got.StatusCode, body, tt.code, tt.body)
			}
			if asked := got.Header.Get("WWW-Authenticate"); (asked == challenge) != (tt.code == 401) {
				t.Errorf("challenge: %q", asked)
			}
			if tt.code >= 400 && tt.code != 405 && (got.Header.Get("Etag") != "" || got.Header.Get("Cache-Control") != "no-store") {
				t.Errorf("the refusal may be cached: %v", got.Header)
			}
		})
	}
}

// Every route, in every way, needs a login, but for the few that ask how the server is;
// and who logs in without rights gets nothing either.
func TestNothingWithoutLogin(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t), URL: "https://charts.example.org", Sitemap: true, Access: guard(t, "")})
	addr := listen(t, f.h)
	open := map[string]bool{"/healthz": true, "/readyz": true, "/health": true, "/charts/health": true}
	refused := 0
	walk(t, f, func(pattern string, e example) {
		for way, headers := range ways() {
			got := exchange(t, dial(t, addr), e.wire("1.1", headers))
			want := "401 Unauthorized"
			if strings.Contains(headers, "Authorization: Basic YTpi") {
				want = "403 Forbidden" // a:b has no rights
			}
			if open[pattern] {
				if strings.HasPrefix(got.Status, "401") || strings.HasPrefix(got.Status, "403") {
					t.Errorf("%s: %s %s: got %s", way, e.method, e.target, got.Status)
				}
				continue
			}
			refused++
			body := strings.ReplaceAll(got.Body, "a may not ", "")
			if got.Status != want || got.Header.Get("Etag") != "" || len(body) > 80 || strings.Contains(body, "nova") {
				t.Errorf("%s: %s %s: got %s, %.80q", way, e.method, e.target, got.Status, got.Body)
			}
		}
	})
	if refused < 200 {
		t.Errorf("only %d requests were refused", refused)
	}
}

// Where everybody may read, nobody sees a difference, but who writes.
func TestAnonymousRead(t *testing.T) {
	o := Options{Uploads: uploads(t)}
	open := newFixture(t, o)
	o.Access = guard(t, "anonymousRead: true")
	f := newFixture(t, o)
	walk(t, f, func(pattern string, e example) {
		r := func() *http.Request { return httptest.NewRequest(e.method, "http://localhost"+e.target, nil) }
		if e.method == "CONNECT" || e.target == "*" {
			return
		}
		got, want := httptest.NewRecorder(), httptest.NewRecorder()
		f.h.ServeHTTP(got, r())
		open.h.ServeHTTP(want, r())
		code := want.Code
		if !reads(r()) || pattern == "/v2/" || strings.HasSuffix(pattern, "/uploads/{id}") { // it asks for a login: see TestLoginToRegistry
			code = 401
		}
		if got.Code != code || code != 401 && got.Header().Get("Cache-Control") != want.Header().Get("Cache-Control") {
			t.Errorf("%s %s: got %d %v, want %d", e.method, e.target, got.Code, got.Header(), code)
		}
	})
}

// What needs a login no cache that others use may keep.
func TestPrivateAnswers(t *testing.T) {
	digest := strings.Trim(etagOf(contents()["nova-1.0.0.tgz"]), `"`)
	for target, want := range map[string]string{
		"/charts/index.yaml":      "no-cache",
		"/charts/":                "no-cache",
		"/charts/nova-1.0.0.tgz":  "no-cache",
		"/charts/large-1.0.0.tgz": "no-cache",
		"/charts/by-digest/" + digest + "/nova-1.0.0.tgz": "max-age=31536000, immutable",
		"/charts/api/charts/heat/1.0.0/values":            "no-cache",
		"/charts/favicon.svg":                             "max-age=86400",
	} {
		f := newFixture(t, Options{Access: guard(t, "")})
		for _, header := range [][]string{nil, {"If-None-Match", "*"}, {"Range", "bytes=0-0"}} {
			got := f.get(target, append(as("reader"), header...)...)
			if cache := got.Header.Get("Cache-Control"); got.StatusCode >= 400 || cache != "private, "+want {
				t.Errorf("%s with %v: %d, %q, want private, %s", target, header, got.StatusCode, cache, want)
			}
		}
		open := newFixture(t, Options{Access: guard(t, "anonymousRead: true")})
		if cache := open.get(target, as("reader")...).Header.Get("Cache-Control"); strings.Contains(cache, "private") {
			t.Errorf("%s, which everybody may read: %q", target, cache)
		}
	}
	f := newFixture(t, Options{Access: guard(t, "")})
	if cache := f.get("/status", as("reader")...).Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("/status: %q", cache)
	}
}

// Who may not upload or delete a chart of that name hears so, and nothing has changed.
func TestRights(t *testing.T) {
	log := &lockedBuffer{}
	u := newUploader(t, Options{Access: guard(t, ""), Logger: newLogger(log)}, repo.Options{})
	for _, tt := range []struct {
		who, method, target, chart string
		code                       int
		body                       string
	}{
		{"writer", "POST", "/api/charts", "web-a", 201, isSaved},
		{"writer", "POST", "/api/charts", "db", 403, `{"error":"writer may not upload charts of the name db"}`},
		{"writer", "PUT", "/charts/web-a-2.0.0.tgz", "web-a", 400, "web-a-2.0.0.tgz is the name of another chart"},
		{"writer", "PUT", "/charts/db-1.0.0.tgz", "db", 403, "writer may not upload charts of the name db\n"},
		{"writer", "POST", "/api/prov", "db", 403, `{"error":"writer may not upload`},
		{"writer", "DELETE", "/api/charts/web-a/1.0.0", "", 403, `{"error":"writer may not delete charts"}`},
		{"reader", "DELETE", "/api/charts/web-a/1.0.0", "", 403, "reader may not delete charts"},
		{"", "PUT", "/charts/web-b-1.0.0.tgz", "web-b", 401, "unauthorized"},
		{"all", "PUT", "/charts/db-1.0.0.tgz", "db", 201, isSaved},
		{"all", "DELETE", "/api/charts/web-a/1.0.0", "", 200, isDeleted},
	} {
		data := chartArchive(t, tt.chart, "1.0.0", nil)
		if tt.target == "/api/prov" {
			data = []byte(provenanceOf(tt.chart, "1.0.0", data))
		}
		var header []string
		if tt.who != "" {
			header = as(tt.who)
		}
		code, body := u.do(tt.method, tt.target, bytes.NewReader(data), header...)
		u.want(code, body, tt.code, tt.body)
	}
	if v := u.r.View(); v.Chart("db") == nil || v.Chart("web-a") != nil || v.Chart("web-b") != nil {
		t.Error("something else was published")
	}
	for _, want := range []string{
		"msg=write user=writer client=192.0.2.1:1234 method=POST path=/api/charts status=201 ", "chart=web-a version=1.0.0\n",
		`msg=write user=writer client=192.0.2.1:1234 method=PUT path=/charts/web-a-2.0.0.tgz status=400 `, `chart=web-a version=1.0.0 reason="web-a-2.0.0.tgz is the name of another chart`,
		"msg=refused user=writer client=192.0.2.1:1234 method=PUT path=/charts/db-1.0.0.tgz status=403 ", `chart=db version=1.0.0 reason="writer may not upload`,
		`msg=refused user="" client=192.0.2.1:1234 method=PUT path=/charts/web-b-1.0.0.tgz status=401 `, `reason="unauthorized: no login"`,
		`msg=refused user=reader `, `msg=write user=all client=192.0.2.1:1234 method=DELETE path=/api/charts/web-a/1.0.0 status=200 `,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	if got := strings.Count(log.String(), "msg=write ") + strings.Count(log.String(), "msg=refused "); got != 10 {
		t.Errorf("%d lines for 10 requests:\n%s", got, log)
	}
}

// The log says why an upload was refused.
func TestRefusedUploadsAreLogged(t *testing.T) {
	log := &lockedBuffer{}
	u := newUploader(t, Options{Logger: newLogger(log), Uploads: Uploads{MaxSize: 1500}}, repo.Options{})
	one := chartArchive(t, "nova", "1.0.0", nil)
	for _, body := range [][]byte{one, one[:100], chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": "a: 1\n"}), make([]byte, 2000)} {
		u.do("POST", "/api/charts", bytes.NewReader(body))
	}
	for _, want := range []string{`status=400 \S+ reason="cut short`, `status=409 \S+ chart=nova version=1.0.0 reason="file already exists"`, `status=413 \S+ reason="request too large"`} {
		if !regexp.MustCompile("msg=write .* " + want).MatchString(log.String()) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

// Whatever a client sends as a secret, in whatever place, is in no log and no answer.
func TestLoginLeaks(t *testing.T) {
	const secret = "hunter2hunter2"
	f := newLogged(t, Options{Uploads: uploads(t), Access: guard(t, "anonymousRead: true")})
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, value := range []string{basic("reader:" + secret), basic(secret + ":x"), basic(secret), "Bearer " + secret, secret, "Digest " + secret, basic(secret + ":")} {
		for _, target := range []string{"/charts/index.yaml", "/api/charts", "/status"} {
			got := f.get(target, "Authorization", value)
			if body := text(t, got); got.StatusCode != 401 && got.StatusCode != 429 || strings.Contains(body+fmt.Sprint(got.Header), secret) {
				t.Errorf("%.10s: %d %s", value, got.StatusCode, body)
			}
		}
	}
	for _, name := range []string{"reader", "all"} {
		f.get("/status", as(name)...)
		f.do("DELETE", "/api/charts/none/1.0.0", as(name)...)
	}
	log := f.log.String()
	for _, s := range append([]string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:12]}, secrets["reader"], secrets["all"]) {
		if strings.Contains(log, s) {
			t.Errorf("the log holds %s:\n%s", s, log)
		}
	}
	if !strings.Contains(log, "msg=refused user=reader ") || !regexp.MustCompile(`msg=request .*status=200 .* user=reader\n`).MatchString(log) {
		t.Errorf("the log does not say who it was:\n%s", log)
	}
}

// Who guesses is slowed down, and told when to come back.
func TestManyWrongLogins(t *testing.T) {
	f := newFixture(t, Options{})
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		codes := map[int]int{}
		var wg sync.WaitGroup
		g, err := access.New(access.Options{User: "ann", Password: "s3cret"})
		if err != nil {
			t.Fatal(err)
		}
		h, err := New(f.src, Options{Access: g})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			wg.Go(func() {
				r, w := httptest.NewRequest("GET", "/charts/index.yaml", nil), httptest.NewRecorder()
				r.SetBasicAuth("ann", fmt.Sprint(i))
				h.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
				if w.Code == 429 && w.Header().Get("Retry-After") != "5" {
					t.Errorf("%v", w.Header())
				}
			})
		}
		wg.Wait()
		if codes[401] < 10 || codes[429] < 60 || len(codes) != 2 {
			t.Errorf("got %v", codes)
		}
	})
}

func TestStatusNamesAccessProblem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("all:{SHA}" + base64.StdEncoding.EncodeToString(func() []byte { s := sha1.Sum([]byte(secrets["all"])); return s[:] }()))
	g, err := access.New(access.Options{Htpasswd: path})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, Options{Access: g})
	if body := text(t, f.get("/status", as("all")...)); strings.Contains(body, "access rules") {
		t.Errorf("got %s", body)
	}
	write("all:s3cret-a")
	_ = g.Reload()
	body := text(t, f.get("/status", as("all")...))
	if !strings.Contains(body, "users: line 1: the password of all is plain text") || !strings.Contains(body, "those from before stay in force") || strings.Contains(body, "s3cret") {
		t.Errorf("got %s", body)
	}
}

// What is wrong with the access rules names files and users: not to who reads without a
// login, or only some charts.
func TestStatusHidesAccessProblem(t *testing.T) {
	for who, rules := range map[string][2]string{
		"":       {"anonymousRead: true", "- {names: [reader], rights: [read]}"},
		"reader": {"", "- {names: [reader], rights: [read], charts: [heat]}"},
	} {
		g, dir := guardIn(t, rules[0], rules[1])
		f := newFixture(t, Options{Access: g})
		if err := os.WriteFile(filepath.Join(dir, "users"), []byte("ann:x"), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = g.Reload()
		var header []string
		if who != "" {
			header = as(who)
		}
		body := text(t, f.get("/status", header...))
		if strings.Contains(body, "ann") || strings.Contains(body, dir) || !strings.Contains(body, "the log says why") {
			t.Errorf("%q: %s", who, body)
		}
	}
}

// The metrics count all charts, and name all repositories.
func TestMetricsAreForWhoReadsAll(t *testing.T) {
	for rules, want := range map[string]int{
		"- {names: [reader], rights: [read]}":                      200,
		"- {names: [reader], rights: [read], charts: [heat]}":      403,
		"- {names: [reader], rights: [read], repositories: [/]}":   403,
		"- {names: [reader], rights: [read], repositories: [te*]}": 403,
	} {
		f := newFixture(t, Options{Uploads: uploads(t), Access: guardOf(t, "", rules)})
		if got := f.get("/metrics", as("reader")...); got.StatusCode != want {
			t.Errorf("%s: got %d, want %d", rules, got.StatusCode, want)
		}
	}
}

func BenchmarkLogin(b *testing.B) {
	for name, g := range map[string]*access.Guard{"open": nil, "login": guard(b, "")} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, Options{Access: g})
			r := httptest.NewRequest("GET", "/charts/nova-1.0.0.tgz", nil)
			r.Header.Set(as("reader")[0], as("reader")[1])
			b.ReportAllocs()
			for b.Loop() {
				f.h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// Who may read only some charts gets nothing of the others, on any path.
func TestReadableCharts(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t), Access: guardOf(t, "", `
- {names: [reader], rights: [read], charts: [heat, none]}
- {names: [a], rights: [read], charts: [no, "nov?"]}`)})
	addr := listen(t, f.h)
	login := fmt.Sprintf("%s: %s\r\n", as("reader")[0], as("reader")[1])
	of := map[string]bool{} // statuses of what is about nova
	walk(t, f, func(pattern string, e example) {
		for way, headers := range ways() {
			headers = strings.ReplaceAll(headers, "Authorization: Basic YTpi\r\n", "")
			got := exchange(t, dial(t, addr), e.wire("1.1", login+headers))
			if strings.Contains(e.target, "nova") || strings.Contains(e.target, "large") {
				of[got.Status] = true
				got.Body = strings.ReplaceAll(got.Body, e.target, "")
			}
			if strings.Contains(got.Body, "nova") || strings.Contains(got.Body, "0123456789") {
				t.Errorf("%s: %s %s: got %s, %.300q", way, e.method, e.target, got.Status, got.Body)
			}
		}
	})
	for status := range of {
		if !strings.HasPrefix(status, "404") && !strings.HasPrefix(status, "403") && !strings.HasPrefix(status, "405") {
			t.Errorf("what is not for the reader: %s", status)
		}
	}
	for target, want := range map[string]string{
		"/charts/index.yaml": "heat-1.0.0.tgz", "/charts/index.json": "heat-1.0.0.tgz", "/charts/": "heat", "/api/charts": `{"heat":[`,
		"/charts/api/charts/heat/latest": `"name":"heat"`, "/api/charts/heat/1.0.0/values": "# a comment", "/status": `"charts": 1`,
	} {
		for range 2 {
			if got := f.get(target, as("reader")...); got.StatusCode != 200 || !strings.Contains(text(t, got), want) {
				t.Errorf("%s: %d without %s", target, got.StatusCode, want)
			}
		}
	}
	if got := f.get("/charts/heat-1.0.0.tgz", as("reader")...); got.StatusCode != 200 || text(t, got) == "" {
		t.Errorf("the archive: %d", got.StatusCode)
	}
	if body := text(t, f.get("/charts/", as("a")...)); strings.Contains(body, "heat") || !strings.Contains(body, "nova") {
		t.Errorf("the page of who may read nova: %s", body)
	}
	if body := text(t, f.get("/charts/index.yaml", as("all")...)); !strings.Contains(body, "nova") {
		t.Errorf("who may read all: %s", body)
	}
	nobodys := newFixture(t, Options{Access: guardOf(t, "", "- {names: [reader], rights: [read], charts: [none]}")})
	if got := nobodys.get("/charts/index.yaml", as("reader")...); got.StatusCode != 200 || strings.Contains(text(t, got), "name:") {
		t.Errorf("nothing to read: %d", got.StatusCode)
	}
}
