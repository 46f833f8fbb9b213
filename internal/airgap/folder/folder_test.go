package folder

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/unixtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes files of a new folder; a name that ends in "/" is a directory, a
// content of "fifo" a FIFO, "-> X" a link to X.
func write(t *testing.T, files map[string]string) *Folder {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		to, link := strings.CutPrefix(content, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(path, 0o755))
		case content == "fifo":
			must(t, unixtest.Fifo(path))
		case link:
			must(t, os.Symlink(to, path))
		default:
			must(t, os.WriteFile(path, []byte(content), 0o644))
		}
	}
	f, err := Open(dir)
	must(t, err)
	t.Cleanup(f.Close)
	return f
}

// soon fails the test when do waits for ever, as an open of a FIFO does.
func soon(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits")
	}
}

// Only regular files of the folder itself are opened, and nothing is waited for.
func TestOpen(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "x")
	must(t, os.WriteFile(outside, []byte("secret"), 0o644))
	f := write(t, map[string]string{
		"a.tgz": "a", "sub/b.tgz": "b", "fifo.tgz": "fifo", "dir.tgz/": "",
		"inside.tgz": "-> sub/b.tgz", "outside.tgz": "-> " + outside, "up.tgz": "-> ../../x",
		"device.tgz": "-> /dev/zero", "circle.tgz": "-> circle.tgz", "to-fifo.tgz": "-> fifo.tgz",
	})
	for name, want := range map[string]string{
		"a.tgz": "a", "sub/b.tgz": "b", "inside.tgz": "b",
		"fifo.tgz": "not a regular file", "to-fifo.tgz": "not a regular file", "dir.tgz": "not a regular file",
		"outside.tgz": "escapes", "up.tgz": "escapes", "device.tgz": "escapes", "../x": "escapes",
		"circle.tgz": "too many", "gone.tgz": "no such file",
	} {
		soon(t, func() {
			data, err := f.Read(name, 10)
			if err == nil && string(data) != want || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, %v, want %q", name, data, err, want)
			}
			if err != nil && strings.Contains(err.Error(), name) {
				t.Errorf("%s: the error repeats the name: %v", name, err)
			}
		})
	}
	if _, err := f.Read("gone.tgz", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("gone: got %v", err)
	}
}

// What the user names may be a link to anywhere, but has to be a file.
func TestOpenFile(t *testing.T) {
	f := write(t, map[string]string{"a.tgz": "a", "fifo.tgz": "fifo"})
	link := filepath.Join(t.TempDir(), "link.tgz")
	must(t, os.Symlink(f.Path("a.tgz"), link))
	file, err := OpenFile(link)
	must(t, err)
	file.Close()
	soon(t, func() {
		if _, err := OpenFile(f.Path("fifo.tgz")); !errors.Is(err, ErrIrregular) {
			t.Errorf("a FIFO: got %v", err)
		}
		if _, err := Open(f.Path("fifo.tgz")); err == nil {
			t.Error("a FIFO is opened as a folder")
		}
	})
}

func TestReadBounds(t *testing.T) {
	f := write(t, map[string]string{"a": "1234567890"})
	if _, err := f.Read("a", 10); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if _, err := f.Read("a", 9); err == nil || !strings.Contains(err.Error(), "larger than the 9 bytes") {
		t.Errorf("longer: got %v", err)
	}
}

