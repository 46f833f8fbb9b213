package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// clone is a fresh checkout of the newest commit.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a checkout")
	output(t, "git", "clone", "-q", "../..", dir)
	return dir
}

// command runs a command in a folder, which must end with status 0, and returns what it prints.
// settings are added to the environment.
func command(t *testing.T, dir string, settings []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), settings...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// TestReproducible: a fresh checkout in another folder, of another user with other settings, gives
// the same checksums, and so the same bytes. The long form makes all platforms twice, the second
// time with nothing compiled before.
func TestReproducible(t *testing.T) {
	t.Parallel()
	first := folder(t)
	version := regexp.MustCompile(`version (\S+) \(commit ([0-9a-f]+),`).FindStringSubmatch(output(t, program(t), "version"))
	dir := clone(t)
	if version == nil || !strings.HasPrefix(command(t, dir, nil, "git", "rev-parse", "HEAD"), version[2]) {
		if os.Getenv("DIST") != "" && output(t, "git", "-C", "../..", "status", "--porcelain") == "" {
			t.Fatalf("%s is not of the commit that is checked out: %v", first, version)
		}
		t.Skipf("%s is not of the commit that is checked out (%v): commit, and run make dist again", first, version)
	}
	home := filepath.Join(t.TempDir(), "home")
	settings := []string{"HOME=" + home, "TZ=Asia/Seoul", "LANG=C", "LC_ALL=C", "USER=other", "GOFLAGS=-v", "GOARM=7", "CHARTSERVE_CONFIG=none", "TMPDIR=" + t.TempDir()}
	for _, variable := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"} {
		settings = append(settings, variable+"="+strings.TrimSpace(command(t, dir, nil, "go", "env", variable)))
	}
	systems, what := "linux/amd64 linux/arm64", "the results of make e2e"
	if long() {
		settings = append(settings, "GOCACHE="+filepath.Join(t.TempDir(), "cache"))
		systems, what = "", "a run of make dist for all platforms"
		first = filepath.Join(t.TempDir(), "first")
		dist(t, filepath.Join("..", ".."), nil, first, version[1], systems)
	}
	second := filepath.Join(t.TempDir(), "second")
	dist(t, dir, settings, second, version[1], systems)
	want, got := read(t, filepath.Join(first, "SHA256SUMS")), read(t, filepath.Join(second, "SHA256SUMS"))
	if got != want {
		t.Errorf("SHA256SUMS of a fresh checkout: got\n%s, want those of %s,\n%s", got, what, want)
	}
}

// dist runs make dist in a checkout, with a umask that keeps others out.
func dist(t *testing.T, dir string, settings []string, out, version, systems string) {
	t.Helper()
	command(t, dir, settings, "sh", "-c", `umask 077; exec make --no-print-directory dist OUT="$0" VERSION="$1" PLATFORMS="$2"`, out, version, systems)
}
