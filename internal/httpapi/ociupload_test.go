package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// begin begins an upload, and returns where it goes on.
func (u *uploader) begin(name string) string {
	u.t.Helper()
	resp := u.expect(202, "", "POST", "/v2/"+name+"/blobs/uploads/", nil)
	location := resp.Header.Get("Location")
	if !strings.HasPrefix(location, "/v2/"+name+"/blobs/uploads/") || resp.Header.Get("Range") != "0-0" || resp.Header.Get("Content-Length") != "0" {
		u.t.Fatalf("got %v", resp.Header)
	}
	return location
}

// An upload in parts answers how far it is, takes no part twice or out of order, and goes on
// after one that was cut off.
func TestUploadInParts(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	const text = "0123456789"
	d := digest.FromString(text)
	at := u.begin("charts/a/b")
	is := func(resp *http.Response, want string) {
		t.Helper()
		if resp.Header.Get("Range") != want || resp.Header.Get("Location") != at || resp.Header.Get("Docker-Upload-Uuid") == "" {
			t.Errorf("got %v, want %s of %s", resp.Header, want, at)
		}
	}
	is(u.expect(202, "", "PATCH", at, strings.NewReader(text[:3]), "Content-Range", "0-2"), "0-2")
	for _, part := range []string{"0-2", "2-4", "4-6"} {
		is(u.expect(416, "BLOB_UPLOAD_INVALID", "PATCH", at, strings.NewReader(text[:3]), "Content-Range", part), "0-2")
		is(u.expect(416, "BLOB_UPLOAD_INVALID", "PUT", at+"?digest="+string(d), strings.NewReader(text[:3]), "Content-Range", part), "0-2")
	}
	is(u.expect(204, "", "GET", at, nil), "0-2")
	cut := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(text[3:])))
	u.expect(400, "BLOB_UPLOAD_INVALID", "PATCH", at, cut)
	is(u.expect(204, "", "GET", at, nil), "0-3")
	is(u.expect(202, "", "PATCH", at, io.LimitReader(strings.NewReader(text[4:]), 2)), "0-5")
	for _, bad := range []string{"x", "6", "-6", "7-6", "6-", "-1-6", "6-99999999999999999999", "bytes 6-9/10"} {
		u.expect(400, "BLOB_UPLOAD_INVALID", "PATCH", at, strings.NewReader(text[6:]), "Content-Range", bad)
	}
	for _, bad := range []string{"", "?digest=", "?digest=sha256:1", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e"} {
		u.expect(400, "DIGEST_INVALID", "PUT", at+bad, strings.NewReader(text[6:]))
	}
	resp := u.expect(201, "", "PUT", at+"?digest="+string(d), strings.NewReader(text[6:]), "Content-Range", "6-9")
	if resp.Header.Get("Location") != "/v2/charts/a/b/blobs/"+string(d) || resp.Header.Get("Docker-Content-Digest") != string(d) {
		t.Errorf("got %v", resp.Header)
	}
	if code, body := u.do("GET", resp.Header.Get("Location"), nil); code != 200 || body != text {
		t.Errorf("got %d %s", code, body)
	}
	u.expect(404, "BLOB_UPLOAD_UNKNOWN", "GET", at, nil)
}

func TestUploadErrors(t *testing.T) {
	u := newUploader(t, Options{Uploads: Uploads{MaxBlob: 8}}, repo.Options{MaxBlob: 8})
	d := string(digest.FromString("x"))
	at := func() string { return u.begin("web") }
	for _, tt := range []struct {
		name           string
		status         int
		code           string
		method, target string
		body           io.Reader
		header         []string
	}{
		{"other digest", 400, "DIGEST_INVALID", "PUT", at() + "?digest=" + d, strings.NewReader("y"), nil},
		{"other digest, at once", 400, "DIGEST_INVALID", "POST", "/v2/web/blobs/uploads/?digest=" + d, strings.NewReader("y"), nil},
		{"no digest, at once", 400, "DIGEST_INVALID", "POST", "/v2/web/blobs/uploads/?digest=x", strings.NewReader("y"), nil},
		{"too large", 413, "SIZE_INVALID", "PATCH", at(), strings.NewReader("123456789"), nil},
		{"too large, not announced", 413, "SIZE_INVALID", "PATCH", at(), io.MultiReader(strings.NewReader("123456789")), nil},
		{"too large, at once", 413, "SIZE_INVALID", "POST", "/v2/web/blobs/uploads/?digest=" + d, strings.NewReader("123456789"), nil},
		{"short of its range", 400, "SIZE_INVALID", "PATCH", at(), io.MultiReader(strings.NewReader("12")), []string{"Content-Range", "0-2"}},
		{"unknown", 404, "BLOB_UPLOAD_UNKNOWN", "PATCH", "/v2/web/blobs/uploads/x", strings.NewReader("1"), nil},
		{"unknown, to be finished", 404, "BLOB_UPLOAD_UNKNOWN", "PUT", "/v2/web/blobs/uploads/x?digest=" + d, nil, nil},
		{"unknown, to be ended", 404, "BLOB_UPLOAD_UNKNOWN", "DELETE", "/v2/web/blobs/uploads/x", nil, nil},
		{"another name's", 404, "BLOB_UPLOAD_UNKNOWN", "PATCH", strings.Replace(at(), "web", "other", 1), strings.NewReader("1"), nil},
		{"bad name", 400, "NAME_INVALID", "POST", "/v2/Web/blobs/uploads/", nil, nil},
		{"no blob", 404, "BLOB_UNKNOWN", "DELETE", "/v2/web/blobs/" + d, nil, nil},
		{"no digest", 400, "DIGEST_INVALID", "DELETE", "/v2/web/blobs/sha256:x", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.t = t
			resp := u.expect(tt.status, tt.code, tt.method, tt.target, tt.body, tt.header...)
			if said, _ := io.ReadAll(resp.Body); tt.status == 413 && !strings.Contains(string(said), "more than 8 bytes is too large (the server's --max-blob-size)") {
				t.Errorf("got %s", said)
			}
		})
	}
	// Two parts that are not too large, and together are.
	u.t = t
	long := at()
	u.expect(202, "", "PATCH", long, strings.NewReader("12345"))
	resp := u.expect(413, "SIZE_INVALID", "PATCH", long, io.MultiReader(strings.NewReader("6789")))
	if said, _ := io.ReadAll(resp.Body); !strings.Contains(string(said), "--max-blob-size") {
		t.Errorf("got %s", said)
	}
	u.expect(404, "BLOB_UPLOAD_UNKNOWN", "GET", long, nil)
	ended := at()
	u.expect(204, "", "DELETE", ended, nil)
	u.expect(404, "BLOB_UPLOAD_UNKNOWN", "DELETE", ended, nil)
}

