//go:build linux

package torture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// writeFile writes a file and the directories above it.
func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
}

// writeChart writes a small sound chart; size is of a file in it that no
// compressor makes smaller.
func writeChart(t testing.TB, dir, name, version string, size int) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "Chart.yaml"), fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %s\n", name, version))
	writeFile(t, filepath.Join(dir, "values.yaml"), []byte("a: 1\n"))
	writeFile(t, filepath.Join(dir, "templates", "cm.yaml"), []byte("kind: ConfigMap\n"))
	if size > 0 {
		writeFile(t, filepath.Join(dir, "files", "noise"), noise(size))
	}
}

func noise(size int) []byte {
	data, random := make([]byte, size), rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data) // never an error
	return data
}

// member is one entry of an archive that nobody vouches for.
type member struct {
	name string
	data string
	typ  byte // zero: a regular file
	link string
}

// goodMembers are those of a sound chart.
func goodMembers(name string) []member {
	return []member{
		{name: name + "/Chart.yaml", data: "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"},
		{name: name + "/values.yaml", data: "a: 1\n"},
	}
}

// tarball makes a gzipped tar of members, whatever they are.
func tarball(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data)), Typeflag: m.typ, Linkname: m.link}
		if m.typ == 0 {
			h.Typeflag = tar.TypeReg
		}
		must(t, tw.WriteHeader(h))
		_, err := tw.Write([]byte(m.data))
		must(t, err)
	}
	must(t, tw.Close())
	must(t, gz.Close())
	return buf.Bytes()
}
