package repo

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chartserve/internal/index"
	"chartserve/internal/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a repository in Run.
type running struct {
	*fixture
	r *Repository
}

func (f *fixture) run() *running {
	f.t.Helper()
	r, err := Open(f.repo, f.opts)
	must(f.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
		must(f.t, r.Close())
	})
	select {
	case <-r.Ready():
	case <-time.After(20 * time.Second):
		f.t.Fatal("not ready after 20 s")
	}
	return &running{f, r}
}

// served is what the View's index has: "NAME-VERSION" to digest.
func (r *running) served() map[string]string {
	file, err := index.Decode(r.r.View().Index.YAML.Data.Bytes())
	must(r.t, err)
	out := map[string]string{}
	for _, e := range file.Entries {
		out[e.Name+"-"+e.Version] = e.Digest
	}
	return out
}

// until waits for the repository to come into a state.
func (r *running) until(what string, ok func(served map[string]string, st Status) bool) {
	r.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok(r.served(), r.r.Status()) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not after 15 s: %s; served %v, status %+v", what, r.served(), r.r.Status())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *running) untilNames(want ...string) {
	r.t.Helper()
	r.until(fmt.Sprint(want), func(served map[string]string, _ Status) bool {
		for _, n := range want {
			if served[n] == "" {
				return false
			}
		}
		return len(served) == len(want)
	})
}

// TestLive goes through what people do to charts while they are served.
func TestLive(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"), chartFiles("c", "c", "1.0.0"))
	r := f.run()
	r.untilNames("a-1.0.0", "c-1.0.0", "kit-1.0.0")

	r.until("the index is there compressed", func(map[string]string, Status) bool { return r.r.View().Index.YAML.Gzip.Len() > 0 })
	old := r.served()
	f.add(map[string]string{"kit/templates/cm.yaml": "kind: Secret\n"})
	r.until("kit and its dependent are new", func(s map[string]string, _ Status) bool {
		return s["kit-1.0.0"] != old["kit-1.0.0"] && s["a-1.0.0"] != old["a-1.0.0"]
	})
	if st := r.r.Status(); st.LastRebuild.Packaged != 2 || r.served()["c-1.0.0"] != old["c-1.0.0"] {
		t.Errorf("packaged %d, want kit and a", st.LastRebuild.Packaged)
	}
	old = r.served()
	f.add(map[string]string{"a/templates/cm.yaml": "kind: Secret\n"})
	r.until("a is new", func(s map[string]string, _ Status) bool { return s["a-1.0.0"] != old["a-1.0.0"] })
	if st := r.r.Status(); st.LastRebuild.Packaged != 1 {
		t.Errorf("packaged %d, want a alone", st.LastRebuild.Packaged)
	}

	f.add(chartFiles("new/deep/d", "d", "0.1.0")) // a whole new tree at once
	r.untilNames("a-1.0.0", "c-1.0.0", "d-0.1.0", "kit-1.0.0")

	f.add(chartFiles("c", "c", "2.0.0"))
	r.untilNames("a-1.0.0", "c-1.0.0", "c-2.0.0", "d-0.1.0", "kit-1.0.0")

	f.add(map[string]string{"c/Chart.yaml": "apiVersion: v2\nname: c\n"})
	r.until("c is broken", func(s map[string]string, st Status) bool { return len(st.Failures) == 1 && s["c-2.0.0"] != "" })
	f.add(chartFiles("c", "c", "2.0.0"))
	r.until("c is mended", func(_ map[string]string, st Status) bool { return len(st.Failures) == 0 })

	must(t, os.Rename(filepath.Join(f.tree, "new"), filepath.Join(f.tree, "renamed")))
	f.add(map[string]string{"renamed/deep/d/Chart.yaml": "apiVersion: v2\nname: d\nversion: 0.2.0\n"})
	r.until("the renamed chart is followed", func(s map[string]string, _ Status) bool { return s["d-0.2.0"] != "" })

	f.remove("c")
	r.until("c is no source any more", func(s map[string]string, st Status) bool { return st.Sources[0].Charts == 3 && s["c-2.0.0"] != "" })
	f.add(chartFiles("c", "c", "3.0.0"))
	r.until("c is back", func(s map[string]string, _ Status) bool { return s["c-3.0.0"] != "" })
	f.checkWhole()
}

// A chart's own mistakes below its top directory are noticed when mended, even
// where the chart never was good.
func TestMendedBelow(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	must(t, os.Symlink("/etc/passwd", filepath.Join(f.tree, "a/templates/leak.yaml")))
	r := f.run()
	r.until("the leak is refused", func(s map[string]string, st Status) bool { return len(st.Failures) == 1 && len(s) == 0 })
	must(t, os.Remove(filepath.Join(f.tree, "a/templates/leak.yaml")))
	r.untilNames("a-1.0.0")
}

