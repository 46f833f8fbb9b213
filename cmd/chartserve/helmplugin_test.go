package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What test/dist does with real Helms needs this program in the plugin's folder.
func TestIsHelmPlugin(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "plugin")
	if err := os.Symlink(filepath.Dir(program), link); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{
		filepath.Dir(program):            true,
		link:                             true, // as helm plugin install DIR makes it
		t.TempDir():                      false,
		filepath.Join(t.TempDir(), "no"): false,
		"":                               false,
	} {
		if got := isHelmPlugin(dir); got != want {
			t.Errorf("%q: got %v, want %v", dir, got, want)
		}
	}
}
