package pkgr

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
)

func (t *Tree) names() []string {
	var s []string
	for _, e := range t.files {
		s = append(s, e.name)
	}
	return s
}

func list(t testing.TB, dir string) *Tree {
	t.Helper()
	tr, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
	if err != nil {
		t.Fatalf("list %s: %v", dir, err)
	}
	return tr
}

func TestListOrder(t *testing.T) {
	// Names are sorted a directory at a time, as Helm walks: "a/b" comes before
	// "a.txt", though not as a string.
	dir := newTreeDir(t, tree{
		"Chart.yaml": minimal, "a.txt": "", "a/b": "", "a/c/d": "", "a-b": "", "Z": "", "templates/x": "",
	})
	wantDiff(t, "names", list(t, dir).names(),
		[]string{"Chart.yaml", "Z", "a/b", "a/c/d", "a-b", "a.txt", "templates/x"})
}

func TestListLeavesOut(t *testing.T) {
	tests := map[string]struct {
		files tree
		want  []string
	}{
		"dotfiles are in": {
			files: tree{".git/config": "", ".x": "", ".helmignore": "# none\n"},
			want:  []string{".git/config", ".helmignore", ".x", "Chart.yaml"},
		},
		"built-in rule": {
			files: tree{"templates/.x": "", "templates/.y/z": "", "templates/a": ""},
			want:  []string{"Chart.yaml", "templates/a"},
		},
		"ignored file, directory and link": {
			files: tree{".helmignore": "*.bak\ndocs/\nlink\n", "a.bak": "", "docs/x/y": "", "link": "-> /nowhere", "b": ""},
			want:  []string{".helmignore", "Chart.yaml", "b"},
		},
		"ignored directory keeps its broken links to itself": {
			files: tree{".helmignore": "docs/\n", "docs/l": "-> nowhere"},
			want:  []string{".helmignore", "Chart.yaml"},
		},
		"work of helm dep up": {
			files: tree{
				"tmpcharts/a.tgz": "junk", "tmpcharts-4711/b.tgz": "junk",
				"tmpcharts-x/c": "", "tmpcharts-/d": "", "sub/tmpcharts/e": "", "tmpchartsen/f": "",
			},
			want: []string{"Chart.yaml", "sub/tmpcharts/e", "tmpcharts-/d", "tmpcharts-x/c", "tmpchartsen/f"},
		},
		"empty directories": {
			files: tree{"charts/": "", "templates/": "", "a/b/c/": ""},
			want:  []string{"Chart.yaml"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.files["Chart.yaml"] = minimal
			wantDiff(t, "names", list(t, newTreeDir(t, tt.files)).names(), tt.want)
		})
	}
}

func TestListWatches(t *testing.T) {
	dir := newTreeDir(t, tree{
		"c/Chart.yaml": minimal, "c/a/b/x": "", "c/ignored/y": "", "c/.helmignore": "ignored\n", "c/tmpcharts-1/z": "",
		"c/file": "-> ../shared/deep/f", "c/dir": "-> ../other", "shared/deep/f": "", "other/in/g": "",
	})
	var seen []string
	tr, err := NewChecker(Limits{}).List(filepath.Join(dir, "c"), []string{dir}, func(d string) {
		if fi, err := os.Stat(d); err != nil || !fi.IsDir() || !filepath.IsAbs(d) {
			t.Errorf("told to watch %q, which is no directory", d)
		}
		seen = append(seen, d)
	})
	must(t, err)
	wantDiff(t, "Dirs and calls", seen, tr.Dirs)
	if tr.Dir != filepath.Join(dir, "c") || tr.Dirs[0] != tr.Dir {
		t.Errorf("Dir is %q and Dirs[0] %q, want %q", tr.Dir, tr.Dirs[0], filepath.Join(dir, "c"))
	}
	got := slices.Clone(tr.Dirs)
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], dir+"/")
	}
	slices.Sort(got)
	wantDiff(t, "Dirs", got, []string{"c", "c/a", "c/a/b", "other", "other/in", "shared/deep"})
}

// Where an ignored link leads is none of our business.
func TestListIgnoredLinks(t *testing.T) {
	dir := newTreeDir(t, tree{"c/Chart.yaml": minimal, "c/l": "-> ../shared/f", "shared/f": "", "c/.helmignore": "l\n"})
	tr, err := NewChecker(Limits{}).List(filepath.Join(dir, "c"), []string{dir}, nil)
	must(t, err)
	wantDiff(t, "Dirs", tr.Dirs, []string{filepath.Join(dir, "c")})
}

