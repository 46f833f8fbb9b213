package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files are the contents of a directory by slash-separated name. A name that ends
// in a slash is an empty directory.
type files map[string]string

// write puts the files below dir, which is made where it is missing.
func (f files) write(t *testing.T, dir string) string {
	t.Helper()
	for name, body := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(body), 0o644))
	}
	return dir
}

// with is f and more, more winning.
func (f files) with(more files) files {
	all := files{}
	for name, body := range f {
		all[name] = body
	}
	for name, body := range more {
		all[name] = body
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// only is the single file in dir.
func only(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%s: got %v, want one file", dir, list)
	}
	return filepath.Join(dir, list[0].Name())
}

// member is one member of an archive.
type member struct {
	header tar.Header
	data   string
}

// members reads an archive, in order.
func members(t *testing.T, path string) []member {
	t.Helper()
	zr, err := gzip.NewReader(strings.NewReader(read(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var list []member
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatalf("%s: %s: %v", path, h.Name, err)
		}
		list = append(list, member{*h, string(data)})
	}
}

// tgz makes an archive of headers and contents as they are, however odd. A member
// of type 0 is a regular file.
func tgz(t *testing.T, list ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, m := range list {
		h := m.header
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, h.Mode = tar.TypeReg, int64(len(m.data)), 0o644
		}
		must(t, tw.WriteHeader(&h))
		_, err := tw.Write([]byte(m.data))
		must(t, err)
	}
	must(t, tw.Close())
	must(t, zw.Close())
	return out.Bytes()
}

// gzipped is data as one gzip member.
func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	_, err := zw.Write(data)
	must(t, err)
	must(t, zw.Close())
	return out.Bytes()
}

func file(name, data string) member { return member{tar.Header{Name: name}, data} }
