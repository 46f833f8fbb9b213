package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/semaphore"

	"chartserve/internal/index"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ChartMuseum's questions have its answers, below the context path and below the root.
func TestAPI(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{Version: "v9"})
	for _, v := range []string{"1.0.0", "1.1.0", "2.0.0-rc.1", "0.1.0+x"} {
		data := chartArchive(t, "nova", v, map[string]string{"values.yaml": "# " + v + "\na: {b: 1}\n", "templates/x.yaml": "x", "charts.txt": "y"})
		if code, body := u.do("POST", "/api/charts", bytes.NewReader(data)); code != 201 {
			t.Fatal(body)
		}
	}
	for i := range 3 {
		u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, fmt.Sprintf("c%d", i), "1.0.0", nil)))
	}
	const notFound = `{"error":"no chart name found"}`
	none := func(version string) string { return `{"error":"no chart version found for nova-` + version + `"}` }
	for target, want := range map[string]struct {
		code int
		text string // "names:" and those of a list, "versions:" and those of a chart, or all of it
	}{
		"":                                {200, "names: c0 c1 c2 nova"},
		"?limit=2":                        {200, "names: c0 c1"},
		"?offset=1&limit=2":               {200, "names: c1 c2"},
		"?offset=3&limit=9":               {200, "names: nova"},
		"?offset=2":                       {200, "names: c2 nova"},
		"?offset=4&limit=1":               {200, "{}"},
		"?offset=-1":                      {400, `{"error":"offset is not a valid non-negative integer"}`},
		"?offset=":                        {400, `{"error":"offset is not a valid non-negative integer"}`},
		"?limit=0":                        {400, `{"error":"limit is not a valid positive integer"}`},
		"?limit=1.5":                      {400, `{"error":"limit is not a valid positive integer"}`},
		"/nova":                           {200, "versions: 2.0.0-rc.1 1.1.0 1.0.0 0.1.0+x"},
		"/none":                           {404, `{"error":"chart not found"}`},
		"/nova/1.0.0":                     {200, "versions: 1.0.0"},
		"/nova/latest":                    {200, "versions: 1.1.0"},
		"/nova/%5E1.0":                    {200, "versions: 1.1.0"},
		"/nova/%3E0-0":                    {200, "versions: 2.0.0-rc.1"},
		"/nova/1.0":                       {200, "versions: 1.0.0"},
		"/nova/v1.0.0":                    {200, "versions: 1.0.0"},
		"/nova/0.1.0":                     {200, "versions: 0.1.0+x"},
		"/nova/0.1.0+x":                   {200, "versions: 0.1.0+x"},
		"/nova/0.1.0%2Bx":                 {200, "versions: 0.1.0+x"},
		"/none/1.0.0":                     {404, notFound},
		"/nova/3.0.0":                     {404, none("3.0.0")},
		"/nova/zzz":                       {404, `{"error":"improper constraint: zzz"}`},
		"/nova/1.0.0/values":              {200, "# 1.0.0\na: {b: 1}\n"},
		"/nova/latest/values":             {200, "# 1.1.0\na: {b: 1}\n"},
		"/c1/latest/values":               {404, `{"error":"values.yaml not found"}`},
		"/none/1.0.0/values":              {404, notFound},
		"/nova/3.0.0/templates":           {404, none("3.0.0")},
		"/nova/1.0.0/templates":           {200, `{"templates":[{"name":"templates/x.yaml","data":"eA=="}],"values":{"a":{"b":1}}}`},
		"/c1/latest/templates":            {200, `{"templates":[],"values":{}}`},
		"/nova/1.0.0/readme":              {404, `{"error":"not found"}`},
		"/..%2F..%2Fetc/1.0.0":            {404, `{"error":"not found"}`},
		"/%2e%2e/1.0.0":                   {404, `{"error":"not found"}`},
		"/nova/" + strings.Repeat("9", 9): {404, none(strings.Repeat("9", 9))},
	} {
		for _, base := range []string{"/charts/api/charts", "/api/charts"} {
			code, body := u.do("GET", base+target, nil)
			if got := listing(body, want.text); code != want.code || got != want.text {
				t.Errorf("%s: got %d %s, want %d %s", base+target, code, got, want.code, want.text)
			}
			if head, empty := u.do("HEAD", base+target, nil); head != want.code || empty != "" {
				t.Errorf("HEAD %s: %d %q", base+target, head, empty)
			}
		}
	}
	for target, want := range map[string]string{
		"/health": `{"healthy":true}`, "/charts/health": `{"healthy":true}`, "/info": `{"version":"v9"}`, "/charts/info": `{"version":"v9"}`,
	} {
		if code, body := u.do("GET", target, nil); code != 200 || body != want {
			t.Errorf("%s: %d %s", target, code, body)
		}
	}
}

