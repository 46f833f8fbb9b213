package e2e

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"sigs.k8s.io/yaml"
)

// api holds what servers answer against docs/openapi.yaml.
type api struct {
	doc    *openapi3.T
	values map[string]string // of the parameters in paths

	mu   sync.Mutex
	seen map[string]bool // answers by name
}

func newAPI(t *testing.T) *api {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "docs", "openapi.yaml"))
	must(t, err)
	must(t, doc.Validate(t.Context()))
	text := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		data, err := io.ReadAll(body)
		return string(data), err
	}
	for _, kind := range []string{"application/yaml", "application/gzip", "text/html", "image/svg+xml", "text/event-stream"} {
		openapi3filter.RegisterBodyDecoder(kind, text)
	}
	openapi3filter.RegisterBodyDecoder("text/yaml", func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (value any, err error) {
		data, err := io.ReadAll(body)
		if err == nil {
			err = yaml.Unmarshal(data, &value)
		}
		return value, err
	})
	return &api{doc: doc, values: map[string]string{"name": "nova", "version": "1.0.0", "file": "nova-1.0.0.tgz"}, seen: map[string]bool{}}
}

// call is a request for an operation.
type call struct {
	method, path string // as the document has it
	query        string
	values       map[string]string // in place of the usual ones
	body         []byte
	header       []string // names and values
	host, user   string
}

// each calls do with every operation, and a request for it.
func (a *api) each(do func(op *openapi3.Operation, c call)) {
	for _, path := range slices.Sorted(maps.Keys(a.doc.Paths.Map())) {
		query := ""
		if path == "/events" { // which else ends after ten minutes
			query = "?limit=1"
		}
		for method, op := range a.doc.Paths.Find(path).Operations() {
			do(op, call{method: method, path: path, query: query})
		}
	}
}

// ask sends a request, holds the answer against the document, and returns its status. That has to be
// want, where that is not zero.
func (a *api) ask(t *testing.T, s *server, c call, want int) int {
	t.Helper()
	item := a.doc.Paths.Find(c.path)
	op := item.GetOperation(c.method)
	base := s.URL
	switch len(item.Servers) {
	case 1:
		base = s.root()
	case 2:
		base = s.root() + "/charts"
	}
	path := c.path
	for name, value := range a.values {
		if other, ok := c.values[name]; ok {
			value = other
		}
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	r, err := http.NewRequestWithContext(t.Context(), c.method, base+path+c.query, bytes.NewReader(c.body))
	must(t, err)
	for i := 0; i < len(c.header); i += 2 {
		r.Header.Set(c.header[i], c.header[i+1])
	}
	if c.host != "" {
		r.Host = c.host
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, "pass-"+c.user)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	if want != 0 && resp.StatusCode != want {
		t.Errorf("%s %s%s: got %s, want %d: %.200s", c.method, path, c.query, resp.Status, want, body)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &routers.Route{Spec: a.doc, Path: c.path, PathItem: item, Method: c.method, Operation: op}},
		Status:                 resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s%s: %s is not as the document says: %v\n%.300s", c.method, path, c.query, resp.Status, err, body)
	}
	if resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s %s: no X-Request-Id", c.method, path)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[answerName(op, resp.StatusCode)] = true
	return resp.StatusCode
}

// answerName is the name of an answer that several operations share, or else the operation's with
// the status.
func answerName(op *openapi3.Operation, status int) string {
	if ref := op.Responses.Value(strconv.Itoa(status)); ref != nil && ref.Ref != "" {
		return ref.Ref
	}
	return op.OperationID + " " + strconv.Itoa(status)
}

