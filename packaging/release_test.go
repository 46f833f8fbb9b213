package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestChoosePlatforms(t *testing.T) {
	for list, want := range map[string]int{
		"":                         len(platforms()),
		"linux/amd64":              1,
		"windows/arm64 linux/arm ": 2,
		"linux/amd64 linux/amd64":  0,
		"plan9/amd64":              0,
		"linux":                    0,
	} {
		got, err := choosePlatforms(list)
		if len(got) != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %v and %v, want %d", list, got, err, want)
		}
	}
}

func TestChoose(t *testing.T) {
	if got, err := choose(""); err != nil || len(got) != len(parts()) {
		t.Errorf("no list: got %d parts and %v, want all", len(got), err)
	}
	if got, err := choose("binaries"); err != nil || len(got) != 1 {
		t.Errorf("binaries: got %d parts and %v", len(got), err)
	}
	if _, err := choose("binaries msi"); err == nil {
		t.Error("a part that there is not was taken")
	}
}

func TestNewestVersion(t *testing.T) {
	for text, want := range map[string]string{
		"# Changelog\n\n## Unreleased\n\n## 1.10.0 (2026-12-01)\n\n## 1.9.0\n": "1.10.0",
		"## 2.0.0-rc.1\n":                       "2.0.0-rc.1",
		"# Changelog\n\n## Unreleased\n- 0.1\n": "0.0.0",
	} {
		name := filepath.Join(t.TempDir(), "CHANGELOG.md")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := newestVersion(name); err != nil || got != want {
			t.Errorf("%q: got %q and %v, want %q", text, got, err, want)
		}
	}
}

func TestShortCommit(t *testing.T) {
	for commit, want := range map[string]string{
		"":                       "",
		"0123456789abcdef":       "0123456",
		"0123456789abcdef-dirty": "0123456-dirty",
	} {
		if got := (&release{commit: commit}).shortCommit(); got != want {
			t.Errorf("%q: got %q, want %q", commit, got, want)
		}
	}
}

// TestClear: results of all parts go, and nothing else.
func TestClear(t *testing.T) {
	r := &release{out: t.TempDir()}
	for _, name := range []string{"build/linux_arm", "chartserve_0.0.9_linux_arm.tar.gz", "chartserve-0.0.9.tgz", "sbom.cdx.json", "SHA256SUMS", "mine", "chartserve"} {
		if err := os.MkdirAll(filepath.Join(r.out, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.clear(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(r.out, "*"))
	if want := []string{filepath.Join(r.out, "chartserve"), filepath.Join(r.out, "mine")}; err != nil || !slices.Equal(left, want) {
		t.Errorf("got %q and %v, want %q", left, err, want)
	}
}

// TestGoEnvironment: what the machine's user has set does not get into the programs.
func TestGoEnvironment(t *testing.T) {
	for _, setting := range []string{"GOAMD64=v3", "GOARM=7", "GOFLAGS=-race", "GOEXPERIMENT=jsonv2", "CGO_ENABLED=1", "GOOS=plan9"} {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	last := map[string]string{}
	for _, setting := range goEnvironment(platform{"linux", "amd64"}) {
		name, value, _ := strings.Cut(setting, "=")
		last[name] = value
	}
	for name, want := range map[string]string{"GOAMD64": "v1", "GOARM": "6", "GOFLAGS": "-mod=readonly", "GOEXPERIMENT": "", "CGO_ENABLED": "0", "GOOS": "linux"} {
		if last[name] != want {
			t.Errorf("%s is %q, want %q", name, last[name], want)
		}
	}
}
