package httpapi

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chartserve/internal/accesslog"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a repo.Repository whose View the test sets.
type source struct {
	p       atomic.Pointer[repo.View]
	content *layout.Layout // nil: there is none
}

func (s *source) View() *repo.View { return s.p.Load() }

func (s *source) Content(bool) (*layout.Layout, error) {
	if s.content == nil {
		return nil, fs.ErrNotExist
	}
	return s.content, nil
}

// fixture is a folder with files, and a handler that serves it.
type fixture struct {
	t    testing.TB
	dir  string
	root *os.Root
	src  *source
	log  *lockedBuffer
	heat *repo.File // the archive of heat, the only one of a chart
	h    http.Handler
	// manifest is the digest of the manifest of heat's version.
	manifest string
	// named reports whether the repositories team and org/repo are the same once more.
	named bool
	// sitemap reports whether there is one.
	sitemap bool
}

// contents of the fixture's files, by URL name.
func contents() map[string]string {
	return map[string]string{
		"nova-1.0.0.tgz":             "nova 1.0.0",
		"nova-1.0.0.tgz.prov":        "provenance of nova",
		"nova-1.1.0+a.tgz":           strings.Repeat("0123456789", 1000),
		"large-1.0.0.tgz":            strings.Repeat("0123456789", 10_000),
		"charts-1.0.0.tgz":           "a chart named charts",
		"sub/x-1.0.0.tgz":            "x in a folder",
		"charts/deep-1.0.0.tgz":      "in a folder named charts",
		"artifacthub-repo.yml":       "repositoryID: 1\n",
		"a b-1.0.0.tgz":              "a blank",
		"übergang-1.0.0.tgz":         "not ASCII",
		"icon.svg":                   "<svg/>",
		"readme.html":                "<script>alert(1)</script>",
		"something.with-no-known.ex": "bytes",
	}
}

func newFixture(t testing.TB, o Options) *fixture {
	t.Helper()
	return newFixtureOf(t, o, &lockedBuffer{})
}

// newLogged is newFixture with an access log.
func newLogged(t testing.TB, o Options) *fixture {
	t.Helper()
	log := &lockedBuffer{}
	o.AccessLog = accesslog.To(newLogger(log))
	return newFixtureOf(t, o, log)
}

func newFixtureOf(t testing.TB, o Options, log *lockedBuffer) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), src: &source{}, log: log}
	root, err := os.OpenRoot(f.dir)
	if err == nil {
		f.src.content, err = layout.Open(f.dir, layout.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close(); f.src.content.Close() })
	f.root = root
	var files []*repo.File
	for name, content := range contents() {
		files = append(files, f.write(name, content))
	}
	f.heat = f.write("heat-1.0.0.tgz", string(chartArchive(t, "heat", "1.0.0", map[string]string{
		"values.yaml": "# a comment\na: {b: 1}\n", "templates/x.yaml": "x: {{ .Values.a.b }}\n", "README.md": "read me\n", ".helmignore": ".git\n",
	})))
	f.src.p.Store(f.snapshot(append(files, f.heat)...))
	heat, err := oci.Registry{Charts: new(oci.Charts), View: f.src.View(), Pushed: f.src}.Manifest("heat", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	f.manifest = string(heat.Digest)
	o.Logger = newLogger(f.log)
	if o.Repositories == nil && o.Uploads.Publisher != nil {
		both := struct {
			Source
			Publisher
		}{f.src, o.Uploads.Publisher}
		o.Repositories = found{"team": both, "org/repo": both}
	}
	f.named, f.sitemap = o.Repositories != nil, o.Sitemap
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "up 1\n")
	})
	f.h, err = New(f.src, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// found is Repositories by name.
type found map[string]Repository

func (f found) Names() []string { return slices.Sorted(maps.Keys(f)) }

func (f found) Find(name string) (Repository, bool) { return f[name], f[name] != nil }

// write puts a file of an hour ago into the folder.
func (f *fixture) write(name, content string) *repo.File {
	f.t.Helper()
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, then, then); err != nil {
		f.t.Fatal(err)
	}
	return &repo.File{
		Name: name, Path: filepath.FromSlash(name), Size: int64(len(content)), ModTime: then,
		ETag: etagOf(content), Archive: strings.HasSuffix(name, ".tgz"),
	}
}

func etagOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (f *fixture) snapshot(files ...*repo.File) *repo.View {
	s := repo.NewView(f.root, files...)
	s.Index = testIndex(f.t, index.YAML)
	for _, name := range []string{"heat", "nova"} {
		e := entry(f.t, &chart.Metadata{Name: name, Version: "1.0.0", APIVersion: "v2"})
		s.Add(&repo.Chart{Name: name, Versions: []*repo.Version{{Entry: e, Archive: f.heat}}})
	}
	s.Status.Charts = 2
	return s
}

// chartArchive is an archive as helm package makes it.
func chartArchive(t testing.TB, name, version string, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	add := func(file, content string) {
		err := tw.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(content))})
		if _, werr := tw.Write([]byte(content)); err != nil || werr != nil {
			t.Fatal(err, werr)
		}
	}
	add("Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version))
	for _, file := range slices.Sorted(maps.Keys(files)) {
		add(file, files[file])
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func testIndex(t testing.TB, format index.Format) *index.Encoded {
	t.Helper()
	b := index.NewBuilder(format)
	b.Set("nova", []*index.Entry{
		entry(t, &chart.Metadata{Name: "nova", Version: "1.1.0+a", APIVersion: "v2"}),
		entry(t, &chart.Metadata{Name: "nova", Version: "1.0.0", APIVersion: "v2"}),
	})
	return b.Encode()
}

func entry(t testing.TB, md *chart.Metadata) *index.Entry {
	t.Helper()
	digest := strings.Trim(etagOf(md.Name+md.Version), `"`)
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e, err := index.NewEntry(md, index.FileURL("", md.ArchiveName()), digest, created)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// get asks the handler; header is pairs of name and value.
func (f *fixture) get(target string, header ...string) *http.Response {
	f.t.Helper()
	return f.do(http.MethodGet, target, header...)
}

func (f *fixture) do(method, target string, header ...string) *http.Response {
	f.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lockedBuffer is a log that the test reads while handlers write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
