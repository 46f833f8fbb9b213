package repo

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// An archive of a SOURCE that had to wait is published though the first pass that could
// do it failed.
func TestRetryOutlivesAFailedPass(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	inTheWay := filepath.Join(f.repo, "x-1.0.0.tgz")
	write(t, f.repo, map[string]string{"x-1.0.0.tgz": string(archiveOf(t, "other", "1.0.0"))})
	r := f.open()
	if len(r.Status().Failures) != 1 {
		t.Fatalf("failures: %v", r.Status().Failures)
	}
	must(t, os.Remove(inTheWay))
	f.fail(func(op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := r.pass(t.Context(), rescan()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	f.fail(nil)
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "x-1.0.0")
}

// With --prune an archive whose chart was removed while part of the SOURCEs could not be
// seen goes once all of them can.
func TestPruneAfterWhatCouldNotBeSeen(t *testing.T) {
	f := newFixture(t)
	f.opts.Now, f.opts.Prune = settledNow, true
	other := filepath.Join(filepath.Dir(f.tree), "other")
	write(t, other, chartFiles("b", "b", "1.0.0"))
	f.opts.Sources = append(f.opts.Sources, other)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("c", "c", "1.0.0"))
	r := f.open()
	must(t, os.Rename(other, other+".away"))
	f.remove("a")
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0", "c-1.0.0")
	must(t, os.Rename(other+".away", other))
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "b-1.0.0", "c-1.0.0")
}

// A View says of each version whether its source is there now, also where the archive
// stays the same, and where the source can't be built.
func TestLiveFollowsTheSource(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
	r := f.open()
	away := filepath.Join(filepath.Dir(f.tree), "away")
	live := func() bool { return r.View().Chart("app").Version("1.0.0").Live }
	for _, step := range []struct {
		from, to string
		want     bool
	}{
		{filepath.Join(f.tree, "kit"), away, true}, {away, filepath.Join(f.tree, "kit"), true},
		{filepath.Join(f.tree, "app"), away, false}, {away, filepath.Join(f.tree, "app"), true},
	} {
		must(t, os.Rename(step.from, step.to))
		must(t, r.pass(t.Context(), rescan()))
		if live() != step.want {
			t.Errorf("after %s came to %s: live %v", step.from, step.to, live())
		}
	}
}
