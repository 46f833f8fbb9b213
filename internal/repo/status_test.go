package repo

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/watch"
)

// charted lists the View's charts with their versions.
func charted(r *Repository) string {
	var all []string
	for c := range r.View().Charts() {
		text := c.Name
		for _, v := range c.Versions {
			text += " " + v.Entry.Version
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// TestCharts: the View has each chart once, in name order, and follows what changes. Of
// what does not change the next View has the same, by which the list knows it again.
func TestCharts(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.opts.Now = func() time.Time { return time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC) } // by which all files have settled
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	steps := []struct {
		do   func()
		want string
	}{
		{func() { f.add(chartFiles("b", "b", "1.0.0"), chartFiles("c", "c", "1.0.0")) }, "b 1.0.0; c 1.0.0"},
		{func() { f.add(chartFiles("a", "a", "1.0.0")) }, "a 1.0.0; b 1.0.0; c 1.0.0"},
		{func() { f.add(chartFiles("b2", "b", "2.0.0")) }, "a 1.0.0; b 2.0.0 1.0.0; c 1.0.0"},
		{func() { f.add(chartFiles("bad", "bad", "x")) }, "a 1.0.0; b 2.0.0 1.0.0; c 1.0.0"},
		{func() { f.remove("bad"); f.remove("b"); f.remove("b2") }, "a 1.0.0; c 1.0.0"},
	}
	var c *Chart
	for _, s := range steps {
		s.do()
		must(t, r.Build(context.Background()))
		if got := charted(r); got != s.want {
			t.Errorf("charts %q, want %q", got, s.want)
		}
		if was := c; was != nil && was != r.View().Chart("c") {
			t.Error("a chart that did not change is another one")
		}
		c = r.View().Chart("c")
	}
}

// TestStatus: what /status says of the charts, and that a failure keeps the time
// when it was first seen and is logged once.
func TestStatus(t *testing.T) {
	first := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC) // by which all files have settled
	now := first
	var log bytes.Buffer
	f := newFixture(t)
	f.opts.Now = func() time.Time { return now }
	f.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f.opts.Version = "v1"
	second := filepath.Join(filepath.Dir(f.tree), "second")
	write(t, second, chartFiles("b", "b", "1.0.0"))
	out := filepath.Join(filepath.Dir(f.tree), "out")
	write(t, out, chartFiles("kit", "kit", "1.0.0"))
	must(t, os.WriteFile(filepath.Join(second, "x.tgz"), archiveOf(t, "x", "1.0.0"), 0o644))
	f.opts.Sources = append(f.opts.Sources, second)
	f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../../out/kit"), chartFiles("bad", "bad", "x"),
		map[string]string{"warned/Chart.yaml": "apiVersion: v2\nname: warned\nversion: 1.0.0\ndependencies:\n- {name: kit, version: ^1, repository: 'file://../kit'}\n"},
		vendor("warned", "kit", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	if st := r.Status(); st.Ready || st.Version != "v1" || st.Repository != f.repo || st.Failures == nil || st.Warnings == nil {
		t.Errorf("before the first index: %+v", st)
	}
	r.serving = true // Build leaves it to its caller to report failures
	for range 3 {
		must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
		now = now.Add(time.Hour)
	}
	st := r.Status()
	if len(st.Failures) != 1 || !st.Failures[0].Since.Equal(first) || st.Failures[0].Path != filepath.Join(f.tree, "bad") {
		t.Errorf("failures %+v", st.Failures)
	}
	for text, want := range map[string]int{"level=ERROR": 1, "level=WARN": 1, "copy in charts/": 1} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q was logged %d times, want %d:\n%s", text, got, want, &log)
		}
	}
	if len(st.Warnings) != 1 || st.Warnings[0].Path != filepath.Join(f.tree, "warned") {
		t.Errorf("warnings %+v", st.Warnings)
	}
	want := []SourceStatus{{f.tree, 3, 0}, {second, 1, 1}}
	if len(st.Sources) != 2 || st.Sources[0] != want[0] || st.Sources[1] != want[1] {
		t.Errorf("sources %+v, want %+v", st.Sources, want)
	}
	if st.Version != "v1" || st.Charts != 4 || st.Archives != 4 || st.Repository != f.repo || st.WatchMode != "none" {
		t.Errorf("status %+v", st)
	}
	// What was packaged, checked and reused is of one pass, of the last that changed anything.
	if got := st.LastRebuild; got.Packaged != 3 || got.Checked != 1 || got.Reused != 0 {
		t.Errorf("the first pass: %+v", got)
	}
	f.add(map[string]string{"a/templates/cm.yaml": "kind: Secret\n"})
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "a/templates/cm.yaml")}}}))
	if got := r.Status().LastRebuild; got.Packaged != 1 || got.Checked != 0 || got.Reused != 0 || got.Milliseconds != 0 || !got.At.Equal(now) {
		t.Errorf("the last pass: %+v", got)
	}
	f.remove("bad")
	must(t, r.Build(context.Background()))
	f.add(chartFiles("bad", "bad", "x"))
	must(t, r.Build(context.Background()))
	if st := r.Status(); len(st.Failures) != 1 || !st.Failures[0].Since.Equal(now) {
		t.Errorf("a failure that came back: %+v", st.Failures)
	}
	text, err := json.MarshalIndent(r.Status(), "", "  ")
	must(t, err)
	for _, field := range []string{`"version": "v1"`, `"ready": true`, `"charts": 4`, `"archives": 4`, `"failures": [`, `"warnings": [`, `"lastRebuild": {`, `"sources": [`, `"repository": `, `"watchMode": "none"`, `"since": "2126-01-02T06:04:05Z"`, `"path": `, `"reason": `, `"message": `, `"packaged": 1`, `"checked": 0`, `"reused": `, `"milliseconds": 0`, `"at": `} {
		if !strings.Contains(string(text), field) {
			t.Errorf("the status lacks %s:\n%s", field, text)
		}
	}
	if strings.Contains(string(text), "problem") {
		t.Error("the status has a problem where there is none")
	}
}
