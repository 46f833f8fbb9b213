package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ask returns the whole answer.
func (u *uploader) ask(method, target string, body io.Reader, header ...string) *http.Response {
	u.t.Helper()
	r := httptest.NewRequest(method, target, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	u.h.ServeHTTP(w, r)
	return w.Result()
}

// expect asks, and fails unless the answer has that status and, of an error, that code.
func (u *uploader) expect(status int, code, method, target string, body io.Reader, header ...string) *http.Response {
	u.t.Helper()
	resp := u.ask(method, target, body, header...)
	data, _ := io.ReadAll(resp.Body)
	var got struct {
		Errors []struct{ Code, Message string }
	}
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(data, &got); err != nil || len(got.Errors) != 1 || got.Errors[0].Message == "" {
			u.t.Errorf("%s %s: no error of a registry: %s", method, target, data)
			return resp
		}
	}
	if resp.StatusCode != status || status >= 400 && got.Errors[0].Code != code {
		u.t.Errorf("%s %s: got %s %s, want %d %s", method, target, resp.Status, data, status, code)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp
}

// image is a manifest with its blobs.
type image struct {
	blobs    [][]byte
	manifest []byte
}

func (i *image) digest() string { return string(digest.FromBytes(i.manifest)) }

func descriptor(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// helmImage is what helm push sends of a chart; note makes another manifest of the same
// chart. prov is nil where there is none.
func helmImage(archive, prov []byte, note string) *image {
	config := []byte(`{"name":"web","apiVersion":"v2"}`)
	m := ocispec.Manifest{
		Config: descriptor(oci.ConfigType, config), Layers: []ocispec.Descriptor{descriptor(oci.ChartType, archive)},
		Annotations: map[string]string{ocispec.AnnotationCreated: note},
	}
	m.SchemaVersion = 2
	i := &image{blobs: [][]byte{config, archive}}
	if prov != nil {
		m.Layers = append(m.Layers, descriptor(oci.ProvenanceType, prov))
		i.blobs = append(i.blobs, prov)
	}
	i.manifest = jsonOf(m)
	return i
}

// plainImage is one that is no chart.
func plainImage(layer string) *image {
	config := []byte("{}")
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: descriptor(ocispec.MediaTypeImageConfig, config), Layers: []ocispec.Descriptor{descriptor(ocispec.MediaTypeImageLayer, []byte(layer))}}
	m.SchemaVersion = 2
	return &image{blobs: [][]byte{config, []byte(layer)}, manifest: jsonOf(m)}
}

// pushBlobs uploads the blobs of an image.
func (u *uploader) pushBlobs(name string, i *image) {
	u.t.Helper()
	for _, b := range i.blobs {
		u.expect(201, "", "POST", "/v2/"+name+"/blobs/uploads/?digest="+string(digest.FromBytes(b)), bytes.NewReader(b))
	}
}

// putManifest puts the manifest of an image.
func (u *uploader) putManifest(name, reference string, i *image, header ...string) *http.Response {
	u.t.Helper()
	return u.ask("PUT", "/v2/"+name+"/manifests/"+reference, bytes.NewReader(i.manifest), append(header, "Content-Type", ocispec.MediaTypeImageManifest)...)
}

// push is what helm push does.
func (u *uploader) push(name, tag string, i *image) *http.Response {
	u.t.Helper()
	u.pushBlobs(name, i)
	if resp := u.putManifest(name, i.digest(), i); resp.StatusCode != 201 {
		u.t.Errorf("%s by digest: %s", name, resp.Status)
	}
	return u.putManifest(name, tag, i)
}

// tagged is the digest of the manifest that a tag has, all of whose blobs are there; empty:
// it has none.
func (u *uploader) tagged(name, tag string) string {
	u.t.Helper()
	resp := u.ask("GET", "/v2/"+name+"/manifests/"+tag, nil)
	data, _ := io.ReadAll(resp.Body)
	if resp.StatusCode == 404 {
		return ""
	}
	var m ocispec.Manifest
	got := resp.Header.Get("Docker-Content-Digest")
	if err := json.Unmarshal(data, &m); resp.StatusCode != 200 || err != nil || string(digest.FromBytes(data)) != got {
		u.t.Fatalf("%s:%s: %s, %v, %s", name, tag, resp.Status, err, data)
	}
	for _, d := range append(m.Layers, m.Config) {
		resp := u.ask("GET", "/v2/"+name+"/blobs/"+string(d.Digest), nil)
		if data, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || digest.FromBytes(data) != d.Digest {
			u.t.Errorf("%s:%s: blob %s: %s", name, tag, d.Digest, resp.Status)
		}
	}
	return got
}

// A chart that is pushed is in the index, under its manifest's bytes; the same again is fine,
// and so is another manifest of the same archive.
func TestPushChart(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0+a", nil)
	prov := []byte(provenanceOf("web", "1.0.0+a", archive))
	for name, as := range map[string]string{"charts/web": "helm", "web": "bare"} {
		t.Run(as, func(t *testing.T) {
			u := newUploader(t, Options{}, repo.Options{})
			for _, i := range []*image{helmImage(archive, nil, "1"), helmImage(archive, nil, "1"), helmImage(archive, prov, "2"), helmImage(archive, nil, "3")} {
				resp := u.push(name, "1.0.0_a", i)
				if resp.StatusCode != 201 || resp.Header.Get("Docker-Content-Digest") != i.digest() || resp.Header.Get("Location") != "/v2/"+name+"/manifests/"+i.digest() {
					t.Fatalf("got %s, %v", resp.Status, resp.Header)
				}
				if got := u.tagged("charts/web", "1.0.0_a"); got != i.digest() {
					t.Errorf("the tag has %s, want %s", got, i.digest())
				}
			}
			if v := u.r.View().Chart("web").Version("1.0.0+a"); v == nil || v.Entry.Digest != digest.FromBytes(archive).Encoded() {
				t.Errorf("the index has %v", v)
			}
			if code, body := u.do("GET", "/charts/web-1.0.0+a.tgz.prov", nil); code != 200 || body != string(prov) {
				t.Errorf("the provenance: %d %q", code, body)
			}
			if code, body := u.do("GET", "/v2/web/tags/list", nil); body != `{"name":"web","tags":["1.0.0_a"]}` {
				t.Errorf("tags: %d %s", code, body)
			}
		})
	}
}

// What the repository refuses of an upload it refuses of a push, which leaves nothing that is
// served, under the tag and by digest.
func TestPushRefused(t *testing.T) {
	one, other := chartArchive(t, "web", "1.0.0", nil), chartArchive(t, "web", "1.0.0", map[string]string{"values.yaml": "a: 1\n"})
	next := chartArchive(t, "web", "1.1.0", nil)
	broken := append(bytes.Clone(next[:len(next)-8]), 0, 0, 0, 0, 0, 0, 0, 0)
	large := chartArchive(t, "web", "2.0.0", map[string]string{"x": incompressible(8 << 10)})
	prov := []byte(provenanceOf("web", "1.1.0", one))
	for name, tt := range map[string]struct {
		i      *image
		tag    string
		status int
		code   string
		keeps  bool // it is the manifest of what is there
	}{
		"there with other bytes":          {helmImage(other, nil, ""), "1.0.0", 409, "DENIED", false},
		"broken":                          {helmImage(broken, nil, ""), "1.1.0", 400, "MANIFEST_INVALID", false},
		"too large":                       {helmImage(large, nil, ""), "2.0.0", 413, "SIZE_INVALID", false},
		"provenance of another":           {helmImage(next, prov, ""), "1.1.0", 400, "MANIFEST_INVALID", false},
		"no provenance":                   {helmImage(next, []byte("no"), ""), "1.1.0", 400, "MANIFEST_INVALID", false},
		"bad provenance of what is there": {helmImage(one, []byte("no"), ""), "1.0.0", 400, "MANIFEST_INVALID", false},
		"an image":                        {plainImage("layer"), "1.0.0", 409, "DENIED", true},
		"another chart's archive":         {helmImage(next, nil, ""), "1.0.0", 409, "DENIED", false},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploader(t, Options{Uploads: Uploads{MaxSize: 4 << 10}}, repo.Options{})
			first := helmImage(one, nil, "first")
			if resp := u.push("web", "1.0.0", first); resp.StatusCode != 201 {
				t.Fatal(resp.Status)
			}
			u.pushBlobs("web", tt.i)
			if resp := u.putManifest("web", tt.i.digest(), tt.i); resp.StatusCode != 201 {
				t.Fatal(resp.Status)
			}
			before := u.r.View()
			u.expect(tt.status, tt.code, "PUT", "/v2/web/manifests/"+tt.tag, bytes.NewReader(tt.i.manifest), "Content-Type", ocispec.MediaTypeImageManifest)
			if got := u.tagged("web", "1.0.0"); got != first.digest() || u.r.View().Index != before.Index {
				t.Errorf("what was there has changed: %s", got)
			}
			if got := u.tagged("web", tt.i.digest()); (got != "") != tt.keeps {
				t.Errorf("by digest there is %q", got)
			}
			if code, body := u.do("GET", "/v2/web/tags/list", nil); body != `{"name":"web","tags":["1.0.0"]}` {
				t.Errorf("tags: %d %s", code, body)
			}
		})
	}
}

