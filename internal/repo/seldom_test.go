package repo

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/resolve"
	"chartserve/internal/watch"
)

// A chart that was never published is none of the View's.
func TestViewWithoutTheUnpublished(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("bad", "bad", "1.0.0", "gone ^1 file://../gone"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	if got, want := charted(r), "a 1.0.0"; got != want || len(r.Status().Failures) != 1 {
		t.Errorf("charts %q, want %q", got, want)
	}
}

// What has to be looked at again is looked at by the next pass, whatever that was
// called for.
func TestAgainByAnyPass(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	f.add(chartFiles("b", "b", "1.0.0"))
	r.phase = changed
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "a", "x")}}}))
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
}

// A dependency fails for the reason of the chart that would do, were it not broken,
// also where there is another of that name.
func TestBrokenChartThatWouldDo(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("user", "user", "1.0.0", "lib ^2 "+resolve.DefaultOwnURL), chartFiles("lib1", "lib", "1.0.0"), chartFiles("lib2", "lib", "2.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	f.add(map[string]string{"lib2/values.yaml": "- a list\n"})
	must(t, os.Remove(filepath.Join(f.repo, "lib-2.0.0.tgz")))
	must(t, r.Build(context.Background()))
	if got := reasons(r.Status()); !strings.Contains(got, "user: needs ") || strings.Count(got, "lib2: values.yaml") != 2 {
		t.Errorf("reasons:\n%s", got)
	}
}

// A SOURCE and a link to it are one.
func TestLinkedSource(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	link := f.tree + ".link"
	must(t, os.Symlink(f.tree, link))
	f.opts.Sources = append(f.opts.Sources, link)
	if st := f.build(); len(st.Failures)+len(st.Warnings) > 0 || st.Charts != 1 {
		t.Errorf("%d charts, failures %v, warnings %v", st.Charts, st.Failures, st.Warnings)
	}
}

// A change behind a link that leads out of the chart is the chart's.
func TestChangeBehindALink(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"shared/x.yaml": "a: 1\n"})
	must(t, os.Symlink("../shared", filepath.Join(f.tree, "a", "files")))
	r := f.run()
	r.untilNames("a-1.0.0")
	old := r.served()["a-1.0.0"]
	f.add(map[string]string{"shared/x.yaml": "a: 2\n"})
	r.until("a is new", func(served map[string]string, _ Status) bool { return served["a-1.0.0"] != old })
}

// The warnings of an archive go with what they were about.
func TestWarningsOfABadArchive(t *testing.T) {
	f := newFixture(t)
	f.opts.Sources = nil
	odd := archiveOf(t, "a", "1.0.0", map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: 1.10\n"})
	write(t, f.repo, map[string]string{"a-1.0.0.tgz": string(odd)})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	if len(r.Status().Warnings) != 1 {
		t.Fatalf("warnings %v, want one", r.Status().Warnings)
	}
	write(t, f.repo, map[string]string{"a-1.0.0.tgz": "no archive"})
	must(t, r.Build(context.Background()))
	if st := r.Status(); len(st.Warnings) > 0 || len(st.Failures) != 1 {
		t.Errorf("warnings %v, failures %v", st.Warnings, st.Failures)
	}
}

// The creation time in an index is that of other bytes when the digest is another.
func TestCreatedOfOtherBytes(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	must(t, os.Remove(filepath.Join(f.repo, stateName)))
	path := filepath.Join(f.repo, "index.yaml")
	text := redated(mustRead(t, path))
	text = strings.ReplaceAll(text, f.index()["a-1.0.0"], strings.Repeat("a", 64))
	must(t, os.WriteFile(path, []byte(text), 0o644))
	f.build()
	file, err := index.Decode(mustRead(t, path))
	must(t, err)
	if got := file.Entries[0].Created; got.Year() == 2019 {
		t.Errorf("created %v", got)
	}
}

// A first pass that fails ends Run, with its watcher.
func TestRunEndsWhenTheFirstPassFails(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	write(t, f.repo, map[string]string{"index.yaml/in/the/way": ""})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	done := make(chan error, 1)
	go func() { done <- r.Run(context.Background()) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run goes on")
	}
}

// Provenance that comes beside an archive in a SOURCE is published beside its copy,
// after an event for nothing but itself.
func TestProvenanceThatComes(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	f.add(map[string]string{"x.tgz.prov": signed})
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "x.tgz.prov")}}}))
	if got, err := os.ReadFile(filepath.Join(f.repo, "x-1.0.0.tgz.prov")); string(got) != signed {
		t.Errorf("provenance %q, %v", got, err)
	}
}

// What deserves a look in an archive that was made elsewhere is logged for who asks for
// details alone: nobody here can change it. That of a chart is a warning.
func TestWarningsOfOthers(t *testing.T) {
	const odd = "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: 1.10\n"
	for level, add := range map[string]func(f *fixture){
		"DEBUG": func(f *fixture) {
			write(t, f.repo, map[string]string{"a-1.0.0.tgz": string(archiveOf(t, "a", "1.0.0", map[string]string{"a/Chart.yaml": odd}))})
		},
		"WARN": func(f *fixture) { f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"a/Chart.yaml": odd}) },
	} {
		f := newFixture(t)
		var log bytes.Buffer
		f.opts.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		add(f)
		if st := f.build(); len(st.Warnings) != 1 {
			t.Fatalf("%s: warnings %v, want one", level, st.Warnings)
		}
		if got := log.String(); strings.Count(got, "appVersion") != 1 || !strings.Contains(got, "level="+level) || level == "DEBUG" && strings.Contains(got, "level=WARN") {
			t.Errorf("%s: the log is\n%s", level, got)
		}
	}
}
