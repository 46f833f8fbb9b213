package watch

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// What Add asks of fsnotify, in which order.
func TestAddCalls(t *testing.T) {
	tests := map[string]struct {
		do   func(c *consumer)
		want []string
	}{
		"twice": {
			func(c *consumer) { c.check(c.w.Add(c.path("a"))) },
			[]string{"add a", "add a"},
		},
		"renamed": {
			func(c *consumer) {
				c.rename("a", "b")
				c.check(c.w.Add(c.path("b")))
			},
			[]string{"add a", "remove a", "add b"},
		},
		"replaced": {
			func(c *consumer) {
				c.rename("a", "b")
				c.mkdir("a")
				c.check(c.w.Add(c.path("a")))
			},
			[]string{"add a", "remove a", "add a"},
		},
		"replaced by a watched one": {
			func(c *consumer) {
				c.mkdir("b")
				c.check(c.w.Add(c.path("b")))
				c.remove("a")
				c.rename("b", "a")
				c.check(c.w.Add(c.path("a")))
			},
			[]string{"add a", "add b", "remove a", "remove b", "add a"},
		},
		"removed": {
			func(c *consumer) {
				c.remove("a")
				c.check(c.w.Add(c.path("a")))
			},
			[]string{"add a"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			w := withFake(t, f, Options{})
			defer w.Close()
			c := &consumer{t: t, w: watchedOf(w), root: realDir(t)}
			c.mkdir("a")
			c.check(w.Add(c.path("a")))
			tt.do(c)
			if diff := cmp.Diff(tt.want, f.calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	w := newEvents(t)
	c := &consumer{t: t, w: watchedOf(w), root: realDir(t)}
	c.scan()
	c.write("file", "")
	other := realDir(t)
	tests := map[string]struct {
		dir   string
		await bool
	}{
		"below a watched directory":   {c.path("x"), false},
		"deep below one":              {c.path("x/y/z"), false},
		"below a file":                {c.path("file/y"), false},
		"a file":                      {c.path("file"), false},
		"where nobody looks":          {filepath.Join(other, "x"), true},
		"deep below where nobody is":  {filepath.Join(other, "y/z"), true},
		"below a prefix of a watched": {c.root + "x/y", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := w.Add(tt.dir); err != nil {
				t.Errorf("Add: %v", err)
			}
			if _, got := w.dirs.missing[tt.dir]; got != tt.await {
				t.Errorf("looked for: %v, want %v", got, tt.await)
			}
		})
	}
}

// A directory is told about once when it comes, and not at all when it was added
// meanwhile.
func TestMissingComes(t *testing.T) {
	tests := map[string]struct {
		added bool
		want  int
	}{
		"told":              {false, 1},
		"added by a rescan": {true, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			timed(t, Options{Rescan: -1}, func(t *testing.T, _ *fake, w *watched) {
				c := &consumer{t: t, w: w, root: t.TempDir() + "/later"}
				c.check(w.Add(c.root))
				c.mkdir("")
				if tt.added {
					c.check(w.Add(c.root))
				}
				got, end := 0, time.After(time.Hour)
				for {
					select {
					case ch := <-w.changes:
						got++
						if diff := cmp.Diff(Change{Paths: []string{c.root}}, ch, untimed()); diff != "" {
							t.Error(diff)
						}
						continue
					case <-end:
					}
					break
				}
				if got != tt.want {
					t.Errorf("told %d times, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestMissingIsBounded(t *testing.T) {
	w := newEvents(t)
	root := realDir(t)
	for i := range maxMissing + 10 {
		if err := w.Add(filepath.Join(root, strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(w.dirs.missing); got != maxMissing {
		t.Errorf("%d directories are looked for, want %d", got, maxMissing)
	}
}

// One directory that can't be watched is that directory's error.
func TestAddError(t *testing.T) {
	f := newFake()
	f.addErr = syscall.EACCES
	w := withFake(t, f, Options{})
	defer w.Close()
	dir := realDir(t)
	err := w.Add(dir)
	if !errors.Is(err, syscall.EACCES) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want one that names %s", err, dir)
	}
	if got := w.Mode(); got != "events" {
		t.Errorf("mode %q", got)
	}
	if err := w.Add("relative"); err == nil {
		t.Error("Add of a relative path: no error")
	}
}

// fsnotify itself panics here; the calls are those of a replacement that comes
// while Add is at work.
func TestRemovePanic(t *testing.T) {
	n, err := openNotifier()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	c := &consumer{t: t, root: realDir(t)}
	c.mkdir("a")
	c.mkdir("b")
	c.check(n.Add(c.path("a")))
	c.check(n.Add(c.path("b")))
	c.rename("a", "gone")
	c.rename("b", "a")
	c.check(n.Add(c.path("a")))
	if err := n.Remove(c.path("a")); err == nil {
		t.Log("fsnotify was mended: drop the recover in fsNotifier.Remove")
	}
}

// fsnotify itself stands still here: it sends an error, which nobody reads, with
// its lock held.
func TestErrorDoesNotBlockAdd(t *testing.T) {
	n, err := openNotifier()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	c := &consumer{t: t, root: realDir(t)}
	c.mkdir("a")
	c.check(n.Add(c.root))
	c.check(n.Add(c.path("a")))
	c.write("x", "") // is read from the kernel alone; the rest waits there
	time.Sleep(50 * time.Millisecond)
	c.rename("a", "b")
	c.remove("b")
	done := make(chan struct{})
	go func() {
		for event := range n.Events() {
			if event.Name == c.path("b") && event.Has(fsnotify.Remove) {
				break // all is read but what follows the error
			}
			n.Add(c.root)
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Add does not return")
	}
	if err := <-n.Errors(); err == nil {
		t.Error("no error came; fsnotify was mended?")
	}
}

// Many goroutines scan while directories come and go, also under each other's
// names.
func TestConcurrentAdd(t *testing.T) {
	w := newEvents(t)
	c := start(t, w)
	var scanners sync.WaitGroup
	for i := range 4 {
		scanners.Go(func() {
			name := strconv.Itoa(i)
			for range 50 {
				os.MkdirAll(c.path(name+"/a"), 0o755)
				w.Add(c.path(name))
				w.Add(c.path(name + "/a"))
				os.Rename(c.path(name), c.path("x"))
				w.Add(c.path("x"))
				w.Add(c.path("x/a"))
				os.RemoveAll(c.path("x"))
			}
		})
	}
	scanners.Wait()
	c.wantRescan()
	c.mkdir("last/a")
	c.scan()
	c.write("last/a/x", "x")
	c.wantPath("last/a/x")
}