// A manifest that was taken once stays what its digest leads to when it is pushed again and
// refused, because the version has other bytes by then.
func TestPushRefusedAgain(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{KeepReplaced: time.Hour})
	first := helmImage(chartArchive(t, "web", "1.0.0", nil), nil, "")
	if resp := u.push("web", "1.0.0", first); resp.StatusCode != 201 {
		t.Fatal(resp.Status)
	}
	if code, body := u.do("POST", "/api/charts?force", bytes.NewReader(chartArchive(t, "web", "1.0.0", map[string]string{"a": "b"}))); code != 201 {
		t.Fatal(code, body)
	}
	if resp := u.push("web", "1.0.0", first); resp.StatusCode != 409 {
		t.Fatal(resp.Status)
	}
	if got := u.tagged("web", first.digest()); got != first.digest() {
		t.Errorf("by digest there is %q", got)
	}
}

func incompressible(n int) string {
	out := ""
	for i := 0; len(out) < n; i++ {
		out += digest.FromString(fmt.Sprint(i)).Encoded()
	}
	return out[:n]
}

// A live source holds its versions: they can be neither pushed nor deleted.
func TestPushHeld(t *testing.T) {
	source := t.TempDir()
	archive := chartArchive(t, "web", "1.0.0", nil)
	if err := os.WriteFile(filepath.Join(source, "web-1.0.0.tgz"), archive, 0o644); err != nil {
		t.Fatal(err)
	}
	u := newUploader(t, Options{}, repo.Options{Sources: []string{source}})
	made := u.tagged("web", "1.0.0")
	for _, bytes := range [][]byte{archive, chartArchive(t, "web", "1.0.0", map[string]string{"a": "b"})} {
		if resp := u.push("web", "1.0.0", helmImage(bytes, nil, "")); resp.StatusCode != 409 {
			t.Errorf("got %s", resp.Status)
		}
	}
	for _, reference := range []string{"1.0.0", made} {
		u.expect(409, "DENIED", "DELETE", "/v2/web/manifests/"+reference, nil)
	}
	u.expect(409, "DENIED", "DELETE", "/v2/web/blobs/"+string(digest.FromBytes(archive)), nil)
	if got := u.tagged("web", "1.0.0"); got != made {
		t.Errorf("the tag has %s, want %s", got, made)
	}
}

