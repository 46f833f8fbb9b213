package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"chartserve/internal/repo"
)

// repository is one that runs, empty at first, until the test ends.
func repository(t testing.TB, o repo.Options) *repo.Repository {
	t.Helper()
	r, _ := repositoryIn(t, t.TempDir(), o)
	return r
}

// repositoryIn is one of a folder, until stop is called or the test ends.
func repositoryIn(t testing.TB, dir string, o repo.Options) (r *repo.Repository, stop func()) {
	t.Helper()
	r, err := repo.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.Close()
	})
	t.Cleanup(stop)
	<-r.Ready()
	return r, stop
}

func uploads(t testing.TB) Uploads { return Uploads{Publisher: repository(t, repo.Options{})} }

// uploader is a server of a running repository that takes uploads.
type uploader struct {
	t testing.TB
	r *repo.Repository
	h http.Handler
}

func newUploader(t testing.TB, o Options, ro repo.Options) *uploader {
	t.Helper()
	return serveUploads(t, repository(t, ro), o)
}

func serveUploads(t testing.TB, r *repo.Repository, o Options) *uploader {
	t.Helper()
	u := &uploader{t: t, r: r}
	o.Uploads.Publisher = u.r
	h, err := New(u.r, o)
	if err != nil {
		t.Fatal(err)
	}
	u.h = h
	return u
}