// What another name has is mounted, a chart's archive too; what is not there, or may not be
// read, is uploaded.
func TestMount(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0", nil)
	u := newUploader(t, Options{Access: guardOf(t, "", "- {names: [reader], rights: [read, upload], charts: [open, own]}")}, repo.Options{})
	all, some := as("all"), as("reader")
	u.expect(201, "", "POST", "/v2/open/blobs/uploads/?digest="+string(digest.FromString("x")), strings.NewReader("x"), all...)
	u.expect(201, "", "POST", "/v2/secret/blobs/uploads/?digest="+string(digest.FromString("y")), strings.NewReader("y"), all...)
	if code, body := u.do("POST", "/api/charts", bytes.NewReader(archive), all...); code != 201 {
		t.Fatal(code, body)
	}
	for name, tt := range map[string]struct {
		d      digest.Digest
		from   string
		as     []string
		status int
	}{
		"there":             {digest.FromString("x"), "open", all, 201},
		"there, for some":   {digest.FromString("x"), "charts/open", some, 201},
		"secret":            {digest.FromString("y"), "secret", some, 202},
		"secret, for all":   {digest.FromString("y"), "secret", all, 201},
		"a chart":           {digest.FromBytes(archive), "charts/web", all, 201},
		"a chart, for some": {digest.FromBytes(archive), "charts/web", some, 202},
		"not there":         {digest.FromString("z"), "open", all, 202},
		"from nowhere":      {digest.FromString("x"), "", all, 202},
		"from no name":      {digest.FromString("x"), "../open", all, 202},
		"no digest":         {"sha256:x", "open", all, 202},
	} {
		t.Run(name, func(t *testing.T) {
			u := *u
			u.t = t
			resp := u.expect(tt.status, "", "POST", fmt.Sprintf("/v2/own/blobs/uploads/?mount=%s&from=%s", tt.d, tt.from), nil, tt.as...)
			if tt.status == 201 {
				u.expect(200, "", "GET", "/v2/own/blobs/"+string(tt.d), nil, tt.as...)
				u.expect(202, "", "DELETE", "/v2/own/blobs/"+string(tt.d), nil, all...)
				return
			}
			u.expect(204, "", "GET", resp.Header.Get("Location"), nil, tt.as...)
			if layout.IsDigest(tt.d) {
				u.expect(404, "BLOB_UNKNOWN", "GET", "/v2/own/blobs/"+string(tt.d), nil, all...)
			}
		})
	}
}