// Everything else that looks like a chart is kept and is not in the index; one line says why.
func TestPushNoChart(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0", nil)
	chart := helmImage(archive, nil, "")
	two := helmImage(archive, nil, "")
	two.manifest = bytes.Replace(two.manifest, []byte(`"layers":[`), []byte(`"layers":[`+string(jsonOf(descriptor(ocispec.MediaTypeImageLayer, archive)))+","), 1)
	for name, tt := range map[string]struct {
		name, tag string
		i         *image
		said      bool
	}{
		"below no repository": {"library/web", "1.0.0", chart, true},
		"another name":        {"other", "1.0.0", chart, true},
		"another tag":         {"web", "latest", chart, true},
		"another version":     {"web", "1.0.0_a", chart, true},
		"by digest":           {"web", chart.digest(), chart, false},
		"two layers":          {"web", "1.0.0", two, false},
		"an image":            {"web", "1.0.0", plainImage("x"), false},
	} {
		t.Run(name, func(t *testing.T) {
			log := &lockedBuffer{}
			u := newUploader(t, Options{Logger: newLogger(log)}, repo.Options{})
			u.pushBlobs(tt.name, tt.i)
			if resp := u.putManifest(tt.name, tt.tag, tt.i); resp.StatusCode != 201 {
				t.Fatal(resp.Status)
			}
			if got := u.tagged(tt.name, tt.tag); got != tt.i.digest() {
				t.Errorf("the tag has %q, want %q", got, tt.i.digest())
			}
			if n := u.r.View().Index.Versions; n != 0 {
				t.Errorf("the index has %d versions", n)
			}
			if said := strings.Count(log.String(), "not in the index") == 1; said != tt.said {
				t.Errorf("the log says so: %v, in %s", said, log)
			}
		})
	}
}

