package store

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site writes a whole Site of these files.
func (s *Store) site(key string, files map[string]string) error {
	w, err := s.Site()
	if err != nil {
		return err
	}
	defer w.Close()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.Put(name, "", func() ([]byte, error) { return []byte(files[name]), nil }); err != nil {
			return err
		}
	}
	return w.Finish(key)
}

// pages are all files of a folder but for what begins with a dot.
func pages(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := contents(t, dir)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, ".") })
	return got
}

var (
	firstSite = map[string]string{"index.html": "one", "chart/a/index.html": "a", "chart/b/index.html": "b", "chart/b/1/index.html": "b 1"}
	nextSite  = map[string]string{"index.html": "two", "chart/a/index.html": "a", "chart/c/index.html": "c"}
)

func TestSite(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	theirs := map[string]string{"a-1.tgz": "an archive", "chart/b/notes.txt": "mine"}
	for name, text := range theirs {
		s.write(t, name, text)
	}
	with := func(site map[string]string) map[string]string {
		all := maps.Clone(site)
		maps.Copy(all, theirs)
		return all
	}
	must(t, s.site("k1", firstSite))
	if got := pages(t, s.path); !maps.Equal(got, with(firstSite)) {
		t.Fatalf("the folder holds %v", got)
	}
	same := filepath.Join(s.path, "chart/a/index.html")
	old := time.Unix(1e9, 0)
	must(t, os.Chtimes(same, old, old))
	must(t, s.site("k2", nextSite))
	if got := pages(t, s.path); !maps.Equal(got, with(nextSite)) {
		t.Errorf("the folder holds %v", got)
	}
	if fi, err := os.Stat(same); err != nil || !fi.ModTime().Equal(old) {
		t.Errorf("a page that did not change was written: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.path, "chart/b/1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory stays: %v", err)
	}
}

// A file that somebody else put in the place of a page, or has changed since, stays, and the
// error names it. An empty one, and one with the page's bytes, is taken over.
func TestSiteForeign(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(t *testing.T, s *Store)
		good bool
	}{
		"a file":               {func(t *testing.T, s *Store) { s.write(t, "chart/c/index.html", "mine") }, false},
		"a changed page":       {func(t *testing.T, s *Store) { s.write(t, "index.html", "mine") }, false},
		"a directory":          {func(t *testing.T, s *Store) { s.write(t, "chart/c/index.html/x", "mine") }, false},
		"a file above":         {func(t *testing.T, s *Store) { s.write(t, "chart/c", "mine") }, false},
		"a link":               {func(t *testing.T, s *Store) { must(t, os.Symlink("../index.html", filepath.Join(s.path, "chart/c"))) }, false},
		"an empty file":        {func(t *testing.T, s *Store) { s.write(t, "chart/c/index.html", "") }, true},
		"the same bytes":       {func(t *testing.T, s *Store) { s.write(t, "chart/c/index.html", "c") }, true},
		"a page from a backup": {func(t *testing.T, s *Store) { s.write(t, "index.html", "one") }, true},
		"a page is gone":       {func(t *testing.T, s *Store) { must(t, os.Remove(filepath.Join(s.path, "index.html"))) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, t.TempDir(), Options{})
			must(t, s.site("k", firstSite))
			c.put(t, s)
			before := pages(t, s.path)
			err := s.site("k", nextSite)
			if c.good {
				must(t, err)
				if got := pages(t, s.path); !maps.Equal(got, nextSite) {
					t.Errorf("the folder holds %v", got)
				}
				return
			}
			if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "move it away") {
				t.Errorf("the error is %v", err)
			}
			for name, text := range before {
				if text == "mine" && pages(t, s.path)[name] != text {
					t.Errorf("%s was touched", name)
				}
			}
		})
	}
}

// A page of an earlier Site that somebody has changed stays when the Site no longer has it.
func TestSiteLeavesChangedPages(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	must(t, s.site("k", firstSite))
	s.write(t, "chart/b/index.html", "mine")
	must(t, s.site("k", nextSite))
	if got := pages(t, s.path)["chart/b/index.html"]; got != "mine" {
		t.Errorf("it is %q", got)
	}
	must(t, s.site("k", nextSite))
}

// A page with the key that it had is not made again; a whole Site is known by its key.
func TestSiteKeys(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	made := 0
	put := func(key string) {
		t.Helper()
		w, err := s.Site()
		must(t, err)
		must(t, w.Put("p/index.html", key, func() ([]byte, error) { made++; return fmt.Append(nil, "made for ", key), nil }))
		must(t, w.Finish("all of "+key))
	}
	whole := func(key string) bool {
		t.Helper()
		w, err := s.Site()
		must(t, err)
		defer w.Close()
		return w.Whole(key)
	}
	for i, c := range []struct {
		key  string
		made int
	}{{"1", 1}, {"1", 1}, {"2", 2}, {"2", 2}, {"", 3}, {"", 4}} {
		put(c.key)
		if made != c.made || !whole("all of "+c.key) || whole("all of another") {
			t.Errorf("%d: made %d times, want %d; whole: %v", i, made, c.made, whole("all of "+c.key))
		}
	}
	s.write(t, "p/index.html", "changed")
	if whole("all of ") {
		t.Error("a Site is whole with a page that was changed")
	}
	failed := errors.New("no content")
	w, err := s.Site()
	must(t, err)
	defer w.Close()
	if err := w.Put("q", "", func() ([]byte, error) { return nil, failed }); err != failed {
		t.Errorf("the error of the content became %v", err)
	}
	for _, name := range []string{"../q", "/q", "a\nb", ".lock", ""} {
		if w.Put(name, "", nil) == nil {
			t.Errorf("%q is the name of a page", name)
		}
	}
}