// Archives put into the repository folder, or removed from it, are noticed.
func TestLiveFolder(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	archive := mustRead(t, filepath.Join(f.repo, "a-1.0.0.tgz"))
	f.remove("a")
	must(t, os.RemoveAll(f.repo))
	f.opts.Sources = nil
	r := f.run()
	r.untilNames()
	must(t, os.WriteFile(filepath.Join(f.repo, "a-1.0.0.tgz"), archive[:len(archive)/2], 0o644))
	r.until("half an archive is refused", func(s map[string]string, st Status) bool { return len(st.Failures) == 1 && len(s) == 0 })
	must(t, os.WriteFile(filepath.Join(f.repo, "a-1.0.0.tgz"), archive, 0o644))
	r.untilNames("a-1.0.0")
	must(t, os.WriteFile(filepath.Join(f.repo, "artifacthub-repo.yml"), []byte("owners: []\n"), 0o644))
	r.until("the plain file is served", func(map[string]string, Status) bool {
		_, ok := r.r.View().File("artifacthub-repo.yml")
		return ok
	})
	must(t, os.Remove(filepath.Join(f.repo, "index.yaml")))
	r.until("index.yaml is back", func(map[string]string, Status) bool {
		_, err := os.Stat(filepath.Join(f.repo, "index.yaml"))
		return err == nil
	})
	must(t, os.Remove(filepath.Join(f.repo, "a-1.0.0.tgz")))
	r.untilNames()
}

// The repository folder may be removed under a running server.
func TestFolderRemoved(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.run()
	must(t, os.RemoveAll(f.repo))
	f.add(chartFiles("b", "b", "1.0.0"))
	r.untilNames("a-1.0.0", "b-1.0.0")
	r.until("the archives are on disk again", func(map[string]string, Status) bool {
		_, err := os.Stat(filepath.Join(f.repo, "a-1.0.0.tgz"))
		return err == nil
	})
}

// The watched root may go and come back.
func TestSourceRemoved(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.run()
	must(t, os.RemoveAll(f.tree))
	r.until("the source is missed", func(s map[string]string, st Status) bool { return len(st.Failures) == 1 && s["a-1.0.0"] != "" })
	f.add(chartFiles("b", "b", "1.0.0"))
	r.untilNames("a-1.0.0", "b-1.0.0")
}

// While the folder is in trouble, tries are far apart: the events of what a try
// wrote and took back don't start the next.
func TestRetriesAreFarApart(t *testing.T) {
	f := newFixture(t)
	var tries atomic.Int32
	f.opts.Logger = slog.New(&countErrors{Handler: slog.DiscardHandler, n: &tries})
	f.opts.DigestURLs = true
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.run()
	inTheWay := filepath.Join(f.repo, digestFolder)
	must(t, os.RemoveAll(inTheWay))
	must(t, os.WriteFile(inTheWay, nil, 0o644))
	f.add(chartFiles("b", "b", "1.0.0"))
	r.until("a problem", func(_ map[string]string, st Status) bool { return st.Problem != "" })
	time.Sleep(firstRetry + firstRetry/2)
	if n := tries.Load(); n < 1 || n > 3 {
		t.Errorf("%d tries, want the first and one or two more", n)
	}
	must(t, os.Remove(inTheWay))
	r.untilNames("a-1.0.0", "b-1.0.0")
	f.add(chartFiles("c", "c", "1.0.0")) // events count again
	r.untilNames("a-1.0.0", "b-1.0.0", "c-1.0.0")
}

// A dependency's path that leads nowhere is watched for: where there is no
// directory yet, and where there is one without Chart.yaml.
func TestDependencyThatComes(t *testing.T) {
	for name, there := range map[string]string{"no directory": "out/", "no chart": "out/kit/"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			away := t.TempDir()
			write(t, away, map[string]string{there: ""})
			f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://"+away+"/out/kit"))
			r, err := Open(f.repo, f.opts)
			must(t, err)
			defer r.Close()
			w, err := watch.New(watch.Options{})
			must(t, err)
			defer w.Close()
			r.charts.onDir = func(dir string) { must(t, w.Add(dir)) }
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			done, changes := make(chan error), make(chan watch.Change, 100)
			go func() { done <- w.Run(ctx, func(c watch.Change) { changes <- c }) }()
			must(t, r.Build(ctx))
			if got := reasons(r.Status()); !strings.Contains(got, "no chart at that path") {
				t.Errorf("reasons: %s", got)
			}
			write(t, away, chartFiles("out/kit", "kit", "1.0.0"))
			for seen := false; !seen; {
				select {
				case ch := <-changes:
					seen = slices.ContainsFunc(ch.Paths, func(p string) bool { return within(away, p) })
				case err := <-done:
					t.Fatalf("its coming was not seen: %v", err)
				}
			}
			cancel()
			<-done
			must(t, r.Build(t.Context()))
			wantNames(t, f.names(), "app-1.0.0")
		})
	}
}

// With Options.Poll there are no events, and changes are seen all the same.
func TestPoll(t *testing.T) {
	f := newFixture(t)
	f.opts.Poll = 10 * time.Millisecond
	r := f.run()
	if mode := r.r.Status().WatchMode; mode != "polling every 10ms" {
		t.Errorf("watch mode %q", mode)
	}
	f.add(chartFiles("a", "a", "1.0.0"))
	r.untilNames("a-1.0.0")
}

// countErrors counts what is logged as an error.
type countErrors struct {
	slog.Handler
	n *atomic.Int32
}

func (h *countErrors) Enabled(context.Context, slog.Level) bool { return true }

func (h *countErrors) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.n.Add(1)
	}
	return nil
}