// do returns status and body of an answer; header is pairs of name and value.
func (u *uploader) do(method, target string, body io.Reader, header ...string) (int, string) {
	u.t.Helper()
	r := httptest.NewRequest(method, target, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	u.h.ServeHTTP(w, r)
	if w.Code >= 400 && isAPI(r.URL.Path) && w.Header().Get("Content-Type") != jsonType {
		u.t.Errorf("%s %s: an error of type %s", method, target, w.Header().Get("Content-Type"))
	}
	return w.Code, w.Body.String()
}

// file is a file, or without a file name a field, of a form.
type file struct{ field, name, content string }

// form is a form's body and content type.
func formOf(t testing.TB, files ...file) (*bytes.Buffer, string) {
	t.Helper()
	body := &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, f := range files {
		part, err := w.CreateFormFile(f.field, f.name)
		if f.name == "" {
			part, err = w.CreateFormField(f.field)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

func (u *uploader) form(target string, files ...file) (int, string) {
	u.t.Helper()
	body, kind := formOf(u.t, files...)
	return u.do("POST", target, body, "Content-Type", kind)
}

func (u *uploader) want(code int, got string, wantCode int, want string) {
	u.t.Helper()
	if code != wantCode || !strings.Contains(got, want) {
		u.t.Errorf("got %d %s, want %d with %s", code, got, wantCode, want)
	}
}

// provenanceOf is the provenance of an archive, with a signature that nobody made.
func provenanceOf(name, version string, archive []byte) string {
	return fmt.Sprintf("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: %[1]s\nversion: %[2]s\n\n...\n"+
		"files:\n  %[1]s-%[2]s.tgz: sha256:%[3]s\n-----BEGIN PGP SIGNATURE-----\n\n%[4]s\n-----END PGP SIGNATURE-----\n",
		name, version, strings.Trim(etagOf(string(archive)), `"`), base64.StdEncoding.EncodeToString([]byte(name+version)))
}

const (
	isSaved   = `{"saved":true}`
	isDeleted = `{"deleted":true}`
)

// What ChartMuseum's clients send is answered as there, and better where its flaws are.
func TestUpload(t *testing.T) {
	one := chartArchive(t, "nova", "1.0.0", nil)
	other := chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": "a: 1\n"})
	prov, otherProv := provenanceOf("nova", "1.0.0", one), provenanceOf("nova", "1.0.0", other)
	chart := func(data []byte) file { return file{"chart", "/tmp/helm-push-1/x.tgz", string(data)} }
	for name, tt := range map[string]struct {
		code int
		text string
		do   func(u *uploader) (code int, body string)
	}{
		"body": {201, isSaved, func(u *uploader) (int, string) {
			return u.do("POST", "/api/charts", bytes.NewReader(one), "Content-Type", "application/x-www-form-urlencoded")
		}},
		"body that does not tell its size": {201, isSaved, func(u *uploader) (int, string) {
			return u.do("POST", "/charts/api/charts", io.MultiReader(bytes.NewReader(one)))
		}},
		"form":             {201, isSaved, func(u *uploader) (int, string) { return u.form("/charts/api/charts", chart(one)) }},
		"form with both":   {201, isSaved, func(u *uploader) (int, string) { return u.form("/api/charts", chart(one), file{"prov", "p", prov}) }},
		"provenance first": {201, isSaved, func(u *uploader) (int, string) { return u.form("/api/charts", file{"prov", "p", prov}, chart(one)) }},
		"other fields": {201, isSaved, func(u *uploader) (int, string) {
			return u.form("/api/charts", file{"x", "x", "y"}, file{"chart", "", "no file"}, chart(one))
		}},
		"the same again": {200, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.do("POST", "/api/charts", bytes.NewReader(one))
		}},
		"the same with a new provenance": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.form("/api/charts", chart(one), file{"prov", "p", prov})
		}},
		"all of the same again": {200, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one), file{"prov", "p", prov})
			return u.form("/api/charts", chart(one), file{"prov", "p", prov})
		}},
		"other bytes": {409, `{"error":"file already exists"}`, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.do("POST", "/api/charts", bytes.NewReader(other))
		}},
		"other bytes in a form": {409, `{"error":"chart already exists"}`, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.form("/api/charts", chart(other))
		}},
		"forced": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.form("/api/charts?force", chart(other))
		}},
		"forced, whatever the value": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.do("POST", "/api/charts?force=false", bytes.NewReader(other))
		}},
		"no file": {400, "no package or provenance file found in form fields chart and prov", func(u *uploader) (int, string) {
			return u.form("/api/charts", file{"other", "x", "y"}, file{"chart", "", string(one)})
		}},
		"a field twice": {400, "form field chart is there twice", func(u *uploader) (int, string) {
			return u.form("/api/charts", chart(one), chart(one))
		}},
		"no form": {400, "the form can't be read", func(u *uploader) (int, string) {
			return u.do("POST", "/api/charts", bytes.NewReader(one), "Content-Type", "multipart/form-data")
		}},
		"a cut form": {400, "the upload was cut off", func(u *uploader) (int, string) {
			body, kind := formOf(u.t, chart(one))
			return u.do("POST", "/api/charts", bytes.NewReader(body.Bytes()[:body.Len()-40]), "Content-Type", kind)
		}},
		"empty":                   {400, "", func(u *uploader) (int, string) { return u.do("POST", "/api/charts", http.NoBody) }},
		"cut in the gzip trailer": {400, "", func(u *uploader) (int, string) { return u.do("POST", "/api/charts", bytes.NewReader(one[:len(one)-4])) }},
		"a bad name": {400, "Chart.yaml", func(u *uploader) (int, string) {
			return u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, ".evil", "1.0.0", nil)))
		}},
		"provenance of other bytes": {400, "", func(u *uploader) (int, string) {
			return u.form("/api/charts", chart(one), file{"prov", "p", otherProv})
		}},
		"no provenance": {400, "", func(u *uploader) (int, string) { return u.form("/api/charts", chart(one), file{"prov", "p", "x"}) }},
		"provenance alone": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.do("POST", "/charts/api/prov", strings.NewReader(prov))
		}},
		"provenance alone in a form": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.form("/api/charts", file{"prov", "p", prov})
		}},
		"provenance again": {200, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one), file{"prov", "p", prov})
			return u.do("POST", "/api/prov", strings.NewReader(prov))
		}},
		"another provenance of the same": {409, "file already exists", func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one), file{"prov", "p", prov})
			return u.do("POST", "/api/prov", strings.NewReader("\n"+prov))
		}},
		"another provenance of the same, forced": {201, isSaved, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one), file{"prov", "p", prov})
			return u.do("POST", "/api/prov?force", strings.NewReader("\n"+prov))
		}},
		"provenance without its archive": {409, "upload the archive first", func(u *uploader) (int, string) {
			return u.do("POST", "/api/prov", strings.NewReader(prov))
		}},
		"provenance of what is not there any more": {400, "", func(u *uploader) (int, string) {
			u.form("/api/charts", chart(other))
			return u.do("POST", "/api/prov", strings.NewReader(prov))
		}},
		"what is no provenance": {400, "", func(u *uploader) (int, string) { return u.do("POST", "/api/prov", strings.NewReader("x")) }},
		"put":                   {201, isSaved, func(u *uploader) (int, string) { return u.do("PUT", "/charts/nova-1.0.0.tgz", bytes.NewReader(one)) }},
		"put its provenance": {201, isSaved, func(u *uploader) (int, string) {
			u.do("PUT", "/nova-1.0.0.tgz", bytes.NewReader(one))
			return u.do("PUT", "/charts/nova-1.0.0.tgz.prov", strings.NewReader(prov))
		}},
		"put by another name": {400, "what is inside is called nova-1.0.0.tgz", func(u *uploader) (int, string) {
			return u.do("PUT", "/charts/nova-1.0.1.tgz", bytes.NewReader(one))
		}},
		"put provenance by another name": {400, "called nova-1.0.0.tgz", func(u *uploader) (int, string) {
			return u.do("PUT", "/charts/nova-1.0.1.tgz.prov", strings.NewReader(prov))
		}},
		"delete": {200, isDeleted, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one), file{"prov", "p", prov})
			return u.do("DELETE", "/api/charts/nova/1.0.0", nil)
		}},
		"delete what is not there": {404, `{"error":"no chart version found for nova-1.0"}`, func(u *uploader) (int, string) {
			u.form("/api/charts", chart(one))
			return u.do("DELETE", "/api/charts/nova/1.0", nil)
		}},
		"put where nothing is put": {405, "", func(u *uploader) (int, string) { return u.do("PUT", "/charts/index.yaml", bytes.NewReader(one)) }},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploader(t, Options{}, repo.Options{})
			code, body := tt.do(u)
			u.want(code, body, tt.code, tt.text)
			u.checkServed()
		})
	}
}