// Which manifests are taken.
func TestManifests(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	good := plainImage("x")
	u.pushBlobs("a", good)
	missing, subject := plainImage("y"), plainImage("x")
	subject.manifest = bytes.Replace(subject.manifest, []byte(`{`), []byte(`{"subject":`+string(jsonOf(descriptor(ocispec.MediaTypeImageManifest, []byte("none"))))+`,`), 1)
	foreign := bytes.Replace(missing.manifest, []byte(ocispec.MediaTypeImageLayer), []byte("application/vnd.oci.image.layer.nondistributable.v1.tar"), 1)
	const image, index = ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex
	text := string(good.manifest)
	with := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in %s", old, text)
		}
		return strings.Replace(text, old, new, 1)
	}
	large := `{"schemaVersion":2,"manifests":[],"annotations":{"a":"` + strings.Repeat("x", 4<<20) + `"}}`
	for name, tt := range map[string]struct {
		reference, mediaType, body string
		status                     int
		code                       string
	}{
		"image":                      {"x", image, text, 201, ""},
		"with a charset":             {"x", image + "; charset=utf-8", text, 201, ""},
		"type only inside":           {"x", "", text, 201, ""},
		"type only outside":          {"x", image, with(`"mediaType":"`+image+`",`, ""), 201, ""},
		"type nowhere":               {"x", "", with(`"mediaType":"`+image+`",`, ""), 400, "MANIFEST_INVALID"},
		"types differ":               {"x", index, text, 400, "MANIFEST_INVALID"},
		"text":                       {"x", "text/plain", with(`"mediaType":"`+image+`",`, ""), 400, "MANIFEST_INVALID"},
		"no JSON":                    {"x", image, "no", 400, "MANIFEST_INVALID"},
		"nothing":                    {"x", image, "", 400, "MANIFEST_INVALID"},
		"null":                       {"x", image, "null", 400, "MANIFEST_INVALID"},
		"more behind it":             {"x", image, text + "{}", 400, "MANIFEST_INVALID"},
		"old":                        {"x", image, with(`"schemaVersion":2`, `"schemaVersion":1`), 400, "MANIFEST_INVALID"},
		"both forms":                 {"x", image, with(`{`, `{"manifests":[],`), 400, "MANIFEST_INVALID"},
		"index with layers":          {"x", index, `{"schemaVersion":2,"manifests":[],"layers":[]}`, 400, "MANIFEST_INVALID"},
		"index":                      {"x", index, `{"schemaVersion":2,"manifests":[]}`, 201, ""},
		"index of what is missing":   {"x", index, `{"schemaVersion":2,"manifests":[` + string(jsonOf(descriptor(image, []byte("none")))) + `]}`, 201, ""},
		"subject is missing":         {"x", image, string(subject.manifest), 201, ""},
		"layer is missing":           {"x", image, string(missing.manifest), 400, "MANIFEST_BLOB_UNKNOWN"},
		"layer is elsewhere":         {"x", image, string(foreign), 201, ""},
		"bad digest inside":          {"x", image, with("sha256:", "sha256:0"), 400, "MANIFEST_INVALID"},
		"md5 inside":                 {"x", image, with(string(digest.FromString("x")), "md5:9dd4e461268c8034f5c8564e155c67a6"), 400, "MANIFEST_INVALID"},
		"other size":                 {"x", image, with(`"size":1`, `"size":7`), 400, "MANIFEST_INVALID"},
		"annotation of another type": {"x", image, with("{", `{"annotations":{"a":1},`), 400, "MANIFEST_INVALID"},
		"negative size":              {"x", image, with(`"size":1`, `"size":-1`), 400, "MANIFEST_INVALID"},
		"its digest":                 {good.digest(), image, text, 201, ""},
		"its sha512":                 {digest.SHA512.FromString(text).String(), image, text, 201, ""},
		"another digest":             {string(digest.FromString("y")), image, text, 400, "DIGEST_INVALID"},
		"no digest":                  {"sha256:x", image, text, 400, "DIGEST_INVALID"},
		"long tag":                   {strings.Repeat("x", 129), image, text, 400, "MANIFEST_INVALID"},
		"longest tag":                {strings.Repeat("x", 128), image, text, 201, ""},
		"bad tag":                    {"-x", image, text, 400, "MANIFEST_INVALID"},
		"4 MiB":                      {"x", index, large, 201, ""},
		"too large":                  {"x", index, large + strings.Repeat(" ", 64<<10), 413, "SIZE_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			u := *u
			u.t = t
			header := []string{"Content-Type", tt.mediaType}
			resp := u.expect(tt.status, tt.code, "PUT", "/v2/a/manifests/"+tt.reference, strings.NewReader(tt.body), header...)
			if tt.status != 201 {
				return
			}
			got := u.expect(200, "", "GET", resp.Header.Get("Location"), nil)
			if body, _ := io.ReadAll(got.Body); string(body) != tt.body || got.Header.Get("Docker-Content-Digest") != resp.Header.Get("Docker-Content-Digest") {
				t.Errorf("got back %.100s, %v", body, got.Header)
			}
			if has := resp.Header.Get("OCI-Subject") == string(digest.FromString("none")); has != (name == "subject is missing") {
				t.Errorf("got %v", resp.Header)
			}
		})
	}
}

// A Content-Range is refused, or is of some bytes of which the last is the one that it says.
func FuzzContentRange(f *testing.F) {
	for _, text := range []string{"", "0-9", "5-4", "-1-2", "1", "+1-2", "0--0", "0-9223372036854775807", "9223372036854775807-9223372036854775807", " 1-2", "bytes 0-9/10"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, length, err := contentRange(&http.Request{Header: http.Header{"Content-Range": {text}}})
		if err != nil || text == "" && at == -1 {
			return
		}
		if _, last, _ := strings.Cut(text, "-"); at < 0 || length <= 0 || strings.TrimLeft(last, "0") != strings.TrimLeft(strconv.FormatInt(at+(length-1), 10), "0") {
			t.Errorf("%q: at %d, %d bytes", text, at, length)
		}
	})
}
