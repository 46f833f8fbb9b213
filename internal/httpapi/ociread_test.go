package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// registryFixture is a fixture with something large that was pushed as library/nginx:1.
func registryFixture(t *testing.T, o Options) (f *fixture, large, manifest digest.Digest) {
	t.Helper()
	f = newFixture(t, o)
	l, err := layout.Open(f.dir, layout.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f.src.content = l
	layer := strings.Repeat("0123456789", 10_000)
	large = digest.FromString(layer)
	m := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"digest":%q},"layers":[]}`, ocispec.MediaTypeImageManifest, large)
	manifest = digest.FromBytes(m)
	if err := l.Write("library/nginx", large, []byte(layer)); err != nil {
		t.Fatal(err)
	}
	if err := l.Put("library/nginx", &layout.Manifest{Digest: manifest, MediaType: ocispec.MediaTypeImageManifest, Tag: "1"}, m); err != nil {
		t.Fatal(err)
	}
	return f, large, manifest
}

// Manifests and blobs are answered with what clients rely on: their digest, length and type,
// in parts, and not at all to who has them.
func TestRegistryAnswers(t *testing.T) {
	f, large, manifest := registryFixture(t, Options{})
	archive := digest.NewDigestFromEncoded(digest.SHA256, strings.Trim(f.heat.ETag, `"`))
	var m ocispec.Manifest
	if err := json.Unmarshal([]byte(text(t, f.get("/v2/charts/heat/manifests/1.0.0"))), &m); err != nil {
		t.Fatal(err)
	}
	const blob = "application/octet-stream"
	for target, want := range map[string]struct {
		digest      digest.Digest
		kind, cache string
	}{
		"/v2/charts/heat/manifests/1.0.0":                    {digest.Digest(f.manifest), ocispec.MediaTypeImageManifest, "no-cache"},
		"/v2/heat/manifests/" + f.manifest:                   {digest.Digest(f.manifest), ocispec.MediaTypeImageManifest, immutable},
		"/v2/charts/heat/blobs/" + string(archive):           {archive, blob, immutable},
		"/v2/charts/heat/blobs/" + string(m.Config.Digest):   {m.Config.Digest, blob, immutable},
		"/v2/library/nginx/manifests/1":                      {manifest, ocispec.MediaTypeImageManifest, "no-cache"},
		"/v2/library/nginx/manifests/" + string(manifest):    {manifest, ocispec.MediaTypeImageManifest, immutable},
		"/v2/charts/library/nginx/blobs/" + string(large):    {large, blob, immutable},
		"/v2/charts/library/nginx/blobs/" + string(manifest): {manifest, blob, immutable},
	} {
		resp := f.get(target, "Accept-Encoding", "gzip")
		body := text(t, resp)
		if resp.StatusCode != 200 || digest.FromString(body) != want.digest {
			t.Fatalf("%s: got %s, %.80s", target, resp.Status, body)
		}
		for name, value := range map[string]string{
			"Docker-Content-Digest": string(want.digest), "Etag": `"` + string(want.digest) + `"`, "Content-Type": want.kind, "Cache-Control": want.cache,
			"Content-Length": fmt.Sprint(len(body)), "Content-Encoding": "", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff",
		} {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", target, name, got, value)
			}
		}
		if len(resp.Header) > 9 {
			t.Errorf("%s: %d headers: %v", target, len(resp.Header), resp.Header)
		}
		head := f.do(http.MethodHead, target)
		if head.StatusCode != 200 || text(t, head) != "" || head.Header.Get("Content-Length") != fmt.Sprint(len(body)) || head.Header.Get("Docker-Content-Digest") != string(want.digest) {
			t.Errorf("HEAD %s: %s, %v", target, head.Status, head.Header)
		}
		for name, tt := range map[string]struct {
			header, value string
			status        int
			body          string
		}{
			"has it":        {"If-None-Match", `"` + string(want.digest) + `"`, 304, ""},
			"has another":   {"If-None-Match", `"x"`, 200, body},
			"first":         {"Range", "bytes=0-3", 206, body[:4]},
			"last":          {"Range", "bytes=-3", 206, body[len(body)-3:]},
			"behind":        {"Range", "bytes=1000000-", 416, "invalid range: failed to overlap\n"},
			"wants it":      {"If-Match", `"` + string(want.digest) + `"`, 200, body},
			"wants another": {"If-Match", `"x"`, 412, `{"errors":[{"code":"UNSUPPORTED","message":"precondition failed"}]}`},
		} {
			if got := f.get(target, tt.header, tt.value); got.StatusCode != tt.status || text(t, got) != tt.body {
				t.Errorf("%s, %s: got %s", target, name, got.Status)
			}
		}
	}
	for target, want := range map[string]int{
		"/v2/library/nginx/blobs/" + string(archive): 404, "/v2/heat/blobs/" + string(large): 404, "/v2/heat/blobs/sha256:00": 400, "/v2/heat/manifests/md5:00": 400,
		"/v2/heat/manifests/.x": 404, "/v2/library/nginx/manifests/2": 404, "/v2/nginx/manifests/1": 404, "/v2/heat/referrers/x": 400,
	} {
		if got := f.get(target); got.StatusCode != want {
			t.Errorf("%s: got %s, want %d", target, got.Status, want)
		}
	}
}

