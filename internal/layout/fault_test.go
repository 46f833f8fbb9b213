package layout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// step is an operation, and what holds once it was answered.
type step struct {
	do    func(l *Layout) error
	holds func(t *testing.T, l *Layout) bool
}

// steps are all operations that write, in an order in which each has something to do.
func steps() []step {
	one, two := image("one"), image("two", "one")
	hasTag := func(name, tag, data string, want bool) func(t *testing.T, l *Layout) bool {
		return func(t *testing.T, l *Layout) bool {
			c, err := l.Content(name)
			must(t, err)
			has := slices.ContainsFunc(c.Manifests, func(m *Manifest) bool { return (tag == "" || m.Tag == tag) && m.Digest == digest.FromString(data) })
			return has == want && (!want || blob(t, l, name, digest.FromString(data)) == data)
		}
	}
	hasBlob := func(name, content string, want bool) func(t *testing.T, l *Layout) bool {
		return func(t *testing.T, l *Layout) bool {
			return (blob(t, l, name, digest.FromString(content)) == content) == want
		}
	}
	put := func(name, tag, data string) step {
		return step{func(l *Layout) error { return l.Put(name, entry(tag, data), []byte(data)) }, hasTag(name, tag, data, true)}
	}
	return []step{
		{func(l *Layout) error { _, err := send(l, "a", "one"); return err }, hasBlob("a", "one", true)},
		{func(l *Layout) error { _, err := send(l, "a", "two"); return err }, hasBlob("a", "two", true)},
		put("a", "", one),
		put("a", "1", one),
		{func(l *Layout) error {
			ok, err := l.Mount("b", "a", digest.FromString("one"))
			if err == nil && !ok {
				return errors.New("not mounted")
			}
			return err
		}, hasBlob("b", "one", true)},
		put("b", "x", one),
		put("a", "2", two),
		put("a", "1", two),
		{func(l *Layout) error { return l.Link("a", digest.FromString("archive"), "a-1.tgz") }, hasBlob("a", "archive", true)},
		{func(l *Layout) error { return l.Write("a", digest.FromString("small"), []byte("small")) }, hasBlob("a", "small", true)},
		{func(l *Layout) error { return l.Untag("a", "2") }, hasTag("a", "2", two, false)},
		{func(l *Layout) error {
			if err := l.DropBlob("a", digest.FromString("small")); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}, hasBlob("a", "small", false)},
		{func(l *Layout) error { return l.Drop("b", func(*Manifest) bool { return true }) }, hasTag("b", "x", one, false)},
		{func(l *Layout) error {
			_, err := l.Collect(context.Background(), CollectOptions{Alone: true, Grace: time.Nanosecond})
			return err
		}, hasBlob("a", "archive", false)},
	}
}

// whole checks what holds at any moment: each index.json is one, and blobs have their digests.
func whole(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, root), func(p string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && e.IsDir() {
			return nil
		}
		must(t, err)
		data, err := os.ReadFile(p)
		must(t, err)
		switch parts := strings.Split(p, "/"); {
		case e.Name() == indexFile:
			if _, err := decode(data); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		case slices.Contains(parts, blobsDir) || slices.Contains(parts, "_blobs"):
			alg := digest.Algorithm(parts[len(parts)-2])
			if got := alg.FromBytes(data).Encoded(); got != e.Name() {
				t.Errorf("%s has %s", p, got)
			}
		}
		return nil
	})
	if !os.IsNotExist(err) {
		must(t, err)
	}
}

// Each operation on the disk fails, once, or with all that come after it. What was answered
// holds, also for the next owner; what was not can be done again.
func TestPushFaults(t *testing.T) {
	counted := &faults{}
	l := start(t, archived(t), Options{Fault: counted.ask})
	for _, s := range steps() {
		must(t, s.do(l))
	}
	if len(counted.ops) < 100 {
		t.Errorf("%d operations", len(counted.ops))
	}
	for n, op := range counted.ops {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Parallel()
			testFault(t, n+1, false)
			if n%5 == 0 || os.Getenv("TORTURE") == "long" {
				testFault(t, n+1, true)
			}
			if t.Failed() {
				t.Log(op)
			}
		})
	}
}

// archived is a repository folder with an archive.
func archived(t *testing.T) string {
	t.Helper()
	dir := quick(t)
	must(t, os.WriteFile(filepath.Join(dir, "a-1.tgz"), []byte("archive"), 0o644))
	return dir
}

// testFault does all steps. The operation number n fails, and with all those after it too, until
// there is another owner.
func testFault(t *testing.T, n int, all bool) {
	t.Helper()
	dir := archived(t)
	f := &faults{fail: func(k int, op, name string) error {
		if k == n || all && k > n {
			return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
		}
		return nil
	}}
	l, sound := start(t, dir, Options{Fault: f.ask}), start(t, dir, Options{})
	for i, s := range steps() {
		err := s.do(l)
		whole(t, dir)
		if err != nil {
			if !errors.Is(err, syscall.EIO) {
				t.Fatalf("step %d: %v", i, err)
			}
			must(t, l.Close())
			l = start(t, dir, Options{})
			if i > 0 && !steps()[i-1].holds(t, sound) {
				t.Errorf("what step %d did is gone with step %d", i-1, i)
			}
			if err := s.do(l); err != nil {
				t.Fatalf("step %d again: %v", i, err)
			}
		}
		if !s.holds(t, sound) {
			t.Errorf("step %d did nothing", i)
		}
	}
	whole(t, dir)
	must(t, os.RemoveAll(filepath.Join(dir, staged))) // as the next owner does
	if left := files(t, dir); len(left) > 10 {
		t.Errorf("there is %v", left)
	}
}