// What is missing when a listing fails must be watched too: that is how the
// repository learns that it was mended.
func TestListWatchesWhatIsMissing(t *testing.T) {
	dir := newTreeDir(t, tree{"c/Chart.yaml": minimal, "c/l": "-> ../shared/missing", "shared/x": ""})
	var seen []string
	_, err := NewChecker(Limits{}).List(filepath.Join(dir, "c"), []string{dir}, func(d string) { seen = append(seen, d) })
	wantError(t, err, chart.ErrFile, "l", "broken")
	if !slices.Contains(seen, filepath.Join(dir, "shared")) {
		t.Errorf("watched %q, not the directory of the missing target", seen)
	}
}

// A directory is watched before it is listed, or a file made in between would be
// lost.
func TestListWatchesFirst(t *testing.T) {
	dir := newTreeDir(t, tree{"Chart.yaml": minimal, "a/x": ""})
	tr, err := NewChecker(Limits{}).List(dir, []string{dir}, func(d string) {
		must(t, os.WriteFile(filepath.Join(d, "late"), nil, 0o644))
	})
	must(t, err)
	wantDiff(t, "names", tr.names(), []string{"Chart.yaml", "a/late", "a/x", "late"})
}

func TestFingerprint(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, at func(string) string)
		same   bool
	}{
		"nothing": {func(*testing.T, func(string) string) {}, true},
		"content": {func(t *testing.T, at func(string) string) {
			must(t, os.WriteFile(at("values.yaml"), []byte("a: 2\n"), 0o644))
		}, false},
		"content with the old time": {func(t *testing.T, at func(string) string) {
			fi, err := os.Stat(at("values.yaml"))
			must(t, err)
			time.Sleep(10 * time.Millisecond) // more than a tick of the clock
			must(t, os.WriteFile(at("values.yaml"), []byte("a: 2\n"), 0o644))
			must(t, os.Chtimes(at("values.yaml"), fi.ModTime(), fi.ModTime()))
		}, false},
		"touch": {func(t *testing.T, at func(string) string) {
			must(t, os.Chtimes(at("values.yaml"), time.Now(), time.Unix(1e9, 0)))
		}, false},
		"mode": {func(t *testing.T, at func(string) string) { must(t, os.Chmod(at("values.yaml"), 0o600)) }, false},
		"new file": {func(t *testing.T, at func(string) string) {
			must(t, os.WriteFile(at("templates/b"), nil, 0o644))
		}, false},
		"removed": {func(t *testing.T, at func(string) string) { must(t, os.Remove(at("templates/a"))) }, false},
		"renamed": {func(t *testing.T, at func(string) string) {
			must(t, os.Rename(at("templates/a"), at("templates/b")))
		}, false},
		"ignored file": {func(t *testing.T, at func(string) string) {
			must(t, os.WriteFile(at("x.bak"), nil, 0o644))
		}, true},
		"new rules": {func(t *testing.T, at func(string) string) {
			must(t, os.WriteFile(at(".helmignore"), []byte("*.bak\n.helmignore\n#\n"), 0o644))
		}, false},
		"link to another file alike": {func(t *testing.T, at func(string) string) {
			must(t, os.Remove(at("link")))
			must(t, os.Symlink("two", at("link")))
		}, false},
		"empty directory": {func(t *testing.T, at func(string) string) { must(t, os.Mkdir(at("empty"), 0o755)) }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := newTreeDir(t, tree{
				"Chart.yaml": minimal, "values.yaml": "a: 1\n", "templates/a": "x", ".helmignore": "*.bak\n.helmignore\n",
				"one": "1", "two": "1", "link": "-> one",
			})
			before := list(t, dir)
			tt.change(t, func(name string) string { return filepath.Join(dir, name) })
			after := list(t, dir)
			if same := before.Fingerprint == after.Fingerprint; same != tt.same {
				t.Errorf("fingerprint the same: %v, want %v", same, tt.same)
			}
		})
	}
}

func TestNewest(t *testing.T) {
	dir := newTreeDir(t, tree{"Chart.yaml": minimal, "values.yaml": "", "ignored": "", ".helmignore": "ignored\n"})
	future := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	must(t, os.Chtimes(filepath.Join(dir, "ignored"), future, future.Add(time.Hour)))
	start := time.Now()
	if got := list(t, dir).Newest; got.After(start) || got.Before(start.Add(-time.Hour)) {
		t.Errorf("Newest is %v, want just before %v", got, start)
	}
	must(t, os.Chtimes(filepath.Join(dir, "values.yaml"), future, future))
	if got := list(t, dir).Newest; !got.Equal(future) {
		t.Errorf("Newest is %v, want %v", got, future)
	}
}

