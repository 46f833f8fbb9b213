package watch

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 5 * time.Second

// watched is a Watcher with what it has told.
type watched struct {
	*Watcher
	changes chan Change
}

// consumer stands in for the scanner: it adds trees, and reads Changes.
type consumer struct {
	t    *testing.T
	w    *watched
	root string
}

// start runs w until the test ends, over a new directory that is watched.
func start(t *testing.T, w *Watcher, dirs ...string) *consumer {
	t.Helper()
	c := &consumer{t: t, w: watchedOf(w), root: realDir(t)}
	for _, dir := range dirs {
		c.mkdir(dir)
	}
	c.scan()
	run(t, c.w)
	return c
}

func watchedOf(w *Watcher) *watched { return &watched{w, make(chan Change, 1000)} }

func run(t *testing.T, w *watched) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, func(ch Change) { w.changes <- ch }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func newEvents(t *testing.T) *Watcher {
	t.Helper()
	w, err := New(Options{Rescan: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func (c *consumer) path(name string) string { return filepath.Join(c.root, name) }

// scan adds the whole tree, each directory before it is listed.
func (c *consumer) scan() {
	c.t.Helper()
	c.add(c.root)
}

func (c *consumer) add(dir string) {
	c.t.Helper()
	if err := c.w.Add(dir); err != nil {
		c.t.Fatalf("Add(%s): %v", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			c.add(filepath.Join(dir, e.Name()))
		}
	}
}

func (c *consumer) mkdir(name string) {
	c.t.Helper()
	c.check(os.MkdirAll(c.path(name), 0o755))
}

func (c *consumer) write(name, content string) {
	c.t.Helper()
	c.check(os.WriteFile(c.path(name), []byte(content), 0o644))
}

func (c *consumer) rename(from, to string) {
	c.t.Helper()
	c.check(os.Rename(c.path(from), c.path(to)))
}

func (c *consumer) remove(name string) {
	c.t.Helper()
	c.check(os.RemoveAll(c.path(name)))
}

func (c *consumer) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// wantPath reads Changes until one names the path, and returns it.
func (c *consumer) wantPath(name string) Change {
	c.t.Helper()
	return c.want(name, func(ch Change) bool { return slices.Contains(ch.Paths, c.path(name)) })
}

// wantRescan reads Changes until one asks for a rescan, then adds the tree again.
func (c *consumer) wantRescan() Change {
	c.t.Helper()
	ch := c.want("a rescan", func(ch Change) bool { return ch.Rescan })
	c.scan()
	return ch
}

func (c *consumer) want(what string, ok func(Change) bool) Change {
	c.t.Helper()
	timeout := time.After(patience)
	var seen []Change
	for {
		select {
		case ch := <-c.w.changes:
			if ok(ch) {
				return ch
			}
			seen = append(seen, ch)
		case <-timeout:
			c.t.Fatalf("waiting for %s, got %v", what, seen)
		}
	}
}

// silence fails when a Change comes within a time in which it would have.
func (c *consumer) silence() {
	c.t.Helper()
	select {
	case ch := <-c.w.changes:
		c.t.Fatalf("got %v, want nothing", ch)
	case <-time.After(300 * time.Millisecond):
	}
}

func fileMode(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// untimed has Changes compared without their times.
func untimed() cmp.Option { return cmpopts.IgnoreFields(Change{}, "Since") }
