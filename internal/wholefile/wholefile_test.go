package wholefile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A reader sees one of the contents, and none of them in part.
func TestWholeOrNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	contents := [][]byte{bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<19)}
	if err := Write(path, contents[0]); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		var err error
		for i := 1; i < 50 && err == nil; i++ {
			err = Write(path, contents[i%2])
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, contents[0]) && !bytes.Equal(data, contents[1]) {
			t.Fatalf("%d bytes that nobody wrote", len(data))
		}
	}
}

// What is not finished leaves the old file, and nothing beside it.
func TestCleanup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Cleanup(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	files, listed := os.ReadDir(dir)
	if err != nil || listed != nil || string(data) != "old" || len(files) != 1 {
		t.Errorf("got %q, %d files, %v, %v", data, len(files), err, listed)
	}
	if err := Write(filepath.Join(dir, "none", "file"), nil); err == nil {
		t.Error("a folder that is not there took a file")
	}
}
