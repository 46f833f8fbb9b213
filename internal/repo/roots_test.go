package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/unixtest"
)

// Nothing of a SOURCE leads to a file outside of it, and nothing waits: neither a
// provenance nor an archive that is a link, nor one that becomes a link or a pipe.
// The right value is the confinement that SECURITY.md promises.
func TestSourceFilesStayInside(t *testing.T) {
	cases := map[string]struct {
		make   func(f *fixture, out string) // out is a file outside
		reason string                       // in the failures or warnings
		names  []string
	}{
		"a provenance that is a link to the environment": {
			make: func(f *fixture, _ string) {
				must(t, os.Symlink("/proc/self/environ", filepath.Join(f.tree, "x.tgz.prov")))
			},
			reason: "points out of the source", names: []string{"x-1.0.0"},
		},
		"a provenance that is a link outside": {
			make: func(f *fixture, out string) {
				must(t, os.WriteFile(out, []byte(signed), 0o644))
				must(t, os.Symlink(out, filepath.Join(f.tree, "x.tgz.prov")))
			},
			reason: "points out of the source", names: []string{"x-1.0.0"},
		},
		"a provenance that is none": {
			make:   func(f *fixture, _ string) { f.add(map[string]string{"x.tgz.prov": "root:x:0:0"}) },
			reason: "not a signed message", names: []string{"x-1.0.0"},
		},
		"a provenance that is a pipe": {
			make:   func(f *fixture, _ string) { must(t, unixtest.Fifo(filepath.Join(f.tree, "x.tgz.prov"))) },
			reason: "not a regular file", names: []string{"x-1.0.0"},
		},
		"an archive that becomes a link outside": {
			make: func(f *fixture, out string) {
				must(t, os.WriteFile(out, archiveOf(t, "other", "1.0.0"), 0o644))
				must(t, os.Remove(filepath.Join(f.tree, "x.tgz")))
				must(t, os.Symlink(out, filepath.Join(f.tree, "x.tgz")))
			},
			reason: "points out of the source", names: []string{"x-1.0.0"}, // its last good copy
		},
		"an archive that becomes a pipe": {
			make: func(f *fixture, _ string) {
				must(t, os.Remove(filepath.Join(f.tree, "x.tgz")))
				must(t, unixtest.Fifo(filepath.Join(f.tree, "x.tgz")))
			},
			reason: "", names: []string{"x-1.0.0"},
		},
	}
	for name, c := range cases {
		for _, how := range []string{"build", "event"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				f := newFixture(t)
				f.opts.Now = settledNow
				f.add(map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
				out := filepath.Join(filepath.Dir(f.tree), "outside")
				r, err := Open(f.repo, f.opts)
				must(t, err)
				defer r.Close()
				must(t, r.Build(t.Context()))
				c.make(f, out)
				done := make(chan error, 1)
				go func() {
					if how == "build" {
						done <- r.Build(t.Context())
						return
					}
					done <- r.pass(t.Context(), mail{change: changeOf(filepath.Join(f.tree, "x.tgz"), filepath.Join(f.tree, "x.tgz.prov"))})
				}()
				select {
				case err := <-done:
					must(t, err)
				case <-time.After(20 * time.Second):
					t.Fatal("it waits for ever")
				}
				st := r.Status()
				if got := reasons(st) + fmt.Sprint(st.Warnings); !strings.Contains(got, c.reason) {
					t.Errorf("failures and warnings %q lack %q", got, c.reason)
				}
				wantNames(t, f.names(), c.names...)
				if _, ok := r.View().File("x-1.0.0.tgz.prov"); ok {
					t.Error("a provenance is served")
				}
			})
		}
	}
}

// A glob takes in no links that lead out of the directory before its first wildcard.
func TestGlobsStayInside(t *testing.T) {
	f := newFixture(t)
	out := filepath.Join(filepath.Dir(f.tree), "out")
	write(t, out, chartFiles("far", "far", "1.0.0"))
	must(t, os.WriteFile(filepath.Join(out, "y.tgz"), archiveOf(t, "other", "1.0.0"), 0o644))
	f.add(chartFiles("a", "a", "1.0.0"))
	must(t, os.Symlink(out, filepath.Join(f.tree, "folder")))
	must(t, os.Symlink(filepath.Join(out, "y.tgz"), filepath.Join(f.tree, "link.tgz")))
	f.opts.Sources = []string{filepath.Join(f.tree, "*")}
	if got := reasons(f.build()); strings.Count(got, "points out of the source") != 2 {
		t.Errorf("reasons: %s", got)
	}
	wantNames(t, f.names(), "a-1.0.0")
}
