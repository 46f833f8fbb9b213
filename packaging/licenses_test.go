package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the texts that tests compare with")

// TestLicenses: what the command prints is what the modules come with that are linked into the
// binaries, for all platforms together.
func TestLicenses(t *testing.T) {
	r := &release{root: ".."}
	modules, err := r.linked(t.Context(), platforms())
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 20 {
		t.Errorf("only %d modules are linked: %v", len(modules), modules)
	}
	want, err := licensesText(modules)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(r.root, licensesFile)
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s is not what the linked modules come with (%v): run make licenses", licensesFile, err)
	}
}

// TestNotices: modules share texts that are the same but for the ends of lines, and one without
// a licence is refused.
func TestNotices(t *testing.T) {
	license, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	folder := func(files ...string) module {
		m := module{path: "example.org/" + files[0], dir: t.TempDir()}
		m.folders = []string{filepath.Join(m.dir, "linked", "deep")}
		for i := 0; i+1 < len(files); i += 2 {
			name := filepath.Join(m.dir, filepath.FromSlash(files[i]))
			_ = os.MkdirAll(filepath.Dir(name), 0o700)
			if err := os.WriteFile(name, []byte(files[i+1]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_ = os.MkdirAll(m.folders[0], 0o700)
		return m
	}
	text := string(license)
	a := folder("LICENSE", text, "NOTICE.txt", "a's own", "other/LICENSE", "of what is not linked")
	b := folder("linked/COPYING", strings.ReplaceAll(text, "\n", " \r\n"), "license.go", "package b")
	got, err := notices([]module{a, b})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d texts and %v, want 2", len(got), err)
	}
	if n := got[0]; len(n.modules) != 2 || strings.Join(n.kinds, " ") != "Apache-2.0" {
		t.Errorf("the first text: got %v of %v, want Apache-2.0 of both", n.kinds, n.modules)
	}
	if n := got[1]; len(n.modules) != 1 || len(n.kinds) != 0 || n.text != "a's own" {
		t.Errorf("the second text: got %q of %v", n.text, n.modules)
	}
	if _, err := notices([]module{a, folder("NOTICE", "nothing about a licence")}); err == nil {
		t.Error("a module without a licence was taken")
	}
}