// An index.yaml that is a FIFO is an error at once.
func TestIndex(t *testing.T) {
	f := write(t, map[string]string{"index.yaml": "fifo"})
	soon(t, func() {
		if _, err := f.Index(); !errors.Is(err, ErrIrregular) {
			t.Errorf("a FIFO: got %v", err)
		}
	})
	f = write(t, map[string]string{"index.yaml": "apiVersion: v1\nentries: {}\n"})
	if got, err := f.Index(); err != nil || len(got.Entries) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// Nothing is listed of a chart's directory, of hidden names, and of by-digest, which
// has the archives of the top once more.
func TestList(t *testing.T) {
	f := write(t, map[string]string{
		"a-1.tgz": "", "a-1.tgz.prov": "", "sub/deep/b-1.tgz": "", "fifo-1.tgz": "fifo", "dir-1.tgz/": "",
		".hidden.tgz": "", ".staging-x/c-1.tgz": "", "by-digest/ab/a-1.tgz": "", "sub/by-digest/d-1.tgz": "",
		"chart/Chart.yaml": "name: x", "chart/charts/e-1.tgz": "", "x.tgz.txt": "", "link-1.tgz": "-> /etc/hostname",
	})
	l, err := f.List(t.Context(), func(name string, err error) error { return err })
	must(t, err)
	want := []string{"a-1.tgz", "fifo-1.tgz", "link-1.tgz", "sub/by-digest/d-1.tgz", "sub/deep/b-1.tgz"}
	if !slices.Equal(l.Archives, want) || !slices.Equal(l.Provenance, []string{"a-1.tgz.prov"}) {
		t.Errorf("got  %v %v\nwant %v", l.Archives, l.Provenance, want)
	}
	must(t, os.Rename(f.Path("chart/Chart.yaml"), f.Path("Chart.yaml")))
	if l, err = f.List(t.Context(), nil); err != nil || len(l.Archives) != 6 {
		t.Errorf("a Chart.yaml at the top: got %v, %v", l.Archives, err)
	}
}

func TestFind(t *testing.T) {
	f := write(t, map[string]string{
		"x-1.0.0+a.tgz": "", "sub/y-1.0.0.tgz": "", "charts/z-1.0.0.tgz": "", "w-1.0.0.tgz/": "", "file": "",
	})
	for name, c := range map[string]struct {
		chart, url     string
		follow, locate string // "" is not there, "!" another error
	}{
		"at the top":         {"x 1.0.0+a", "x-1.0.0%2Ba.tgz", "x-1.0.0+a.tgz", "x-1.0.0+a.tgz"},
		"below":              {"y 1.0.0", "sub/y-1.0.0.tgz", "sub/y-1.0.0.tgz", "sub/y-1.0.0.tgz"},
		"an absolute URL":    {"y 1.0.0", "https://example.com/stable/sub/y-1.0.0.tgz?k=v", "sub/y-1.0.0.tgz", "sub/y-1.0.0.tgz"},
		"a server's URL":     {"x 1.0.0+a", "by-digest/ab/x-1.0.0%2Ba.tgz", "", "x-1.0.0+a.tgz"},
		"another version":    {"x 1.0.0", "x-1.0.0.tgz", "", ""},
		"out of the folder":  {"x 1.0.0+a", "../x-1.0.0%2Ba.tgz", "", "x-1.0.0+a.tgz"},
		"a directory":        {"w 1.0.0", "w-1.0.0.tgz", "", ""},
		"below a file":       {"v 1.0.0", "file/v-1.0.0.tgz", "", ""},
		"no URL":             {"x 1.0.0+a", "%zz", "", "x-1.0.0+a.tgz"},
		"another chart's":    {"q 1.0.0", "sub/y-1.0.0.tgz", "sub/y-1.0.0.tgz", "sub/y-1.0.0.tgz"},
		"with and without v": {"y v1.0.0", "y-v1.0.0.tgz", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := &index.Entry{URL: c.url}
			e.Name, e.Version, _ = strings.Cut(c.chart, " ")
			got, err := f.Locate(e)
			if got != c.locate || (err == nil) != (got != "") || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Locate: got %q, %v, want %q", got, err, c.locate)
			}
			u, err := url.Parse(c.url)
			if err != nil {
				return
			}
			if got, err := f.Follow(u); got != c.follow || (err == nil) != (got != "") {
				t.Errorf("Follow: got %q, %v, want %q", got, err, c.follow)
			}
		})
	}
}

// A folder that is not there holds nothing.
func TestNil(t *testing.T) {
	var f *Folder
	f.Close()
	l, err := f.List(t.Context(), nil)
	if err != nil || len(l.Archives) > 0 || f.Has("x") {
		t.Errorf("got %v, %v", l, err)
	}
	if _, err := f.Index(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestVendored(t *testing.T) {
	c := &pkgr.Chart{}
	for _, v := range []string{"1.0.0", "1.2.0", "2.0.0"} {
		c.Subcharts = append(c.Subcharts, &pkgr.Chart{Metadata: &chart.Metadata{Name: "lib", Version: v}})
	}
	for want, version := range map[string]string{
		"1.0.0 fits": "^1.0.0", "1.2.0 fits": "~1.2", "2.0.0 fits": "2.x.x",
		"1.0.0 does not fit": "3.x.x",
	} {
		check(t, c, "lib", version, want)
	}
	check(t, c, "lib", "new", "1.0.0 does not fit")
	check(t, c, "lib", "", "1.0.0 does not fit")
	check(t, c, "other", "*", "none")
}

func check(t *testing.T, c *pkgr.Chart, name, version, want string) {
	t.Helper()
	sub, fits := Vendored(c, &chart.Dependency{Name: name, Version: version})
	got := "none"
	if sub != nil {
		got = sub.Metadata.Version + map[bool]string{true: " fits", false: " does not fit"}[fits]
	}
	if got != want {
		t.Errorf("%s %q: got %s, want %s", name, version, got, want)
	}
}
