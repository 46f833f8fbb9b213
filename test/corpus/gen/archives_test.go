package gen

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestArchives(t *testing.T) {
	a := NewArchives(3)
	seen := map[string]bool{}
	var total, smallest, biggest int
	const n = 800
	for i := range n {
		name, version := a.Identity(i)
		file, data := a.Archive(i)
		if want := name + "-" + version + ".tgz"; file != want {
			t.Errorf("file name: got %q, want %q", file, want)
		}
		if seen[file] {
			t.Errorf("%s comes twice", file)
		}
		seen[file] = true
		total += len(data)
		if smallest == 0 || len(data) < smallest {
			smallest = len(data)
		}
		biggest = max(biggest, len(data))
	}
	if smallest < 5_000 || biggest > 40_000 {
		t.Errorf("sizes: got %d to %d bytes, want 5 to 40 KB", smallest, biggest)
	}
	t.Logf("%d archives of %d to %d bytes, %d on average", n, smallest, biggest, total/n)
}

// TestArchiveReads: a whole archive, its members under one name, Chart.yaml first.
func TestArchiveReads(t *testing.T) {
	a := NewArchives(3)
	name, version := a.Identity(33)
	_, data := a.Archive(33)
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(zr)
	var names []string
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if len(names) == 0 && !strings.Contains(string(body), "\nversion: "+version+"\n") {
			t.Errorf("first member %s: version %s is not in it", h.Name, version)
		}
		names = append(names, h.Name)
		if !strings.HasPrefix(h.Name, name+"/") {
			t.Errorf("member %s: want it under %s/", h.Name, name)
		}
	}
	if len(names) < 3 || names[0] != name+"/Chart.yaml" || names[1] != name+"/values.yaml" {
		t.Errorf("members: got %v", names)
	}
}

func TestWriteArchivesTwice(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	size, err := WriteArchives(one, 60, 5)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := WriteArchives(two, 40, 5); err != nil || again >= size {
		t.Fatalf("40 archives: %d bytes, %v; 60 were %d bytes", again, err, size)
	}
	entries, err := os.ReadDir(two)
	if err != nil || len(entries) != 40 {
		t.Fatalf("%d files, %v; want 40", len(entries), err)
	}
	for _, e := range entries {
		a, errA := os.ReadFile(filepath.Join(one, e.Name()))
		b, errB := os.ReadFile(filepath.Join(two, e.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: differs in a bigger repository (%v, %v)", e.Name(), errA, errB)
		}
	}
}