// List passes over pages and their directories, also after the folder was opened anew.
func TestListWithoutPages(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	s.write(t, "chart/x-1.tgz", "x")
	s.write(t, "robots.txt", "mine")
	must(t, s.site("k", firstSite))
	want := []string{"chart/x-1.tgz", "robots.txt"}
	for range 2 {
		var dirs, got []string
		found, err := s.List(".", func(dir string) { dirs = append(dirs, dir) })
		must(t, err)
		for _, f := range found {
			got = append(got, f.Name)
		}
		if !slices.Equal(got, want) || len(dirs) != 2 {
			t.Errorf("listed %v, in %v, want %v", got, dirs, want)
		}
		must(t, s.Close())
		s = openStore(t, dir, Options{})
	}
}

// Whatever operation fails, for want of room or otherwise, once or with all that follow: what
// else is in the folder stays, no page is half written, and the next Site mends all.
func TestSiteFaults(t *testing.T) {
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	for _, more := range []bool{false, true} {
		for n := 1; ; n++ {
			hit, f := "", &faults{}
			s := openStore(t, t.TempDir(), Options{Fault: f.ask})
			s.write(t, IndexName, "index")
			s.write(t, "a-1.tgz", "archive")
			must(t, s.site("1", firstSite))
			f.ops, f.fail = nil, func(i int, op, name string) error {
				if i < n || i > n && !more {
					return nil
				}
				hit = fmt.Sprintf("operation %d (%s %s), all that follow: %v", n, op, name, more)
				return &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
			}
			err := s.site("2", nextSite)
			f.fail = nil
			s.Tidy()
			if hit == "" {
				must(t, err)
				break
			}
			got := contents(t, s.path)
			for name, text := range got {
				if strings.HasPrefix(name, tempPrefix) {
					t.Errorf("%s: left behind: %s", hit, name)
				}
				if strings.HasSuffix(name, ".html") && text != firstSite[name] && text != nextSite[name] {
					t.Errorf("%s: %s is %q", hit, name, text)
				}
			}
			if got[IndexName] != "index" || got["a-1.tgz"] != "archive" {
				t.Errorf("%s: the repository is not as it was: %v", hit, got)
			}
			if err := s.site("2", nextSite); err != nil {
				t.Errorf("%s: the next Site: %v", hit, err)
			}
			got = pages(t, s.path)
			delete(got, IndexName)
			delete(got, "a-1.tgz")
			if !maps.Equal(got, nextSite) {
				t.Errorf("%s: in the end the folder holds %v", hit, got)
			}
		}
	}
}

// killedSite names the folder to the process that is to be killed.
const killedSite = "CHARTSERVE_TEST_KILLED_SITE"

// TestSitesUntilKilled is the process of TestSiteKilled.
func TestSitesUntilKilled(t *testing.T) {
	dir := os.Getenv(killedSite)
	if dir == "" {
		t.Skip("this is a process of TestSiteKilled")
	}
	s := openStore(t, dir, Options{})
	for i := 0; ; i++ {
		must(t, s.site(fmt.Sprint(i), manyPages(fmt.Sprint(os.Getpid(), " ", i), i%2*100)))
		fmt.Println("site", i)
	}
}

// manyPages are as many as take a moment, with numbers from first.
func manyPages(text string, first int) map[string]string {
	all := map[string]string{"index.html": text + " end"}
	for i := range 200 {
		all[fmt.Sprintf("chart/%d/index.html", first+i)] = strings.Repeat(text, i) + " end"
	}
	return all
}

// A process is killed while it writes Sites, again and again: each page is a whole one, and
// the next Site knows all of them.
func TestSiteKilled(t *testing.T) {
	exe, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	for round := range 5 {
		cmd := exec.Command(exe, "-test.run=^TestSitesUntilKilled$")
		cmd.Env = append(os.Environ(), killedSite+"="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		bufio.NewScanner(out).Scan() // it works
		time.Sleep(time.Duration(round*17) * time.Millisecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		for name, text := range pages(t, dir) {
			if !strings.HasSuffix(text, " end") {
				t.Errorf("%s is %q", name, text)
			}
		}
		s := openStore(t, dir, Options{})
		_, err = s.List(".", func(string) {}) // removes what was staged
		must(t, err)
		want := manyPages(fmt.Sprint("after ", round), 50)
		must(t, s.site("after", want))
		if got := pages(t, dir); !maps.Equal(got, want) {
			t.Errorf("round %d: %d files in the folder, want %d", round, len(got), len(want))
		}
		must(t, s.Close())
	}
}
