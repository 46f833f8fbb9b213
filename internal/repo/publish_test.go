package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A pass that fails between the first rename and the last leaves no temporary
// file behind: it is tried again and again while the cause lasts.
func TestFailedCommitLeavesNoTemporaryFile(t *testing.T) {
	f := newFixture(t)
	f.opts.DigestURLs = true
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	inTheWay := filepath.Join(f.repo, keptName)
	must(t, os.WriteFile(inTheWay, nil, 0o644))
	if err := r.Build(context.Background()); err == nil {
		t.Fatal("built with a file in the place of by-digest")
	}
	left, err := filepath.Glob(filepath.Join(f.repo, tempPrefix+"*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	must(t, os.Remove(inTheWay))
	must(t, r.Build(context.Background()))
	f.checkWhole()
}

// A pass that finds no room for an address by content renames nothing: what the
// last Snapshot lists is there, under each name.
func TestFailedCommitKeepsWhatIsServed(t *testing.T) {
	for _, digests := range []bool{false, true} {
		for _, blocked := range []string{"a-1.0.0", "b-1.0.0"} {
			t.Run(fmt.Sprintf("digest URLs %t, no room for %s", digests, blocked), func(t *testing.T) {
				f := newFixture(t)
				f.opts.DigestURLs, f.opts.KeepReplaced = digests, time.Hour
				f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
				r, err := Open(f.repo, f.opts)
				must(t, err)
				defer r.Close()
				must(t, r.Build(context.Background()))
				before := f.index()
				write(t, f.tree, map[string]string{"a/new": "1", "b/new": "1"})
				digest := before[blocked] // which is kept where the index does not name it already
				if digests {
					after := &fixture{t: t, tree: f.tree, repo: filepath.Join(t.TempDir(), "after"), opts: f.opts}
					after.build()
					digest = after.index()[blocked]
				}
				inTheWay := filepath.Join(f.repo, keptName, digest)
				must(t, os.MkdirAll(filepath.Dir(inTheWay), 0o755))
				must(t, os.WriteFile(inTheWay, nil, 0o644))
				if err := r.Build(context.Background()); err == nil {
					t.Fatal("built with a file in the way")
				}
				for name, digest := range before {
					if got := readServed(t, r.Snapshot(), name+".tgz"); got != digest {
						t.Errorf("%s.tgz is %s, want %s", name, got, digest)
					}
				}
				must(t, os.Remove(inTheWay))
				must(t, r.Build(context.Background()))
				f.checkWhole()
			})
		}
	}
}
