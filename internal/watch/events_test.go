package watch

import (
	"os"
	"slices"
	"testing"
)

// Each case is one thing that people and their tools do to a source tree.
func TestEvents(t *testing.T) {
	tests := map[string]struct {
		dirs []string
		do   func(*consumer)
	}{
		"file created, written, removed": {
			do: func(c *consumer) {
				c.write("Chart.yaml", "a")
				c.wantPath("Chart.yaml")
				c.write("Chart.yaml", "b")
				c.wantPath("Chart.yaml")
				c.remove("Chart.yaml")
				ch := c.wantPath("Chart.yaml")
				if ch.Rescan {
					c.t.Errorf("a file's removal asked for a rescan: %v", ch)
				}
			},
		},
		"new tree by MkdirAll": {
			do: func(c *consumer) {
				c.mkdir("nova/templates/bin")
				c.wantPath("nova")
				c.add(c.path("nova"))
				c.write("nova/templates/bin/x.sh", "x")
				c.wantPath("nova/templates/bin/x.sh")
			},
		},
		"directory renamed": {
			dirs: []string{"nova/templates"},
			do: func(c *consumer) {
				c.rename("nova", "cinder")
				ch := c.wantRescan()
				if !slices.Contains(ch.Paths, c.path("nova")) || !slices.Contains(ch.Paths, c.path("cinder")) {
					c.t.Errorf("got %v, want both names", ch.Paths)
				}
				c.write("cinder/templates/x", "x")
				ch = c.wantPath("cinder/templates/x")
				if slices.Contains(ch.Paths, c.path("nova/templates/x")) {
					c.t.Errorf("the old path is still reported: %v", ch.Paths)
				}
			},
		},
		"directory renamed, scanned before the event came": {
			dirs: []string{"nova/templates"},
			do: func(c *consumer) {
				c.rename("nova", "cinder")
				c.scan() // renews all that was watched
				c.wantPath("nova")
				c.write("cinder/Chart.yaml", "x")
				c.wantPath("cinder/Chart.yaml")
				c.write("cinder/templates/x", "x")
				c.wantPath("cinder/templates/x")
			},
		},
		"directory renamed and replaced": {
			dirs: []string{"nova/templates"},
			do: func(c *consumer) {
				c.rename("nova", "nova.old")
				c.mkdir("nova/templates")
				c.wantRescan()
				c.write("nova/templates/x", "x")
				c.wantPath("nova/templates/x")
				c.write("nova.old/templates/y", "y")
				c.wantPath("nova.old/templates/y")
			},
		},
		"sibling with a common prefix keeps its watch": {
			dirs: []string{"no", "nova"},
			do: func(c *consumer) {
				c.remove("no")
				ch := c.want("a rescan", func(ch Change) bool { return ch.Rescan })
				if slices.Contains(ch.Paths, c.path("nova")) {
					c.t.Errorf("got %v", ch.Paths)
				}
				c.write("nova/x", "x") // nothing was added again
				c.wantPath("nova/x")
			},
		},
		"directory removed and made again": {
			dirs: []string{"nova/templates"},
			do: func(c *consumer) {
				c.remove("nova")
				c.mkdir("nova/templates")
				c.wantRescan()
				c.write("nova/templates/x", "x")
				c.wantPath("nova/templates/x")
			},
		},
		"watched root removed and made again": {
			do: func(c *consumer) {
				c.remove("")
				c.wantRescan()
				c.mkdir("")
				c.wantPath("")
				c.scan()
				c.write("x", "x")
				c.wantPath("x")
			},
		},
		"watched root removed, nobody scans, and made again": {
			do: func(c *consumer) {
				c.remove("")
				c.want("a rescan", func(ch Change) bool { return ch.Rescan })
				c.mkdir("")
				c.wantPath("")
			},
		},
		"root that is not there yet": {
			do: func(c *consumer) {
				c.root = realDir(c.t) + "/later/charts" // nothing above it is watched
				c.check(c.w.Add(c.root))
				c.mkdir("")
				c.wantPath("")
				c.scan()
				c.write("x", "x")
				c.wantPath("x")
			},
		},
		"editor swap": {
			dirs: []string{"nova"},
			do: func(c *consumer) {
				c.write("nova/values.yaml", "a")
				c.wantPath("nova/values.yaml")
				for range 3 { // the watch must not stay with the replaced file
					c.write("nova/.values.yaml.swp", "b")
					c.rename("nova/values.yaml", "nova/values.yaml~")
					c.rename("nova/.values.yaml.swp", "nova/values.yaml")
					c.remove("nova/values.yaml~")
					if ch := c.wantPath("nova/values.yaml"); ch.Rescan {
						c.t.Errorf("got %v, want no rescan", ch)
					}
				}
			},
		},
		"file moved in and out": {
			do: func(c *consumer) {
				elsewhere := realDir(c.t)
				c.check(os.WriteFile(elsewhere+"/x.tgz", nil, 0o644))
				c.check(os.Rename(elsewhere+"/x.tgz", c.path("x.tgz")))
				c.wantPath("x.tgz")
				c.check(os.Rename(c.path("x.tgz"), elsewhere+"/x.tgz"))
				c.wantPath("x.tgz")
			},
		},
		"permissions changed": {
			do: func(c *consumer) {
				c.write("x", "x")
				c.wantPath("x")
				fileMode(c.t, c.path("x"), 0o600)
				c.wantPath("x")
			},
		},
		"directory under two names": {
			dirs: []string{"real"},
			do: func(c *consumer) {
				c.check(os.Symlink("real", c.path("link")))
				c.wantPath("link")
				c.check(c.w.Add(c.path("link")))
				c.write("real/x", "x")
				ch := c.wantPath("real/x")
				if !slices.Contains(ch.Paths, c.path("link/x")) {
					c.t.Errorf("got %v, want the other name too", ch.Paths)
				}
				c.check(os.Remove(c.path("link")))
				c.wantRescan()
				c.write("real/y", "y")
				if ch := c.wantPath("real/y"); slices.Contains(ch.Paths, c.path("link/y")) {
					c.t.Errorf("got %v, want no name that is gone", ch.Paths)
				}
			},
		},
		"many files are one change": {
			do: func(c *consumer) {
				for _, name := range []string{"c", "a", "b"} {
					c.write(name, name)
				}
				ch := c.wantPath("a")
				want := []string{c.path("a"), c.path("b"), c.path("c")}
				if !slices.Equal(ch.Paths, want) {
					c.t.Errorf("got %v, want %v", ch.Paths, want)
				}
				c.silence()
			},
		},
		"Add again and again": {
			dirs: []string{"nova"},
			do: func(c *consumer) {
				for range 100 {
					c.scan()
				}
				c.silence()
				c.write("nova/x", "x")
				c.wantPath("nova/x")
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEvents(t)
			c := start(t, w, tt.dirs...)
			if got := w.Mode(); got != "events" {
				t.Fatalf("mode %q: no events on this system", got)
			}
			tt.do(c)
		})
	}
}