// checkServed: what the index lists is served, with no provenance but its own.
func (u *uploader) checkServed() {
	u.t.Helper()
	for c := range u.r.View().Charts() {
		for _, v := range c.Versions {
			name := "/charts/" + v.Entry.URL
			code, data := u.do("GET", name, nil)
			if code != 200 || strings.Trim(etagOf(data), `"`) != v.Entry.Digest {
				u.t.Errorf("%s: %d, or other bytes than the index says", name, code)
			}
			if code, prov := u.do("GET", name+".prov", nil); code == 200 && !strings.Contains(prov, "sha256:"+v.Entry.Digest) {
				u.t.Errorf("%s.prov is of other bytes", name)
			}
		}
	}
}

func TestUploadOptions(t *testing.T) {
	one := chartArchive(t, "nova", "1.0.0", nil)
	other := chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": "a: 1\n"})
	large := chartArchive(t, "large", "1.0.0", map[string]string{"x": strings.Repeat("0123456789", 100)})
	for name, tt := range map[string]struct {
		o      Uploads
		method string
		target string
		body   []byte
		code   int
		text   string
	}{
		"overwrite":        {Uploads{Overwrite: true}, "POST", "/api/charts", other, 201, isSaved},
		"no force":         {Uploads{NoForce: true}, "POST", "/api/charts?force", other, 409, "file already exists"},
		"overwrite anyway": {Uploads{NoForce: true, Overwrite: true}, "POST", "/api/charts", other, 201, isSaved},
		"no delete":        {Uploads{NoDelete: true}, "DELETE", "/api/charts/nova/1.0.0", nil, 405, `{"error":"method not allowed"}`},
		"too large":        {Uploads{MaxSize: int64(len(one))}, "POST", "/api/charts", large, 413, `{"error":"request too large"}`},
		"too large a put":  {Uploads{MaxSize: int64(len(one))}, "PUT", "/large-1.0.0.tgz", large, 413, "request too large\n"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploader(t, Options{Uploads: tt.o}, repo.Options{})
			code, body := u.do("POST", "/api/charts", bytes.NewReader(one))
			u.want(code, body, 201, isSaved)
			for _, sized := range []bool{true, false} {
				src := io.Reader(bytes.NewReader(tt.body))
				if !sized {
					src = io.MultiReader(src)
				}
				if code, body := u.do(tt.method, tt.target, src); code != 200 || sized {
					u.want(code, body, tt.code, tt.text)
				}
			}
		})
	}
}

