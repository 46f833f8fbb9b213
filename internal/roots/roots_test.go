package roots

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/unixtest"
)

// tree makes files, and links where the content begins with "-> ", below a directory
// without links in its path. ROOT in a link is that directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for name, content := range files {
		at := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(at), 0o755))
		if target, link := strings.CutPrefix(content, "-> "); link {
			must(t, os.Symlink(strings.ReplaceAll(target, "ROOT", dir), at))
		} else {
			must(t, os.WriteFile(at, []byte(content), 0o644))
		}
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Where a path leads is what the system says, and all links on the way are told.
func TestFollow(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/f": "F", "l": "-> a", "abs": "-> ROOT/l/f", "two": "-> l/../l/f", "up": "-> a/../a/./f",
		"loop": "-> loop", "broken": "-> a/none", "through": "-> a/f/x", "chain": "-> abs",
		"data": "-> v1", "v1/c": "C", "current": "-> data/c",
	})
	for path, want := range map[string][]string{
		"a/f": nil, "l/f": {"l"}, "abs": {"abs", "l"}, "two": {"two", "l", "l"}, "up": {"up"}, "chain": {"chain", "abs", "l"},
		"current": {"current", "data"}, "a": nil, "l": {"l"}, "./l/.": {"l"},
		"loop": nil, "broken": {"broken", "a/none"}, "through": {"through"}, "none/x": {"none"},
	} {
		var links []string
		got, err := Follow(dir+"/"+path, func(at string) { links = append(links, strings.TrimPrefix(at, dir+"/")) })
		real, realErr := filepath.EvalSymlinks(dir + "/" + path)
		if (err != nil) != (realErr != nil) {
			t.Errorf("%s: error %v, the system says %v", path, err, realErr)
		}
		if err == nil && got != real {
			t.Errorf("%s leads to %s, want %s", path, got, real)
		}
		if path != "loop" && !slices.Equal(links, want) {
			t.Errorf("%s: links %q, want %q", path, links, want)
		}
	}
	for path, want := range map[string]error{"loop": syscall.ELOOP, "broken": fs.ErrNotExist, "through": syscall.ENOTDIR} {
		if at, err := Follow(dir+"/"+path, nil); !errors.Is(err, want) || !Within(dir, at) {
			t.Errorf("%s: ended in %s with %v, want %v", path, at, err, want)
		}
	}
}

// A link that is switched while it is looked at is followed to the one or the other.
func TestFollowTellsFirst(t *testing.T) {
	dir := tree(t, map[string]string{"a/f": "", "b/f": "", "l": "-> a"})
	got, err := Follow(dir+"/l/f", func(at string) {
		must(t, os.Remove(at))
		must(t, os.Symlink("b", at))
	})
	if err != nil || got != dir+"/b/f" {
		t.Errorf("it leads to %s, error %v", got, err)
	}
	got, err = Follow(dir+"/l/f", func(at string) {
		must(t, os.Remove(at))
		must(t, os.MkdirAll(at, 0o755))
		must(t, os.WriteFile(at+"/f", nil, 0o644))
	})
	if err != nil || got != dir+"/l/f" {
		t.Errorf("it leads to %s, error %v", got, err)
	}
}

// A file is opened where it lies in one of the roots, by whatever way; SECURITY.md
// promises the rest.
func TestOpen(t *testing.T) {
	dir := tree(t, map[string]string{
		"one/f": "F", "one/in": "-> f", "one/other": "-> ../two/g", "one/out": "-> ../secret", "one/d": "-> ../two",
		"one/abs": "-> ROOT/two/g", "one/hosts": "-> /etc/hosts", "two/g": "G", "secret": "S",
	})
	must(t, unixtest.Fifo(dir+"/one/pipe"))
	r := New(dir+"/one", dir+"/two")
	defer r.Close()
	for path, want := range map[string]string{
		"one/f": "F", "one/in": "F", "one/other": "G", "one/d/g": "G", "one/abs": "G", "two/g": "G",
		"one/out": "", "one/hosts": "", "secret": "", "one/pipe": "", "one": "", "one/none": "",
	} {
		done := make(chan string, 1)
		go func() {
			data, err := r.Read(dir+"/"+path, 1)
			if err == nil != (want != "") {
				t.Errorf("%s: error %v", path, err)
			}
			done <- string(data)
		}()
		select {
		case got := <-done:
			if got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: reading it blocks", path)
		}
	}
	if _, err := r.Open(dir + "/one/out"); !errors.Is(err, chart.ErrUnsafe) || !strings.Contains(err.Error(), "SOURCE") {
		t.Errorf("a link that leads out: %v", err)
	}
	if _, err := r.Lstat(dir + "/secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file in no root: %v", err)
	}
	if _, err := r.Read(dir+"/two/g", 0); !errors.Is(err, chart.ErrLimit) {
		t.Errorf("a file that is too large: %v", err)
	}
}

// A directory on the way that becomes a link after a look leads nowhere.
func TestOpenListedAfterSwitch(t *testing.T) {
	dir := tree(t, map[string]string{"one/d/f": "F", "secret/f": "S"})
	r := New(dir + "/one")
	defer r.Close()
	if _, err := r.Lstat(dir + "/one/d/f"); err != nil {
		t.Fatal(err)
	}
	must(t, os.RemoveAll(dir+"/one/d"))
	must(t, os.Symlink("../secret", dir+"/one/d"))
	if f, err := r.OpenListed(dir + "/one/d/f"); err == nil {
		f.Close()
		t.Error("opened what lies outside")
	}
	if _, err := r.Lstat(dir + "/one/d/f"); err == nil {
		t.Error("saw what lies outside")
	}
}