func TestListOfRelativeAndLinkedDirectory(t *testing.T) {
	dir := newTreeDir(t, tree{"src/c/Chart.yaml": minimal, "alias": "-> src", "src/l": "-> c", "src/out": "-> ../away", "away/Chart.yaml": minimal})
	t.Chdir(dir)
	src := []string{filepath.Join(dir, "src")}
	for _, at := range []string{"src/c", "alias/c", "src/l", "alias/l"} {
		tr, err := NewChecker(Limits{}).List(at, src, nil)
		if err != nil {
			t.Errorf("list %s: %v", at, err)
			continue
		}
		if want := filepath.Join(dir, "src/c"); tr.Dir != want {
			t.Errorf("list %s: Dir is %q, want %q", at, tr.Dir, want)
		}
	}
	_, err := NewChecker(Limits{}).List("src/out", src, nil)
	wantError(t, err, chart.ErrUnsafe, filepath.Join(dir, "away"))
	_, err = NewChecker(Limits{}).List("src/none", src, nil)
	wantError(t, err, os.ErrNotExist)
	_, err = NewChecker(Limits{}).List("src/c/Chart.yaml", src, nil)
	wantError(t, err, chart.ErrFile, "directory")
}

// Links can double a tree at each level without any loop.
func TestListBoundsWebsOfLinks(t *testing.T) {
	files := tree{"Chart.yaml": minimal, "x/20/": ""}
	for i := range 20 {
		for _, l := range "ab" {
			files[fmt.Sprintf("x/%d/%c", i, l)] = fmt.Sprintf("-> ../%d", i+1)
		}
	}
	dir := newTreeDir(t, files)
	_, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
	wantError(t, err, chart.ErrLimit, "links")
}

// Directories can be nested deeper than any path may be long.
func TestListBoundsDepth(t *testing.T) {
	dir := newTreeDir(t, tree{"Chart.yaml": minimal})
	t.Chdir(dir)
	name := strings.Repeat("d", 200)
	for range 22 {
		must(t, os.Mkdir(name, 0o755))
		must(t, os.Chdir(name))
	}
	_, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
	wantError(t, err, chart.ErrUnsafe, "4096")
}

// nonUTF8 is a name that is no UTF-8.
func nonUTF8(t *testing.T) string {
	if runtime.GOOS != "linux" {
		t.Skip("the file system may not take any name")
	}
	return "files/caf\xe9.txt"
}

func TestOddNames(t *testing.T) {
	long := strings.Repeat("long/", 60) + "name"
	odd := nonUTF8(t)
	dir := newTreeDir(t, tree{"Chart.yaml": minimal, odd: "latin1", long: "deep", "files/größe": "utf8", "files/a b\n": "nl"})
	archive := pack(t, load(t, dir))
	got := contents(t, archive)
	for name, want := range map[string]string{"c/" + odd: "latin1", "c/" + long: "deep", "c/files/größe": "utf8", "c/files/a b\n": "nl"} {
		if got[name] != want {
			t.Errorf("%q holds %q, want %q", name, got[name], want)
		}
	}
	if _, err := check(archive); err != nil {
		t.Errorf("our own archive is refused: %v", err)
	}
	c, err := NewChecker(Limits{}).Read(bytes.NewReader(archive))
	must(t, err)
	if !bytes.Equal(pack(t, c), archive) {
		t.Error("read and packed again, the archive is another one")
	}
}

// Thousands of patterns against long names are refused before they take minutes;
// many names and the patterns of every chart are fine.
func TestIgnoreEffort(t *testing.T) {
	var rules, names strings.Builder
	for i := range 9500 {
		fmt.Fprintf(&rules, "*%sQ%d\n", strings.Repeat("a*", 45), i)
		fmt.Fprintf(&names, "name-%d\n", i)
	}
	files := func(ignore string, n int) tree {
		files := tree{"Chart.yaml": minimal, ".helmignore": ignore}
		for i := range n {
			files[fmt.Sprintf("files/%s%05d", strings.Repeat("a", 240), i)] = ""
		}
		return files
	}
	dir := newTreeDir(t, files(rules.String(), 60))
	_, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
	wantError(t, err, chart.ErrLimit, ".helmignore", "too many patterns")
	for name, ignore := range map[string]string{"names": names.String(), "usual": "*.swp\n*.bak\n*.tmp\n*~\n.git/\n.project\n"} {
		dir := newTreeDir(t, files(ignore, 500))
		if _, err := NewChecker(Limits{}).List(dir, []string{dir}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