// Forms may have the files in fields of other names too.
func TestFormFields(t *testing.T) {
	one := chartArchive(t, "nova", "1.0.0", nil)
	prov := provenanceOf("nova", "1.0.0", one)
	for name, tt := range map[string]struct {
		files []file
		code  int
		text  string
	}{
		"own":         {[]file{{"archive", "x", string(one)}, {"signature", "p", prov}}, 201, isSaved},
		"ChartMuseum": {[]file{{"prov", "p", prov}, {"chart", "x", string(one)}}, 201, isSaved},
		"both":        {[]file{{"chart", "x", string(one)}, {"archive", "x", string(one)}}, 400, "form field archive is there twice"},
		"provs":       {[]file{{"prov", "p", prov}, {"signature", "p", prov}}, 400, "form field signature is there twice"},
		"none":        {[]file{{"", "x", string(one)}}, 400, "found in form fields archive and signature"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploader(t, Options{Uploads: Uploads{ChartField: "archive", ProvField: "signature"}}, repo.Options{})
			code, body := u.form("/api/charts", tt.files...)
			u.want(code, body, tt.code, tt.text)
			if got, _ := u.do("GET", "/charts/nova-1.0.0.tgz.prov", nil); tt.code == 201 && got != 200 {
				t.Errorf("the provenance: %d", got)
			}
		})
	}
}

// Allow names the methods that a path answers, those that write only where they may.
func TestAllow(t *testing.T) {
	reading := newFixture(t, Options{})
	writing := newFixture(t, Options{Uploads: uploads(t)})
	keeping := newFixture(t, Options{Uploads: Uploads{Publisher: uploads(t).Publisher, NoDelete: true}})
	for target, want := range map[string][3]string{
		"/charts/api/charts":            {"GET, HEAD", "GET, HEAD, POST", "GET, HEAD, POST"},
		"/api/charts/nova/1.0.0":        {"GET, HEAD", "GET, HEAD, DELETE", "GET, HEAD"},
		"/charts/nova-1.0.0.tgz":        {"GET, HEAD", "GET, HEAD, PUT", "GET, HEAD, PUT"},
		"/charts/index.yaml":            {"GET, HEAD", "GET, HEAD", "GET, HEAD"},
		"/api/charts/nova/1.0.0/values": {"GET, HEAD", "GET, HEAD", "GET, HEAD"},
	} {
		for i, f := range []*fixture{reading, writing, keeping} {
			got := f.do("PATCH", target)
			if allow := got.Header.Get("Allow"); got.StatusCode != 405 || allow != want[i] {
				t.Errorf("%s: %s, Allow %q, want %q", target, got.Status, allow, want[i])
			}
		}
	}
	for method, target := range map[string]string{"POST": "/api/charts", "PUT": "/charts/x-1.0.0.tgz", "DELETE": "/api/charts/nova/1.0.0"} {
		if got := reading.do(method, target); got.StatusCode != 405 {
			t.Errorf("%s of a server that only reads: %s", method, got.Status)
		}
	}
}

