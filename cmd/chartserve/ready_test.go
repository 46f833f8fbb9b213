package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadyFile(t *testing.T) {
	f := readyFile{path: filepath.Join(t.TempDir(), "url.txt")}
	writeFile(t, f.path, "left by a killed run\n")
	if err := f.clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.path); err == nil {
		t.Error("clear left the old file")
	}
	if err := f.write("http://localhost:1/charts"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(f.path); string(got) != "http://localhost:1/charts\n" {
		t.Errorf("got %q, want the address and a newline", got)
	}
	f.remove("http://localhost:2/charts")
	if _, err := os.Stat(f.path); err != nil {
		t.Error("remove took another server's file")
	}
	f.remove("http://localhost:1/charts")
	if _, err := os.Stat(f.path); err == nil {
		t.Error("remove left its own file")
	}
}

func TestReadyFileErrors(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"no such directory": filepath.Join(dir, "nope", "url.txt"),
		"a directory":       dir,
	} {
		t.Run(name, func(t *testing.T) {
			if err := (readyFile{path: path}).clear(); err == nil {
				t.Error("got no error")
			}
		})
	}
	none := readyFile{}
	if err := none.clear(); err != nil {
		t.Error(err)
	}
	if err := none.write("x"); err != nil {
		t.Error(err)
	}
	none.remove("x")
}
