package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	if _, err := choose("binaries msi"); err == nil || !strings.HasPrefix(err.Error(), `PARTS: "msi" is none: `) {
		t.Errorf("an unknown part: got %v", err)
	}
	if _, err := choosePlatforms("linux/amd64 linux/amd46"); err == nil || !strings.HasPrefix(err.Error(), `PLATFORMS: "linux/amd46" is none, or is there twice: `) {
		t.Errorf("an unknown platform: got %v", err)
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

// TestFindCommit: what is made names the commit, and says where its files are others.
func TestFindCommit(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	for name, c := range map[string]struct {
		script, folder string
		commit         string // how it ends
		fails          bool
	}{
		"committed": {"", ".", "", false},
		"changed":   {"echo b >a", ".", "-dirty", false},
		"unknown":   {"echo b >b", ".", "-dirty", false},
		"ignored":   {"echo b >.git/info/exclude; echo b >b", ".", "", false},
		"exported":  {"mkdir tree", "tree", "", true},
		"no git":    {"rm -r .git", ".", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command("sh", "-euc", "git init -q; echo a >a; git add a; git -c user.name=a -c user.email=a@example.com commit -qm a; "+c.script)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_COMMITTER_DATE=1700000000 +0000")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			r := &release{root: filepath.Join(dir, c.folder)}
			err := r.findCommit(t.Context())
			if c.fails {
				if err == nil || !strings.Contains(err.Error(), "set SOURCE_DATE_EPOCH") {
					t.Errorf("got %q and %v", r.commit, err)
				}
				t.Setenv("SOURCE_DATE_EPOCH", "1600000000")
				if err := r.findCommit(t.Context()); err != nil || r.commit != "" || r.time.Unix() != 1_600_000_000 {
					t.Errorf("with SOURCE_DATE_EPOCH: got %q, %s and %v", r.commit, r.time, err)
				}
				return
			}
			if err != nil || !regexp.MustCompile(`^[0-9a-f]{40}`+c.commit+`$`).MatchString(r.commit) || r.time.Unix() != 1_700_000_000 {
				t.Errorf("got %q, %s and %v", r.commit, r.time, err)
			}
		})
	}
}

// TestClear: results of all parts go, and nothing else.
func TestClear(t *testing.T) {
	r := &release{out: t.TempDir()}
	for _, name := range []string{"build/linux_arm", "build/man", "build/theirs", "chartserve_0.0.9_linux_arm.tar.gz", "chartserve-0.0.9.tgz", "sbom.cdx.json", "SHA256SUMS", "mine", "chartserve"} {
		if err := os.MkdirAll(filepath.Join(r.out, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.clear(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(r.out, "*"))
	if want := []string{filepath.Join(r.out, "build"), filepath.Join(r.out, "chartserve"), filepath.Join(r.out, "mine")}; err != nil || !slices.Equal(left, want) {
		t.Errorf("got %q and %v, want %q", left, err, want)
	}
	if entries, err := os.ReadDir(filepath.Join(r.out, "build")); err != nil || len(entries) != 1 || entries[0].Name() != "theirs" {
		t.Errorf("build: got %v and %v, want what others have there", entries, err)
	}
}

// TestGoEnvironment: what the machine's user has set does not get into the programs.
func TestGoEnvironment(t *testing.T) {
	for _, setting := range []string{"GOAMD64=v3", "GOARM=7", "GOFLAGS=-race", "GOEXPERIMENT=jsonv2", "CGO_ENABLED=1", "GOOS=plan9", "GOFIPS140=latest", "CHARTSERVE_SIGN=key"} {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	last := map[string]string{}
	for _, setting := range goEnvironment(platform{"linux", "amd64"}) {
		name, value, _ := strings.Cut(setting, "=")
		last[name] = value
	}
	for name, want := range map[string]string{"GOAMD64": "v1", "GOARM": "6", "GOFLAGS": "-mod=readonly", "GOEXPERIMENT": "", "CGO_ENABLED": "0", "GOOS": "linux", "GOFIPS140": "off", "CHARTSERVE_SIGN": ""} {
		if last[name] != want {
			t.Errorf("%s is %q, want %q", name, last[name], want)
		}
	}
}