// A page of another site writes nothing through the browser of who can.
func TestOtherSitesWriteNothing(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	archive := chartArchive(t, "nova", "1.0.0", nil)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.test"}} {
		for method, target := range map[string]string{"POST": "/api/charts", "PUT": "/nova-1.0.0.tgz", "DELETE": "/api/charts/nova/1.0.0"} {
			if code, body := u.do(method, target, bytes.NewReader(archive), header...); code != 403 {
				t.Errorf("%s with %v: %d %s", method, header, code, body)
			}
		}
		if code, _ := u.do("GET", "/charts/index.yaml", nil, header...); code != 200 {
			t.Errorf("GET with %v: %d", header, code)
		}
	}
	if code, body := u.do("POST", "/api/charts", bytes.NewReader(archive), "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"); code != 201 {
		t.Errorf("from the server's own page: %d %s", code, body)
	}
}

// 32 uploads of one version with other bytes: one wins. 200 clients at once lose nothing.
func TestUploadsAtOnce(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	at := func(n int, archive func(i int) []byte) map[int]int {
		var all sync.WaitGroup
		var mu sync.Mutex
		codes := map[int]int{}
		for i := range n {
			data := archive(i)
			all.Go(func() {
				code, _ := u.do("POST", "/api/charts", bytes.NewReader(data))
				mu.Lock()
				codes[code]++
				mu.Unlock()
			})
		}
		all.Wait()
		return codes
	}
	race := at(32, func(i int) []byte { return chartArchive(t, "race", "1.0.0", map[string]string{"n": fmt.Sprint(i)}) })
	if race[201] != 1 || race[409] != 31 {
		t.Errorf("a race: %v", race)
	}
	many := at(200, func(i int) []byte { return chartArchive(t, "many", fmt.Sprintf("1.0.%d", i), nil) })
	if got := len(u.r.View().Chart("many").Versions); many[201] != 200 || got != 200 {
		t.Errorf("many: %v, %d versions", many, got)
	}
	u.checkServed()
}

// What helm cm-push sends, on the wire: it looks for the context path in the index, and
// sends a form that does not tell its size. The next index has the chart.
func TestCMPush(t *testing.T) {
	u := newUploader(t, Options{ContextPath: "/helm/stable"}, repo.Options{ContextPath: "/helm/stable"})
	base := "http://" + listen(t, u.h)
	defer http.DefaultClient.CloseIdleConnections()
	read := func(resp *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(data)
	}
	_, index := read(http.Get(base + "/helm/stable/index.yaml"))
	if !strings.Contains(index, "serverInfo:\n  contextPath: \"/helm/stable\"\n") {
		t.Fatalf("the index says nothing of the context path: %s", index)
	}
	archive := chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": strings.Repeat("a: 1 # and more\n", 100_000)})
	body, kind := formOf(t, file{"chart", "/tmp/helm-push-123/nova-1.0.0.tgz", string(archive)})
	r, err := http.NewRequest("POST", base+"/helm/stable/api/charts", io.MultiReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if code, answer := read(http.DefaultClient.Do(r)); code != 201 || answer != isSaved {
		t.Errorf("got %d %s", code, answer)
	}
	if _, index := read(http.Get(base + "/helm/stable/index.yaml")); !strings.Contains(index, "nova-1.0.0.tgz") {
		t.Errorf("the next index does not have it: %s", index)
	}
}

// A client that reads only once it has sent all of a large upload is told why that was
// refused.
func TestRefusalIsRead(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	addr := listen(t, u.h)
	body := strings.Repeat("no archive ", 1<<20)
	for name, request := range map[string]string{
		"POST":       "POST /api/charts HTTP/1.1\r\nHost: localhost\r\n",
		"PUT":        "PUT /x-1.0.0.tgz HTTP/1.1\r\nHost: localhost\r\n",
		"provenance": "POST /api/prov HTTP/1.1\r\nHost: localhost\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				c := dial(t, addr)
				got := exchange(t, c, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", request, len(body), body))
				if !strings.HasPrefix(got.Status, "400 ") || got.Body == "" {
					t.Errorf("got %s %q", got.Status, got.Body)
				}
			}
		})
	}
}
