package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is one version of chartserve as it is given to people.
type release struct {
	root      string     // the repository's folder, absolute
	out       string     // where results go, absolute
	version   string     // such as 0.1.0
	commit    string     // of 40 digits, with "-dirty" where files differ from it; empty without git
	time      time.Time  // of everything that is made; UTC, whole seconds
	platforms []platform // what binaries are for, in the order of the table
	log       io.Writer
}

// platform is an operating system and a processor, in Go's words.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// program is the binary's file name there.
func (p platform) program() string {
	if p.os == "windows" {
		return "chartserve.exe"
	}
	return "chartserve"
}

// platforms lists all that a release is for.
func platforms() []platform {
	return []platform{
		{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "arm"}, {"linux", "ppc64le"}, {"linux", "s390x"},
		{"darwin", "amd64"}, {"darwin", "arm64"},
		{"windows", "amd64"}, {"windows", "arm64"},
		{"freebsd", "amd64"},
	}
}

// newRelease finds out what is to be made. An empty version is the newest of CHANGELOG.md,
// an empty list all platforms.
func newRelease(ctx context.Context, root, out, version, systems string) (*release, error) {
	r := &release{version: version}
	var err error
	if r.root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if r.platforms, err = choosePlatforms(systems); err != nil {
		return nil, err
	}
	if r.version == "" {
		if r.version, err = newestVersion(filepath.Join(r.root, "CHANGELOG.md")); err != nil {
			return nil, err
		}
	}
	if !regexp.MustCompile(`^` + versionPattern + `$`).MatchString(r.version) {
		return nil, fmt.Errorf("version %q: want one like 1.2.3 or 1.2.3-rc.1", r.version)
	}
	return r, r.findCommit(ctx)
}

func choosePlatforms(list string) ([]platform, error) {
	names := strings.Fields(list)
	if len(names) == 0 {
		return platforms(), nil
	}
	var some []platform
	for _, p := range platforms() {
		if i := slices.Index(names, p.String()); i >= 0 {
			some, names = append(some, p), slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("PLATFORMS: %q is none, or is there twice: write some of %v", names[0], platforms())
	}
	return some, nil
}

// versionPattern is what deb, rpm, OCI tags and charts all take as a version.
const versionPattern = `[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?`

// newestVersion returns the first version that has a heading, or 0.0.0 before there is one.
func newestVersion(changelog string) (string, error) {
	data, err := os.ReadFile(changelog)
	if err != nil {
		return "", err
	}
	heading := regexp.MustCompile(`^## (` + versionPattern + `)\b`)
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if m := heading.FindStringSubmatch(lines.Text()); m != nil {
			return m[1], nil
		}
	}
	return "0.0.0", nil
}

// findCommit asks git, if this folder is a repository's. SOURCE_DATE_EPOCH comes before the
// commit's time.
func (r *release) findCommit(ctx context.Context) error {
	commit, err := r.output(ctx, "git", "log", "-1", "--no-show-signature", "--format=%H %ct")
	if above, _ := r.output(ctx, "git", "rev-parse", "--show-cdup"); above != "" {
		commit, err = "", errors.New("the folder lies in another repository")
	}
	hash, committed, _ := strings.Cut(commit, " ")
	if r.commit = hash; hash != "" {
		// A file that git does not know may be compiled in.
		changes, err := r.output(ctx, "git", "status", "--porcelain")
		if err != nil {
			return err
		}
		if changes != "" {
			r.commit += "-dirty"
		}
	}
	seconds := cmp.Or(os.Getenv("SOURCE_DATE_EPOCH"), committed)
	if seconds == "" {
		return fmt.Errorf("there is no git commit here: set SOURCE_DATE_EPOCH to the seconds since 1970 that files are to have (%w)", err)
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q: want seconds since 1970", seconds)
	}
	r.time = time.Unix(n, 0).UTC()
	return nil
}

// shortCommit is the commit as people write it, or empty.
func (r *release) shortCommit() string {
	hash, dirty, changed := strings.Cut(r.commit, "-")
	if changed {
		dirty = "-" + dirty
	}
	return hash[:min(7, len(hash))] + dirty
}

// output runs a command in the repository's folder, as if nobody had set anything, and returns
// what it prints, without the last newline.
func (r *release) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = r.root, goEnvironment(platform{runtime.GOOS, runtime.GOARCH})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
