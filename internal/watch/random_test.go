package watch

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// After any history of directories that come, go, and change their names while a
// scanner follows, each directory that is there is watched under its own name.
func TestAnyHistory(t *testing.T) {
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newEvents(t)
			c := start(t, w)
			stop := make(chan struct{})
			var scanner sync.WaitGroup
			scanner.Go(func() { c.follow(stop) })
			r := rand.New(rand.NewPCG(seed, 0))
			for range 300 {
				c.step(r)
				if r.IntN(10) == 0 {
					time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
				}
			}
			time.Sleep(time.Second) // far more than the quiet time
			close(stop)
			scanner.Wait()
			c.probe()
		})
	}
}

// follow does what the repository does: a rescan adds all, a path its subtree.
func (c *consumer) follow(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case ch := <-c.w.changes:
			if ch.Rescan {
				ch.Paths = append(ch.Paths, c.root)
			}
			for _, path := range ch.Paths {
				filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
					if err == nil && d.IsDir() {
						c.w.Add(path)
					}
					return nil
				})
			}
		}
	}
}

// step does one thing to a directory somewhere; what fails, fails.
func (c *consumer) step(r *rand.Rand) {
	name := func() string {
		path := c.root
		for range 1 + r.IntN(3) {
			path = filepath.Join(path, string(rune('a'+r.IntN(3))))
		}
		return path
	}
	switch path := name(); r.IntN(6) {
	case 0, 1, 2:
		os.MkdirAll(path, 0o755)
	case 3:
		os.RemoveAll(path)
	default:
		to := name()
		os.MkdirAll(filepath.Dir(to), 0o755)
		os.Rename(path, to)
	}
}

// probe writes into each directory and wants to be told about each file.
func (c *consumer) probe() {
	c.t.Helper()
	for len(c.w.changes) > 0 {
		<-c.w.changes
	}
	var want []string
	err := filepath.WalkDir(c.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			want = append(want, filepath.Join(path, "probe"))
		}
		return err
	})
	c.check(err)
	for _, path := range want {
		c.check(os.WriteFile(path, nil, 0o644))
	}
	told := make(map[string]bool)
	c.want(fmt.Sprintf("%d probes", len(want)), func(ch Change) bool {
		for _, path := range ch.Paths {
			told[path] = true
			if !slices.Contains(want, path) {
				c.t.Errorf("%s was reported, which nobody wrote", path)
			}
		}
		return len(told) >= len(want)
	})
}