// Tags of artifacts move, and go; what they led to is found by its digest until that is
// deleted.
func TestTagsMove(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	one, two := plainImage("one"), plainImage("two")
	for _, i := range []*image{one, two} {
		u.pushBlobs("a/b", i)
		for _, tag := range []string{"latest", "x"} {
			if resp := u.putManifest("a/b", tag, i); resp.StatusCode != 201 || u.tagged("a/b", tag) != i.digest() {
				t.Fatal(tag, resp.Status)
			}
		}
	}
	if u.tagged("a/b", one.digest()) != one.digest() {
		t.Error("what a tag has left is gone")
	}
	u.expect(202, "", "DELETE", "/v2/a/b/manifests/latest", nil)
	u.expect(404, "MANIFEST_UNKNOWN", "DELETE", "/v2/a/b/manifests/latest", nil)
	if u.tagged("a/b", "latest") != "" || u.tagged("a/b", "x") == "" || u.tagged("a/b", two.digest()) == "" {
		t.Error("a tag that is deleted takes more with it, or stays")
	}
	u.expect(202, "", "DELETE", "/v2/a/b/manifests/"+two.digest(), nil)
	u.expect(404, "MANIFEST_UNKNOWN", "DELETE", "/v2/a/b/manifests/"+two.digest(), nil)
	if u.tagged("a/b", "x") != "" || u.tagged("a/b", two.digest()) != "" || u.tagged("a/b", one.digest()) == "" {
		t.Error("a manifest that is deleted takes more with it, or stays")
	}
	layer := "/v2/a/b/blobs/" + string(digest.FromString("two"))
	u.expect(202, "", "DELETE", layer, nil)
	u.expect(404, "BLOB_UNKNOWN", "DELETE", layer, nil)
	u.expect(404, "BLOB_UNKNOWN", "GET", layer, nil)
}