// The archive that a blob is may be written again, by who makes the same bytes: that is
// waited for.
func TestReplacedBlobIsWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(f *fixture)
		want int
	}{
		"again": {func(f *fixture) { f.src.p.Store(f.snapshot(f.heat)) }, 200},
		"gone": {func(f *fixture) {
			f.heat = f.write("heat-1.0.0.tgz", "another heat")
			f.src.p.Store(f.snapshot(f.heat))
		}, 404},
		"never": {func(*fixture) {}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, Options{})
				blob := "/v2/charts/heat/blobs/sha256:" + strings.Trim(f.heat.ETag, `"`)
				was := *f.heat
				was.ModTime = was.ModTime.Add(-time.Hour)
				next := f.heat
				f.heat = &was
				f.src.p.Store(f.snapshot(f.heat))
				f.heat = next
				done := make(chan *http.Response)
				go func() { done <- f.get(blob) }()
				time.Sleep(100 * time.Millisecond)
				tt.then(f)
				if got := <-done; got.StatusCode != tt.want {
					t.Errorf("got %s, want %d", got.Status, tt.want)
				}
			})
		})
	}
}

// A large blob is sent by the kernel.
func TestLargeBlobIsSentFromDisk(t *testing.T) {
	f, large, _ := registryFixture(t, Options{})
	w := &writer{ResponseRecorder: httptest.NewRecorder()}
	f.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/library/nginx/blobs/"+string(large), nil))
	if got := strings.Join(w.sources, "; "); got != "100000 of *os.File" {
		t.Errorf("net/http reads %q", got)
	}
}

// Whatever the context path, charts are below it, below charts/, and alone.
func TestRegistryAndContextPath(t *testing.T) {
	for context, names := range map[string]map[string]int{
		"/helm/stable": {"helm/stable/heat": 200, "charts/heat": 200, "heat": 200, "helm/heat": 404, "helm/stable": 404},
		"/":            {"charts/heat": 200, "heat": 200, "helm/stable/heat": 404},
	} {
		f := newFixture(t, Options{ContextPath: context})
		for name, want := range names {
			if got := f.get("/v2/" + name + "/manifests/1.0.0"); got.StatusCode != want {
				t.Errorf("%s, %s: got %s, want %d", context, name, got.Status, want)
			}
		}
		if got := f.get(strings.TrimSuffix(context, "/") + "/v2/_catalog"); (got.StatusCode == 200) != (context == "/") {
			t.Errorf("%s: a registry below the context path: %s", context, got.Status)
		}
	}
	for _, context := range []string{"/v2", "/v2/charts"} {
		if _, err := New(&source{}, Options{ContextPath: context}); err == nil {
			t.Errorf("%s is taken", context)
		}
	}
}

// Lists come in the pages that clients ask for, and Link leads through them.
func TestListsInPages(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	for _, c := range [][2]string{{"a", "1.0.0"}, {"a", "1.10.0+x"}, {"a", "1.2.0"}, {"b", "1.0.0"}, {"c", "1.0.0"}, {"D", "1.0.0"}} {
		u.upload(c[0], c[1])
	}
	for target, want := range map[string]string{
		"/v2/charts/a/tags/list": "1.0.0 1.10.0_x 1.2.0", "/v2/_catalog": "charts/a charts/b charts/c", "//v2//a/tags/list": "1.0.0 1.10.0_x 1.2.0",
	} {
		for n := range 5 {
			pages, got := 0, []string{}
			for at := target + "?n=" + fmt.Sprint(n); at != "" && pages < 9; pages++ {
				resp := u.get(at)
				var list struct {
					Name               string
					Tags, Repositories []string
				}
				if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || resp.StatusCode != 200 {
					t.Fatal(at, resp.Status, err)
				}
				if list.Tags == nil && list.Repositories == nil {
					t.Errorf("%s: null is no list", at)
				}
				got = append(append(got, list.Tags...), list.Repositories...)
				at, _ = strings.CutPrefix(resp.Header.Get("Link"), "<")
				at, _ = strings.CutSuffix(at, `>; rel="next"`)
				if strings.HasPrefix(at, "//") {
					t.Errorf("Link leads to a host: %s", at)
				}
			}
			all, wantPages := want, 1
			switch n {
			case 0:
				all = ""
			case 1, 2:
				wantPages = (3 + n - 1) / n
			}
			if strings.Join(got, " ") != all || pages != wantPages {
				t.Errorf("%s by %d: got %v in %d pages", target, n, got, pages)
			}
		}
		if got := u.get(target + "?n=x"); got.StatusCode != 400 {
			t.Errorf("%s?n=x: %s", target, got.Status)
		}
	}
	if got := u.get("/v2/charts/D/tags/list"); got.StatusCode != 400 {
		t.Errorf("a name that no registry has: %s", got.Status)
	}
}