// TestOpenAPI: what docs/openapi.yaml says of each operation is what a server answers, and each answer that it
// has was seen, but for those that need a disk or a client to fail; httpapi's tests have these.
func TestOpenAPI(t *testing.T) {
	a := newAPI(t)
	k := newKeys(t, rsa)
	dir := t.TempDir()
	for name, tree := range map[string]files{
		"charts/nova": signedChart(), "charts/bad": {"Chart.yaml": "name: bad\n"}, "web": {
			"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0+a\nappVersion: \"1\"\nkubeVersion: \">=1.2\"\ndeprecated: true\ntype: application\nicon: i.png\nhome: http://h\nsources: [s]\nkeywords: [k]\nannotations: {a: b}\nmaintainers: [{name: n, email: e@example.com}]\n",
			"values.yaml": "a: 1\n", "templates/x.yaml": "x: 1\n",
		},
		"other/web": {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0+a\ndescription: other\n"},
		"none":      {"Chart.yaml": "apiVersion: v2\nname: none\nversion: 1.0.0\n"},
	} {
		tree.write(t, filepath.Join(dir, name))
	}
	sign := []string{"--sign", "--key", "ann", "--keyring", k.secret}
	for _, args := range [][]string{{"-d", "made", "web", "none", "charts/nova"}, {"-d", "other", "other/web"}} {
		if r := serveTool(t, dir, append(append([]string{"package"}, args...), sign...)...); !r.ok() {
			t.Fatal(r.all())
		}
	}
	s := serve(t, dir, append(sign, "--allow-upload", "--enable-metrics", "--max-upload-size", "64KiB", "--repository", "team=charts", "--depth", "1", "--max-repositories", "2", "charts")...)
	a.values["digest"] = s.index(t)["nova 1.0.0"].Digest
	t.Run("reads", func(t *testing.T) { a.reads(t, s) })
	t.Run("writes", func(t *testing.T) { a.writes(t, s, dir) })
	team := &server{URL: s.URL + "/team", logs: s.logs}
	t.Run("reads of another", func(t *testing.T) { a.reads(t, team) })
	t.Run("writes to another", func(t *testing.T) { a.writes(t, team, dir) })
	t.Run("refusals", func(t *testing.T) { a.refusals(t, s) })
	t.Run("logins", func(t *testing.T) { a.logins(t, dir) })
	apart := []string{"TooSlow", "TooSlowJSON", "DiskFull", "DiskFullJSON", "NotReady", "NotReadyJSON", "page 503", "pageIndex 503", "pageHTML 503"}
	a.each(func(op *openapi3.Operation, c call) {
		for code := range op.Responses.Map() {
			status, err := strconv.Atoi(code)
			must(t, err)
			name := answerName(op, status)
			if !a.seen[name] && !slices.Contains(apart, strings.TrimPrefix(name, "#/components/responses/")) {
				t.Errorf("%s %s: nothing was answered with %s (%s)", c.method, c.path, code, name)
				a.seen[name] = true
			}
		}
	})
}

// reads asks for all that can be read, and for what is not there.
func (a *api) reads(t *testing.T, s *server) {
	a.each(func(op *openapi3.Operation, c call) {
		if c.method != http.MethodGet {
			return
		}
		a.ask(t, s, c, http.StatusOK)
		with := func(want int, header ...string) {
			c.header = header
			if op.Responses.Value(strconv.Itoa(want)) != nil {
				a.ask(t, s, c, want)
			}
		}
		with(http.StatusNotModified, "If-None-Match", "*")
		with(http.StatusPreconditionFailed, "If-Match", `"x"`)
		with(http.StatusPartialContent, "Range", "bytes=0-9")
		with(http.StatusRequestedRangeNotSatisfiable, "Range", "bytes=1000000-")
		c.header, c.values = nil, map[string]string{"name": "nothing", "file": "nothing-1.0.0.tgz"}
		if op.Responses.Value("404") != nil {
			a.ask(t, s, c, http.StatusNotFound)
		}
	})
	for query, want := range map[string]int{"?offset=0&limit=1": 200, "?limit=1": 200, "?offset=5": 200, "?limit=0": 400, "?offset=-1": 400, "?offset=x": 400} {
		a.ask(t, s, call{method: "GET", path: "/api/charts", query: query}, want)
	}
	for version, want := range map[string]int{"latest": 200, "^1.0": 200, ">0-0": 200, "2.0.0": 404, "zzz": 404} {
		a.ask(t, s, call{method: "GET", path: "/api/charts/{name}/{version}", values: map[string]string{"version": version}}, want)
	}
}

// writes uploads and deletes; dir has the archives.
func (a *api) writes(t *testing.T, s *server, dir string) {
	made := func(name string) []byte { return []byte(read(t, filepath.Join(dir, filepath.FromSlash(name)))) }
	web, prov, other := made("made/web-1.0.0+a.tgz"), made("made/web-1.0.0+a.tgz.prov"), made("other/web-1.0.0+a.tgz")
	put := func(file string, body []byte, want int) {
		t.Helper()
		a.ask(t, s, call{method: "PUT", path: "/{file}", values: map[string]string{"file": file}, body: body}, want)
	}
	post := func(path, query string, body []byte, want int) {
		t.Helper()
		a.ask(t, s, call{method: "POST", path: path, query: query, body: body}, want)
	}
	post("/api/prov", "", prov, 409)
	post("/api/charts", "", web, 201)
	post("/api/charts", "", web, 200)
	post("/api/charts", "", other, 409)
	post("/api/charts", "?force", other, 201)
	post("/api/prov", "", prov, 400)
	post("/api/charts", "?force=", web, 201)
	post("/api/prov", "", prov, 201)
	post("/api/prov", "?force", prov, 200)
	post("/api/prov", "", []byte("no provenance"), 400)
	post("/api/charts", "", web[:100], 400)
	post("/api/charts", "", made("made/nova-1.0.0.tgz"), 409)
	put("none-1.0.0.tgz", made("made/none-1.0.0.tgz"), 201)
	put("none-1.0.0.tgz", made("made/none-1.0.0.tgz"), 200)
	put("other-1.0.0.tgz", made("made/none-1.0.0.tgz"), 400)
	put("web-1.0.0+a.tgz", other, 409)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for field, data := range map[string][]byte{"chart": web, "prov": prov} {
		file, err := w.CreateFormFile(field, "any/name")
		must(t, err)
		_, err = file.Write(data)
		must(t, err)
	}
	must(t, w.Close())
	a.ask(t, s, call{method: "POST", path: "/api/charts", body: form.Bytes(), header: []string{"Content-Type", w.FormDataContentType()}}, 200)
	a.ask(t, s, call{method: "POST", path: "/api/charts", body: form.Bytes()[:200], header: []string{"Content-Type", w.FormDataContentType()}}, 400)

	plus := map[string]string{"name": "web", "version": "1.0.0+a", "file": "web-1.0.0+a.tgz"}
	for _, path := range []string{"/{file}", "/api/charts/{name}", "/api/charts/{name}/{version}", "/api/charts/{name}/{version}/templates", "/api/charts/{name}/{version}/values"} {
		a.ask(t, s, call{method: "GET", path: path, values: plus}, 200)
	}
	for _, path := range []string{"/index.yaml", "/index.json", "/api/charts", "/status"} { // with all that a version can have
		a.ask(t, s, call{method: "GET", path: path}, 200)
	}
	remove := call{method: "DELETE", path: "/api/charts/{name}/{version}", values: plus}
	a.ask(t, s, remove, 200)
	a.ask(t, s, remove, 404)
	remove.values = nil
	a.ask(t, s, remove, 409) // a SOURCE holds it
}

// refusals are about how something is asked for.
func (a *api) refusals(t *testing.T, s *server) {
	a.each(func(_ *openapi3.Operation, c call) {
		c.host = "other.example.com"
		a.ask(t, s, c, http.StatusMisdirectedRequest)
		c.host, c.body = "", make([]byte, 70_000)
		a.ask(t, s, c, http.StatusRequestEntityTooLarge)
		if c.method != http.MethodGet {
			c.header, c.body = []string{"Sec-Fetch-Site", "cross-site"}, nil
			a.ask(t, s, c, http.StatusForbidden)
		}
	})
}

// logins asks a server that wants one.
func (a *api) logins(t *testing.T, dir string) {
	files{"access.yaml": "htpasswd: [users]\ngrants:\n- {names: [all], rights: [read, upload, delete]}\n", "users": users("all", "none")}.write(t, dir)
	s := serve(t, dir, "--allow-upload", "--enable-metrics", "--access", "access.yaml", "charts")
	a.each(func(op *openapi3.Operation, c call) {
		if op.Security != nil { // open to all
			a.ask(t, s, c, http.StatusOK)
			return
		}
		a.ask(t, s, c, http.StatusUnauthorized)
		c.user = "none"
		a.ask(t, s, c, http.StatusForbidden)
		if c.user = "all"; c.method == http.MethodGet {
			a.ask(t, s, c, http.StatusOK)
		}
	})
	var crowd sync.WaitGroup
	for _, path := range []string{"/index.yaml", "/api/charts"} {
		for i := range 100 {
			crowd.Go(func() { a.ask(t, s, call{method: "GET", path: path, user: "nobody" + strconv.Itoa(i)}, 0) })
		}
		crowd.Wait()
	}
}

// users is an htpasswd file of users, each with the password "pass-" and the name.
func users(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		sum := sha1.Sum([]byte("pass-" + name))
		out.WriteString(name + ":{SHA}" + base64.StdEncoding.EncodeToString(sum[:]) + "\n")
	}
	return out.String()
}
