package repo

import (
	"context"
	"os"
	"path/filepath"
	"testing"
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