// A chart's manifest is deleted with the version, however it is called; a version that is
// deleted by others has no tag.
func TestDeletePushed(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0", nil)
	i := helmImage(archive, nil, "")
	for name, tt := range map[string]struct {
		method, target string
		status         int
		keep           time.Duration
		gone           bool // by digest too
	}{
		"by tag":           {"DELETE", "/v2/charts/web/manifests/1.0.0", 202, time.Hour, false},
		"by digest":        {"DELETE", "/v2/charts/web/manifests/" + i.digest(), 202, time.Hour, true},
		"by API":           {"DELETE", "/api/charts/web/1.0.0", 200, time.Hour, false},
		"by tag, not kept": {"DELETE", "/v2/charts/web/manifests/1.0.0", 202, 0, true},
		"by API, not kept": {"DELETE", "/api/charts/web/1.0.0", 200, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploader(t, Options{}, repo.Options{KeepReplaced: tt.keep})
			if resp := u.push("web", "1.0.0", i); resp.StatusCode != 201 {
				t.Fatal(resp.Status)
			}
			if resp := u.putManifest("web", i.digest(), i); resp.StatusCode != 201 { // once more, and goes with the version
				t.Fatal(resp.Status)
			}
			if resp := u.ask(tt.method, tt.target, nil); resp.StatusCode != tt.status {
				t.Fatal(resp.Status)
			}
			if u.tagged("web", "1.0.0") != "" || u.r.View().Chart("web") != nil {
				t.Error("the version is there still")
			}
			if gone := u.tagged("web", i.digest()) == ""; gone != tt.gone {
				t.Errorf("by digest it is gone: %v", gone)
			}
			if resp := u.push("web", "1.0.0", i); resp.StatusCode != 201 || u.tagged("web", "1.0.0") != i.digest() {
				t.Errorf("once more: %s", resp.Status)
			}
		})
	}
}

// Without uploads, or deletes, their methods are refused as such.
func TestNoPush(t *testing.T) {
	none := &uploader{t: t, h: newFixture(t, Options{}).h}
	kept := newUploader(t, Options{Uploads: Uploads{NoDelete: true}}, repo.Options{})
	d := string(digest.FromString("x"))
	for _, tt := range []struct {
		u              *uploader
		method, target string
		status         int
	}{
		{none, "POST", "/v2/web/blobs/uploads/", 405}, {none, "PUT", "/v2/web/manifests/1.0.0", 405}, {none, "DELETE", "/v2/web/manifests/1.0.0", 405},
		{none, "DELETE", "/v2/web/blobs/" + d, 405}, {kept, "DELETE", "/v2/web/manifests/1.0.0", 405}, {kept, "DELETE", "/v2/web/blobs/" + d, 405},
		{kept, "DELETE", "/v2/web/blobs/uploads/x", 404},
	} {
		code := "UNSUPPORTED"
		if tt.status == 404 {
			code = "BLOB_UPLOAD_UNKNOWN"
		}
		tt.u.expect(tt.status, code, tt.method, tt.target, nil)
	}
	if body := text(t, none.ask("POST", "/v2/web/blobs/uploads/", nil)); !strings.Contains(body, "--allow-upload") {
		t.Errorf("got %s", body)
	}
}

