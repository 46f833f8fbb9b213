package pkgr

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// minimal is a Chart.yaml that is fine.
const minimal = "apiVersion: v2\nname: c\nversion: 1.0.0\n"

// minimalNamed is minimal for another chart.
func minimalNamed(name, version string) string {
	return "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
}

// tree is a chart's directory: content by path. A content that starts with "-> "
// is a symbolic link; a path that ends in "/" is a directory.
type tree map[string]string

// write makes the tree below dir.
func (files tree) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		parent := filepath.Dir(at)
		if strings.HasSuffix(name, "/") {
			parent = at
		}
		must(t, os.MkdirAll(parent, 0o755))
		target, link := strings.CutPrefix(content, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
		case link:
			must(t, os.Symlink(target, at))
		default:
			must(t, os.WriteFile(at, []byte(content), 0o644))
		}
	}
}

// newTreeDir makes the tree in a new directory without links in its path.
func newTreeDir(t testing.TB, files tree) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	files.write(t, dir)
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load lists and loads a chart that must be good.
func load(t testing.TB, dir string) *Chart {
	t.Helper()
	c, err := loadIn(dir, dir, Limits{})
	if err != nil {
		t.Fatalf("load %s: %v", dir, err)
	}
	return c
}

func loadIn(dir, root string, l Limits) (*Chart, error) {
	tr, err := NewChecker(l).List(dir, []string{root}, nil)
	if err != nil {
		return nil, err
	}
	return tr.Load()
}

// pack packs a chart that must be good, at the default timestamp.
func pack(t testing.TB, c *Chart) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := NewPacker(time.Time{}).Pack(&b, c); err != nil {
		t.Fatalf("pack: %v", err)
	}
	return b.Bytes()
}

// member is one member of an archive.
type member struct {
	name string
	body string
	h    *tar.Header // for what name and body can't say
}

// gunzip gives the tar stream of an archive.
func gunzip(t testing.TB, archive []byte) []byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	must(t, err)
	data, err := io.ReadAll(gz)
	must(t, err)
	return data
}

// members reads an archive with the standard library.
func members(t testing.TB, archive []byte) []member {
	t.Helper()
	var list []member
	tr := tar.NewReader(bytes.NewReader(gunzip(t, archive)))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return list
		}
		must(t, err)
		body, err := io.ReadAll(tr)
		must(t, err)
		list = append(list, member{h.Name, string(body), h})
	}
}

// contents gives the members' bodies by name.
func contents(t testing.TB, archive []byte) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, e := range members(t, archive) {
		m[e.name] = e.body
	}
	return m
}

func names(list []member) []string {
	var s []string
	for _, m := range list {
		s = append(s, m.name)
	}
	return s
}

// archiveOf makes an archive as another tool might.
func archiveOf(t testing.TB, list ...member) []byte {
	t.Helper()
	return zip(t, tarOf(t, list...))
}

func tarOf(t testing.TB, list ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, m := range list {
		h := m.h
		if h == nil {
			h = &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.body)), ModTime: time.Unix(1e9, 0)}
		}
		must(t, tw.WriteHeader(h))
		_, err := io.WriteString(tw, m.body)
		must(t, err)
	}
	must(t, tw.Close())
	return b.Bytes()
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	_, err := gz.Write(data)
	must(t, err)
	must(t, gz.Close())
	return b.Bytes()
}

// good is the members of a small chart, in a file of its own.
func good(more ...member) []member {
	return append([]member{{name: "c/Chart.yaml", body: minimal}}, more...)
}

func check(data []byte) (*Info, error) {
	return NewChecker(Limits{}).Check(bytes.NewReader(data))
}

// wantError fails the test unless err is of kind and its text has all of parts.
func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", kind)
	}
	if !errors.Is(err, kind) {
		t.Errorf("error %q is not of the kind %q", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func wantDiff(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func fileNames(c *Chart) []string {
	var s []string
	for _, f := range c.Files {
		s = append(s, f.Name)
	}
	return s
}

func sortedKeys(m tree) []string {
	var s []string
	for k := range m {
		s = append(s, path.Clean(k))
	}
	slices.Sort(s)
	return s
}

func gzipFast(w io.Writer) (*gzip.Writer, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }

// size is how many bytes all files of c have, sub-charts included.
func size(c *Chart) int64 {
	var n int64
	for _, f := range c.Files {
		n += int64(len(f.Data))
	}
	for _, s := range c.Subcharts {
		n += size(s)
	}
	return n
}
