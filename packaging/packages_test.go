package main

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestPackages: each Linux has a deb and an rpm, under the names that their tools expect, and the
// same bytes wherever and whenever they are made.
func TestPackages(t *testing.T) {
	want := []string{
		"chartserve-1.2.3-1.aarch64.rpm", "chartserve-1.2.3-1.armv6hl.rpm", "chartserve-1.2.3-1.x86_64.rpm",
		"chartserve_1.2.3-1_amd64.deb", "chartserve_1.2.3-1_arm64.deb", "chartserve_1.2.3-1_armhf.deb",
	}
	sums := map[string][32]byte{}
	for range 2 {
		dir := t.TempDir()
		r := &release{root: "..", out: dir, version: "1.2.3", time: time.Unix(1_700_000_000, 0).UTC(),
			platforms: []platform{{"linux", "amd64"}, {"windows", "amd64"}, {"linux", "arm64"}, {"linux", "arm"}}}
		for _, p := range r.platforms {
			program := filepath.Join("build", p.os+"_"+p.arch, p.program())
			if err := r.write(program, []byte("program for "+p.String())); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.packages(context.Background()); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(dir, "chartserve*"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, path := range found {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, sum := filepath.Base(path), sha256.Sum256(data)
			if old, ok := sums[name]; ok && old != sum {
				t.Errorf("%s: other bytes the second time", name)
			}
			sums[name], names = sum, append(names, name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("got %q, want %q", names, want)
		}
		time.Sleep(time.Second) // times in packages are whole seconds
	}
}