// Who may push what is asked by name, and the log has a line of each try, with the version
// and the reason.
func TestPushRights(t *testing.T) {
	log := &lockedBuffer{}
	u := newUploader(t, Options{Logger: newLogger(log), Access: guardOf(t, "", "- {names: [reader], rights: [read, upload], charts: [web-a]}")}, repo.Options{})
	i, archive := plainImage("x"), chartArchive(t, "web-a", "1.0.0+b", nil)
	chart := helmImage(archive, nil, "")
	for name, tt := range map[string]struct {
		status         int
		code           string
		method, target string
		body           []byte
		as, line       string
	}{
		"begins":         {202, "", "POST", "/v2/web-a/blobs/uploads/", nil, "reader", ""},
		"other name":     {403, "DENIED", "POST", "/v2/web-b/blobs/uploads/", nil, "reader", `reason="reader may not upload charts of the name web-b"`},
		"name below it":  {403, "DENIED", "POST", "/v2/web-a/x/blobs/uploads/", nil, "reader", "chart=web-a/x"},
		"image":          {403, "DENIED", "PUT", "/v2/web-b/manifests/1", i.manifest, "reader", "chart=web-b version=1"},
		"deletes":        {403, "DENIED", "DELETE", "/v2/web-a/manifests/1", nil, "reader", `reason="reader may not delete charts"`},
		"ends an upload": {404, "BLOB_UPLOAD_UNKNOWN", "DELETE", "/v2/web-a/blobs/uploads/x", nil, "reader", "status=404"},
		"looks at one":   {404, "BLOB_UPLOAD_UNKNOWN", "GET", "/v2/web-a/blobs/uploads/x", nil, "reader", ""},
		"asks how":       {401, "UNAUTHORIZED", "GET", "/v2/web-a/tags/list", nil, "", ""},
		"is not known":   {401, "UNAUTHORIZED", "GET", "/v2/web-a/tags/list", nil, "other", "msg=refused"},
		"nobody":         {401, "UNAUTHORIZED", "POST", "/v2/web-a/blobs/uploads/", nil, "", "no login"},
		"no blobs":       {400, "MANIFEST_BLOB_UNKNOWN", "PUT", "/v2/web-a/manifests/1.0.0_b", chart.manifest, "reader", `chart=web-a version=1.0.0+b reason="a blob of the manifest is not there: sha256:`},
		"no digest":      {400, "DIGEST_INVALID", "PUT", "/v2/web-a/manifests/sha256:x", chart.manifest, "reader", `reason="not a digest`},
	} {
		t.Run(name, func(t *testing.T) {
			u, from := *u, len(log.String())
			u.t = t
			header := []string{"Content-Type", ocispec.MediaTypeImageManifest}
			if tt.as != "" {
				header = append(header, as(tt.as)...)
			}
			u.expect(tt.status, tt.code, tt.method, tt.target, bytes.NewReader(tt.body), header...)
			if got := log.String()[from:]; !strings.Contains(got, tt.line) || strings.Count(got, "\n") > 1 || tt.line == "" && got != "" {
				t.Errorf("the log has %q, want %q", got, tt.line)
			}
		})
	}
	for _, b := range chart.blobs {
		u.expect(201, "", "POST", "/v2/web-a/blobs/uploads/?digest="+string(digest.FromBytes(b)), bytes.NewReader(b), as("reader")...)
	}
	if resp := u.putManifest("web-a", "1.0.0_b", chart, as("reader")...); resp.StatusCode != 201 {
		t.Error(resp.Status)
	}
	other := helmImage(chartArchive(t, "web-a", "1.0.0+b", map[string]string{"a": "b"}), nil, "")
	u.expect(201, "", "POST", "/v2/web-a/blobs/uploads/?digest="+string(digest.FromBytes(other.blobs[1])), bytes.NewReader(other.blobs[1]), as("reader")...)
	u.expect(409, "DENIED", "PUT", "/v2/web-a/manifests/1.0.0_b", bytes.NewReader(other.manifest), append(as("reader"), "Content-Type", ocispec.MediaTypeImageManifest)...)
	for _, line := range []string{
		"user=reader client=192.0.2.1:1234 method=PUT path=/v2/web-a/manifests/1.0.0_b status=201",
		`chart=web-a version=1.0.0+b reason="web-a 1.0.0+b is there already, with other content (raise the version)"`,
	} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("no line with %s in %s", line, log)
		}
	}
}