// listing is body, or the names or versions in it where want begins so.
func listing(body, want string) string {
	kind, _, found := strings.Cut(want, ": ")
	dec := json.NewDecoder(strings.NewReader(body))
	out := kind + ":"
	switch {
	case found && kind == "names":
		_, _ = dec.Token()
		for dec.More() {
			name, _ := dec.Token()
			var versions []struct{ Digest string }
			if err := dec.Decode(&versions); err != nil || len(versions) == 0 || versions[0].Digest == "" {
				return body
			}
			out += fmt.Sprint(" ", name)
		}
		return out
	case found && kind == "versions":
		var versions []struct{ Version string }
		if body != "" && body[0] == '{' {
			body = "[" + body + "]"
		}
		if json.Unmarshal([]byte(body), &versions) != nil {
			return body
		}
		for _, v := range versions {
			out += " " + v.Version
		}
		return out
	}
	return body
}

// What was asked for with its ETag is not sent again until something changes.
func TestAPIIsConditional(t *testing.T) {
	f := newFixture(t, Options{})
	for _, target := range []string{"/api/charts?limit=1", "/api/charts/heat", "/api/charts/heat/latest", "/api/charts/heat/1.0.0/values", "/api/charts/heat/1.0.0/templates"} {
		etag := f.get(target).Header.Get("ETag")
		if got := f.get(target, "If-None-Match", etag); etag == "" || got.StatusCode != http.StatusNotModified {
			t.Errorf("%s: %s with %s", target, got.Status, etag)
		}
	}
}

// A few aliases of a large text in values.yaml do not take the server's memory.
func TestTemplatesOfValuesThatUnfold(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	values := "a: &a \"" + strings.Repeat("x", 1<<20) + "\"\nb: [" + strings.Repeat("*a,", 99) + "*a]\n"
	data := chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": values, "templates/x.yaml": "x"})
	if code, body := u.do("POST", "/api/charts", bytes.NewReader(data)); code != 201 {
		t.Fatal(body)
	}
	code, body := u.do("GET", "/api/charts/nova/1.0.0/templates", nil)
	if want := `{"templates":[{"name":"templates/x.yaml","data":"eA=="}],"values":{}}`; code != 200 || body != want {
		t.Errorf("got %d, %d bytes: %.80s", code, len(body), body)
	}
}

// Large answers for slow clients have a bound together; who asks for another is told to come
// again, and small ones get through.
func TestMadeAnswersAreBounded(t *testing.T) {
	a := &api{made: semaphore.NewWeighted(maxMade), root: &served{}}
	v := &repo.View{Index: &index.Encoded{}}
	r := httptest.NewRequest("GET", "/", nil)
	for name, send := range map[string]func(w http.ResponseWriter, data []byte) error{
		"API": func(w http.ResponseWriter, data []byte) error { return a.sendOf(w, r, v, jsonType, data) },
		"registry": func(w http.ResponseWriter, data []byte) error {
			found := &oci.Found{Digest: digest.FromString(fmt.Sprint(len(data))), Size: int64(len(data)), Make: func() ([]byte, error) { return data, nil }}
			return a.sendFound(w, r, v, &head{}, func(*repo.View) (*oci.Found, error) { return found, nil }, errNoBlob)
		},
	} {
		t.Run(name, func(t *testing.T) {
			slow := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
			done := make(chan error)
			go func() { done <- send(slow, make([]byte, maxMade+1)) }()
			<-slow.begun
			large := make([]byte, smallFile+1)
			if err := send(httptest.NewRecorder(), large); err != errBusy {
				t.Errorf("while the room is taken: %v", err)
			}
			if err := send(httptest.NewRecorder(), []byte("{}")); err != nil {
				t.Errorf("a small one: %v", err)
			}
			close(slow.taken)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := send(httptest.NewRecorder(), large); err != nil {
				t.Errorf("later: %v", err)
			}
		})
	}
}

// stuck is a client that takes nothing until taken is closed.
type stuck struct {
	http.ResponseWriter
	begun, taken chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.begun)
	<-s.taken
	return len(p), nil
}

// Who asks about an archive that is being replaced is told to ask again.
func TestAPIOfWhatIsGone(t *testing.T) {
	f := newFixture(t, Options{})
	f.write("heat-1.0.0.tgz", "other bytes")
	for _, part := range []string{"values", "templates"} {
		if got := f.get("/api/charts/heat/1.0.0/" + part); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %s", part, got.Status)
		}
	}
}

// Before the first index everybody hears that it comes.
func TestAPIAtTheStart(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t)})
	f.src.p.Store(repo.NewView(f.root))
	for _, request := range []string{
		"GET /api/charts", "GET /api/charts/heat", "GET /api/charts/heat/1.0.0", "GET /api/charts/heat/1.0.0/values",
		"POST /api/charts", "POST /charts/api/prov", "PUT /heat-1.0.0.tgz", "PUT /heat-1.0.0.tgz.prov", "DELETE /api/charts/heat/1.0.0",
	} {
		method, target, _ := strings.Cut(request, " ")
		if got := f.do(method, target); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", request, got.Status)
		}
	}
}