func (u *uploader) get(target string, header ...string) *http.Response {
	u.t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	u.h.ServeHTTP(w, r)
	return w.Result()
}

// upload publishes a chart in the root repository, or by a base such as api/team/ in another.
func (u *uploader) upload(name, version string, base ...string) {
	u.t.Helper()
	target := "/api/" + strings.Join(base, "") + "charts"
	code, body := u.do(http.MethodPost, target, strings.NewReader(string(chartArchive(u.t, name, version, nil))), as("all")...)
	if code != http.StatusCreated {
		u.t.Fatal(target, code, body)
	}
}

// Who may read some charts finds those alone, in lists, by tag and by digest; each repository
// has its own.
func TestRegistryReaders(t *testing.T) {
	g := guardOf(t, "", `- {names: [reader], rights: [read], repositories: [/, team], charts: ["web-*"]}`)
	s := newSeveral(t, Options{Access: g})
	for _, base := range []string{"", "team/", "org/other/"} {
		s.upload("web-a", "1.0.0", base)
		s.upload("nova", "1.0.0", base)
	}
	var nova ocispec.Manifest
	resp := s.get("/v2/charts/nova/manifests/1.0.0", as("all")...)
	if err := json.NewDecoder(resp.Body).Decode(&nova); err != nil {
		t.Fatal(err)
	}
	digestOfNova := resp.Header.Get("Docker-Content-Digest")
	archive := string(nova.Layers[0].Digest)
	for target, want := range map[string][3]int{ // reader, all, nobody
		"/v2/charts/web-a/tags/list":                 {200, 200, 401},
		"/v2/web-a/manifests/1.0.0":                  {200, 200, 401},
		"/v2/charts/team/web-a/manifests/1.0.0":      {200, 200, 401},
		"/v2/charts/org/other/web-a/manifests/1.0.0": {403, 200, 401},
		"/v2/charts/nova/tags/list":                  {403, 200, 401},
		"/v2/charts/nova/manifests/1.0.0":            {403, 200, 401},
		"/v2/charts/nova/manifests/" + digestOfNova:  {403, 200, 401},
		"/v2/charts/web-a/manifests/" + digestOfNova: {404, 404, 401},
		"/v2/charts/nova/blobs/" + archive:           {403, 200, 401},
		"/v2/charts/web-a/blobs/" + archive:          {404, 404, 401},
		"/v2/charts/team/web-a/blobs/" + archive:     {404, 404, 401},
		"/v2/charts/nova/referrers/" + digestOfNova:  {403, 200, 401},
		"/v2/charts/new/nova/tags/list":              {403, 404, 401},
		"/v2/charts/none/tags/list":                  {403, 404, 401},
	} {
		for i, who := range [][]string{as("reader"), as("all"), nil} {
			if got := s.get(target, who...); got.StatusCode != want[i] {
				t.Errorf("%s by number %d: got %s, want %d", target, i, got.Status, want[i])
			}
		}
	}
	for who, want := range map[string][]string{
		"reader": {"charts/team/web-a", "charts/web-a"},
		"writer": {},
		"all":    {"charts/nova", "charts/org/other/nova", "charts/org/other/web-a", "charts/team/nova", "charts/team/web-a", "charts/web-a"},
	} {
		var got struct{ Repositories []string }
		if err := json.NewDecoder(s.get("/v2/_catalog", as(who)...).Body).Decode(&got); err != nil || !slices.Equal(got.Repositories, want) {
			t.Errorf("%s finds %v, %v", who, got.Repositories, err)
		}
	}
	if got := s.get("/v2/charts/web-a/manifests/1.0.0", as("reader")...).Header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("caches of others may keep it: %q", got)
	}
}