// Of many clients that push one version at once one kind of bytes wins, and whoever sent
// others is refused; the tag has a manifest of the bytes that the index has.
func TestPushAtOnce(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	const clients, kinds = 32, 4
	images := make([]*image, clients)
	for i := range images {
		images[i] = helmImage(chartArchive(t, "web", "1.0.0", map[string]string{"x": fmt.Sprint(i % kinds)}), nil, fmt.Sprint(i%(2*kinds)))
	}
	status := make([]int, clients)
	var all sync.WaitGroup
	for i, image := range images {
		all.Go(func() { status[i] = u.push("charts/web", "1.0.0", image).StatusCode })
	}
	all.Wait()
	v := u.r.View().Chart("web").Version("1.0.0")
	got := u.tagged("web", "1.0.0")
	found := false
	for i, image := range images {
		won := digest.FromBytes(image.blobs[1]).Encoded() == v.Entry.Digest
		if won && status[i] != 201 || !won && status[i] != 409 {
			t.Errorf("client %d: status %d, its bytes are in the index: %v", i, status[i], won)
		}
		found = found || won && image.digest() == got
		if there := u.tagged("web", image.digest()) != ""; there != won {
			t.Errorf("client %d: its manifest is there: %v, its bytes are: %v", i, there, won)
		}
	}
	if !found {
		t.Errorf("the tag has %s, which nobody pushed with these bytes", got)
	}
}

// A push, an upload and an edit of a source race: whatever wins, index and tag agree at every
// moment.
func TestPushRaces(t *testing.T) {
	source := t.TempDir()
	u := newUploader(t, Options{}, repo.Options{Sources: []string{source}, KeepReplaced: time.Hour})
	done := make(chan bool)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				u.tagged("web", "1.0.0")
			}
		}
	})
	for round := range 5 {
		files := func(who string) map[string]string { return map[string]string{"x": fmt.Sprint(who, round)} }
		var writers sync.WaitGroup
		writers.Go(func() {
			if resp := u.push("web", "1.0.0", helmImage(chartArchive(t, "web", "1.0.0", files("push")), nil, "")); resp.StatusCode != 201 && resp.StatusCode != 409 {
				t.Errorf("push: %s", resp.Status)
			}
		})
		writers.Go(func() {
			archive := chartArchive(t, "web", "1.0.0", files("upload"))
			if code, body := u.do("POST", "/api/charts?force", bytes.NewReader(archive)); code != 201 && code != 409 {
				t.Errorf("upload: %d %s", code, body)
			}
		})
		writers.Go(func() {
			file := filepath.Join(source, "web-1.0.0.tgz")
			err := os.WriteFile(file, chartArchive(t, "web", "1.0.0", files("edit")), 0o644)
			if round%2 == 1 {
				err = os.Remove(file)
			}
			if err != nil {
				t.Error(err)
			}
		})
		writers.Wait()
	}
	close(done)
	all.Wait()
	v := u.r.View().Chart("web").Version("1.0.0")
	if u.tagged("web", "1.0.0") == "" {
		t.Fatal("no tag")
	}
	var m ocispec.Manifest
	body, _ := io.ReadAll(u.ask("GET", "/v2/web/manifests/1.0.0", nil).Body)
	if err := json.Unmarshal(body, &m); err != nil || m.Layers[0].Digest.Encoded() != v.Entry.Digest {
		t.Errorf("the tag has %s, the index %s (%v)", m.Layers[0].Digest, v.Entry.Digest, err)
	}
}

// A push that is refused takes nothing away from one of the same archive that is taken.
func TestPushBesideRefused(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0", nil)
	for range 5 {
		u := newUploader(t, Options{}, repo.Options{})
		good, bad := helmImage(archive, nil, "good"), helmImage(archive, []byte("no provenance"), "bad")
		u.pushBlobs("web", good)
		u.pushBlobs("web", bad)
		var all sync.WaitGroup
		for i := range 16 {
			image, want := good, 201
			if i%2 == 1 {
				image, want = bad, 400
			}
			all.Go(func() {
				if resp := u.putManifest("web", "1.0.0", image); resp.StatusCode != want {
					t.Errorf("got %s, want %d", resp.Status, want)
				}
			})
		}
		all.Wait()
		if got := u.tagged("web", "1.0.0"); got != good.digest() {
			t.Errorf("the tag has %s, want %s", got, good.digest())
		}
		if u.tagged("web", bad.digest()) != "" {
			t.Error("what was refused is there")
		}
	}
}
