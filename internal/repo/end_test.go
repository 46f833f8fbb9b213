package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// manySources is a SOURCE of n archives.
func manySources(t *testing.T, f *fixture, n int) {
	t.Helper()
	for i := range n {
		f.add(map[string]string{fmt.Sprintf("x-%d.tgz", i): string(archiveOf(t, "x", fmt.Sprintf("1.0.%d", i)))})
	}
}

// The state is on disk when the repository is ready: a server that is stopped the moment
// it is ready reads nothing again.
func TestStateIsThereWhenReady(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	manySources(t, f, 50)
	r, err := Open(f.repo, f.opts)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	<-r.Ready()
	if _, err := os.Stat(filepath.Join(f.repo, stateName)); err != nil {
		t.Errorf("when ready: %v", err)
	}
	cancel() // while the events of its own copies arrive
	must(t, <-ended)
	must(t, r.Close())
	st := f.build()
	if st.LastRebuild.Checked != 0 || st.LastRebuild.Packaged != 0 || st.LastRebuild.Reused != 100 {
		t.Errorf("the next start: %+v, want 100 archives reused", st.LastRebuild)
	}
}

// A first pass that is cut off keeps what it did.
func TestCutOffStartKeepsWhatItDid(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	manySources(t, f, 40)
	ctx, cancel := context.WithCancel(t.Context())
	f.opts.Jobs = 1
	looked := 0
	now := f.opts.Now
	f.opts.Now = func() time.Time {
		if looked++; looked == 30 {
			cancel()
		}
		return now()
	}
	r, err := Open(f.repo, f.opts)
	must(t, err)
	if err := r.Build(ctx); err == nil {
		t.Fatal("the build was not cut off")
	}
	must(t, r.Close())
	f.opts.Now = now
	st := f.build()
	if st.LastRebuild.Reused < 20 || st.LastRebuild.Checked > 20 || len(f.index()) != 40 {
		t.Errorf("the next start: %+v", st.LastRebuild)
	}
}

// What a pass has written itself needs no second look.
func TestOwnFilesNeedNoLook(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0")), "x.tgz.prov": signed})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(t.Context()))
	before := r.View()
	var paths []string
	for _, name := range []string{"a-1.0.0.tgz", "x-1.0.0.tgz", "x-1.0.0.tgz.prov", "index.yaml", ".state", ".tmp-1"} {
		paths = append(paths, filepath.Join(f.repo, name))
	}
	must(t, r.pass(t.Context(), mail{change: changeOf(paths...)}))
	if r.View() != before {
		t.Error("a pass was made for its own files")
	}
	must(t, os.WriteFile(paths[0], archiveOf(t, "a", "1.0.0"), 0o644))
	must(t, r.pass(t.Context(), mail{change: changeOf(paths...)}))
	if r.View() == before {
		t.Error("a file that someone replaced was not looked at")
	}
}