// Names of what was pushed are in the catalog as their readers may have them.
func TestCatalogHasWhatWasPushed(t *testing.T) {
	g := guardOf(t, "", `- {names: [reader], rights: [read], charts: ["library/*"]}
- {names: [a], rights: [read], charts: [heat]}`)
	f, _, _ := registryFixture(t, Options{Access: g})
	for who, want := range map[string]string{"reader": "library/nginx", "a": "charts/heat", "all": "charts/heat charts/nova library/nginx"} {
		var got struct{ Repositories []string }
		err := json.NewDecoder(f.get("/v2/_catalog", as(who)...).Body).Decode(&got)
		if strings.Join(got.Repositories, " ") != want || err != nil {
			t.Errorf("%s finds %v, %v", who, got.Repositories, err)
		}
	}
	for who, want := range map[string]int{"reader": 200, "a": 403, "all": 200} {
		if got := f.get("/v2/library/nginx/manifests/1", as(who)...); got.StatusCode != want {
			t.Errorf("%s gets %s, want %d", who, got.Status, want)
		}
	}
}

// An index of referrers is there for whatever is asked, and says what it was filtered by.
func TestReferrersOfNothing(t *testing.T) {
	f := newFixture(t, Options{})
	for _, name := range []string{"charts/heat", "charts/none", "a/b"} {
		resp := f.get("/v2/" + name + "/referrers/" + f.manifest + "?artifactType=a/b")
		body, err := io.ReadAll(resp.Body)
		const want = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
		if err != nil || resp.StatusCode != 200 || string(body) != want || resp.Header.Get("Content-Type") != ocispec.MediaTypeImageIndex || resp.Header.Get("OCI-Filters-Applied") != "artifactType" {
			t.Errorf("%s: %s, %s, %v, %v", name, resp.Status, body, resp.Header, err)
		}
	}
}

// The manifest of a replaced version is there by its digest, while index and tag have the new
// one.
func TestReplacedByDigest(t *testing.T) {
	u := newUploader(t, Options{Uploads: Uploads{Overwrite: true}}, repo.Options{KeepReplaced: time.Hour})
	var digests []string
	for _, text := range []string{"one", "two"} {
		code, body := u.do(http.MethodPost, "/api/charts", strings.NewReader(string(chartArchive(t, "nova", "1.0.0", map[string]string{"values.yaml": text + ": 1"}))))
		if code != 201 {
			t.Fatal(code, body)
		}
		resp := u.get("/v2/charts/nova/manifests/1.0.0")
		var m ocispec.Manifest
		if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
			t.Fatal(err)
		}
		if _, index := u.do(http.MethodGet, "/index.json", nil); !strings.Contains(index, m.Layers[0].Digest.Encoded()) {
			t.Errorf("the index has not %s: %s", m.Layers[0].Digest, index)
		}
		digests = append(digests, resp.Header.Get("Docker-Content-Digest"))
	}
	for _, d := range digests {
		if got := u.get("/v2/charts/nova/manifests/" + d); got.StatusCode != 200 || got.Header.Get("Docker-Content-Digest") != d {
			t.Errorf("%s: %s", d, got.Status)
		}
	}
	if digests[0] == digests[1] {
		t.Errorf("digests %v", digests)
	}
}

// A chart is served, as the View has it, beside an index.json that can't be read; other content
// of its name is not there meanwhile, which is an error.
func TestChartBesideABrokenLayout(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	r, _ := repositoryIn(t, dir, repo.Options{})
	u := serveUploads(t, r, Options{Logger: newLogger(log)})
	u.upload("web", "1.0.0")
	made := u.tagged("web", "1.0.0")
	image := plainImage("layer")
	if resp := u.push("web", "latest", image); resp.StatusCode != 201 {
		t.Fatal(resp.Status)
	}
	file := filepath.Join(".oci", "web", "index.json")
	if err := os.WriteFile(filepath.Join(dir, file), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{
		"tags/list": 200, "manifests/1.0.0": 200, "manifests/" + made: 200,
		"manifests/latest": 500, "manifests/" + image.digest(): 500, "referrers/" + made: 500,
	} {
		before := log.String()
		if resp := u.get("/v2/charts/web/" + target); resp.StatusCode != want {
			t.Errorf("%s: %s", target, resp.Status)
		}
		said := strings.TrimPrefix(log.String(), before)
		if strings.Count(said, "level=ERROR") != 1 || !strings.Contains(said, file) || !strings.Contains(said, "repair it") {
			t.Errorf("%s: the log says %q", target, said)
		}
	}
	if got := u.tagged("charts/web", "1.0.0"); got != made {
		t.Errorf("the tag has %q, want %s", got, made)
	}
}
