package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/index"
)

// The same charts give the same bundle: wherever they lie, whoever wrote the index
// in which order, whatever the file system says of the files.
func TestDeterministic(t *testing.T) {
	charts := some()
	want, _ := bytesOf(t, folderOf(t, charts...), CreateOptions{Images: []byte("a:1\n"), Jobs: 1})
	slices.Reverse(charts)
	dir := folderOf(t, charts...)
	data, err := os.ReadFile(filepath.Join(dir, IndexName))
	must(t, err)
	f, err := index.Decode(data)
	must(t, err)
	json := index.NewBuilder(index.JSON)
	byName := map[string][]*index.Entry{}
	for _, e := range f.Entries {
		e, err = e.WithURL(index.FileURL("https://charts.example.com/x", (spec{name: e.Name, version: e.Version}).file()))
		must(t, err)
		byName[e.Name] = append([]*index.Entry{e}, byName[e.Name]...)
	}
	for name, entries := range byName {
		json.Set(name, entries)
	}
	must(t, os.WriteFile(filepath.Join(dir, IndexName), json.Encode().JSON.Data.Bytes(), 0o644))
	for name := range visible(t, dir) {
		must(t, os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Unix(1, 0)))
		must(t, os.Chmod(filepath.Join(dir, name), 0o600))
	}
	got, _ := bytesOf(t, dir, CreateOptions{Images: []byte("a:1\n"), Jobs: 8})
	if !bytes.Equal(got, want) {
		t.Error("another folder with the same charts gives other bytes")
	}
}

// What stands in a bundle, and that any tar reads it.
func TestContents(t *testing.T) {
	dir := folderOf(t, some()...)
	images := "# images\nexample.com/a:1  nova\n\nexample.com/b@sha256:00\n"
	data, m := bytesOf(t, dir, CreateOptions{Images: []byte(images)})
	if int64(len(data)) != m.Totals().Bytes {
		t.Errorf("Totals().Bytes = %d, the bundle has %d bytes", m.Totals().Bytes, len(data))
	}
	if diff := cmp.Diff([]string{"example.com/a:1", "example.com/b@sha256:00"}, m.Images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	want := visible(t, dir)
	want[ManifestName], want[ImagesName] = string(m.Encode()), images
	got := map[string]string{}
	var names []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		if h.Mode != 0o644 || h.Uid != 0 || h.Gid != 0 || h.Typeflag != tar.TypeReg || !h.ModTime.Equal(time.Unix(mtime, 0)) {
			t.Errorf("%s: %+v", h.Name, h)
		}
		b, err := io.ReadAll(r)
		must(t, err)
		got[h.Name] = string(b)
		names = append(names, h.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	if !slices.Equal(names[:3], []string{ManifestName, IndexName, ImagesName}) || !slices.IsSorted(names[3:]) {
		t.Errorf("order: %q", names)
	}
}

func TestCreateRefuses(t *testing.T) {
	nova := spec{name: "nova", version: "1.0.0", text: "1"}
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"no index":        {func(dir string) error { return os.Remove(filepath.Join(dir, IndexName)) }, IndexName + ": no such file"},
		"no index at all": {func(dir string) error { return os.WriteFile(filepath.Join(dir, IndexName), []byte("hello"), 0o644) }, "not a chart repository index"},
		"archive gone":    {func(dir string) error { return os.Remove(filepath.Join(dir, nova.file())) }, "nova-1.0.0.tgz: no such file"},
		"other archive": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, nova.file()), spec{name: "nova", version: "1.0.0", text: "2"}.archive(t), 0o644)
		}, "the index says"},
		"no archive": {func(dir string) error { return os.WriteFile(filepath.Join(dir, nova.file()), []byte("x"), 0o644) }, "nova-1.0.0.tgz: "},
		"a link outside": {func(dir string) error {
			out := filepath.Join(t.TempDir(), "x.tgz")
			return errors.Join(os.Rename(filepath.Join(dir, nova.file()), out), os.Symlink(out, filepath.Join(dir, nova.file())))
		}, "nova-1.0.0.tgz: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folderOf(t, nova)
			must(t, c.spoil(dir))
			_, err := Create(context.Background(), dir, io.Discard, CreateOptions{})
			if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ErrFolder with %q", err, c.want)
			}
		})
	}
}

func TestCreateRefusesImages(t *testing.T) {
	_, err := Create(context.Background(), folderOf(t), io.Discard, CreateOptions{Images: []byte("\xff:1")})
	if err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("got %v", err)
	}
}

// An empty repository is a bundle too.
func TestEmpty(t *testing.T) {
	path, _ := fileOf(t, folderOf(t), CreateOptions{Images: []byte{}})
	verifies(t, "empty", path)
	if done := load(t, t.TempDir(), path); done.Written != 0 {
		t.Errorf("%+v", done)
	}
}

// Two charts can have the same file name.
func TestCreateRefusesOneNameTwice(t *testing.T) {
	dir := folderOf(t, spec{name: "a", version: "1.0.0-2.0.0"})
	other := folderOf(t, spec{name: "a-1.0.0", version: "2.0.0"})
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	must(t, os.Rename(filepath.Join(other, "a-1.0.0-2.0.0.tgz"), filepath.Join(dir, "sub", "a-1.0.0-2.0.0.tgz")))
	byName := map[string][]*index.Entry{}
	for _, d := range []string{dir, other} {
		data, err := os.ReadFile(filepath.Join(d, IndexName))
		must(t, err)
		f, err := index.Decode(data)
		must(t, err)
		e := f.Entries[0]
		if d == other {
			e, err = e.WithURL("sub/a-1.0.0-2.0.0.tgz")
			must(t, err)
		}
		byName[e.Name] = []*index.Entry{e}
	}
	writeIndex(t, dir, byName)
	_, err := Create(context.Background(), dir, io.Discard, CreateOptions{})
	if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), "this file name both") {
		t.Errorf("got %v", err)
	}
}

// meddler changes a file with the first byte that is written.
type meddler struct {
	path string
	done bool
}

func (m *meddler) Write(b []byte) (int, error) {
	if !m.done {
		m.done = true
		data, err := os.ReadFile(m.path)
		if err != nil {
			return 0, err
		}
		data[len(data)/2] ^= 1
		return len(b), os.WriteFile(m.path, data, 0o644)
	}
	return len(b), nil
}

func TestCreateNoticesChange(t *testing.T) {
	nova := spec{name: "nova", version: "1.0.0", text: "1", prov: true}
	for _, name := range []string{nova.file(), nova.file() + ".prov"} {
		dir := folderOf(t, nova)
		_, err := Create(context.Background(), dir, &meddler{path: filepath.Join(dir, name)}, CreateOptions{})
		if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want ErrChanged", name, err)
		}
	}
}
