package repo

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/watch"
)

// Each pass that has changed something tells what, with names, versions, short digests
// and the reason, in the log and as the first of the Status' changes; others tell nothing.
func TestChangesAreTold(t *testing.T) {
	f := newFixture(t)
	f.opts.Now, f.opts.Prune = settledNow, true
	var log bytes.Buffer
	f.opts.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	f.add(chartFiles("nova", "nova", "10.1.0"), chartFiles("gone", "gone", "1.0.0"))
	r := f.open()
	r.serving = true
	kinds := func() string {
		var texts []string
		for _, k := range r.Status().Changes[0].Kinds() {
			texts = append(texts, k.Name+" "+k.String())
		}
		return strings.Join(texts, "; ")
	}
	short := func(name string) string { return f.index()[name][:12] }
	if got, want := kinds(), fmt.Sprintf("published gone 1.0.0 (%s), nova 10.1.0 (%s)", short("gone-1.0.0"), short("nova-10.1.0")); got != want {
		t.Errorf("first: %s, want %s", got, want)
	}
	for _, c := range []struct {
		name    string
		do      func()
		path    string
		want    string // with the digests of NAME-VERSION in braces
		nothing bool
	}{
		{name: "a broken chart", do: func() { f.add(map[string]string{"nova/Chart.yaml": "name: [\n"}) }, path: "nova/Chart.yaml", want: "failed nova"},
		{name: "mended", do: func() { f.add(chartFiles("nova", "nova", "10.1.0")) }, path: "nova/Chart.yaml", want: "mended nova"},
		{name: "an edit", do: func() { f.add(map[string]string{"nova/new": "1"}) }, path: "nova/new", want: "replaced nova 10.1.0 ({nova-10.1.0})"},
		{name: "nothing", do: func() { f.add(map[string]string{"nova/new": "1"}) }, path: "nova/new", nothing: true},
		{name: "a chart that goes", do: func() { f.remove("gone") }, path: "gone", want: "removed gone 1.0.0"},
		{name: "another version", do: func() { f.opts.Prune, r.opts.Prune = false, false; f.add(chartFiles("nova", "nova", "1.0.1")) }, path: "nova/Chart.yaml",
			want: "published nova 1.0.1 ({nova-1.0.1}); kept nova 10.1.0 ({nova-10.1.0})"},
	} {
		log.Reset()
		before := len(r.Status().Changes)
		c.do()
		must(t, r.pass(t.Context(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, c.path)}}}))
		if c.nothing {
			if len(r.Status().Changes) != before || log.Len() > 0 {
				t.Errorf("%s: told %v, log %s", c.name, r.Status().Changes[0], &log)
			}
			continue
		}
		want := c.want
		for id, digest := range f.index() {
			want = strings.ReplaceAll(want, "{"+id+"}", digest[:12])
		}
		got := kinds()
		if !strings.HasPrefix(strings.ReplaceAll(got, f.tree+"/", ""), want) {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
		line := log.String()
		if n := strings.Count(line, "level=INFO"); n != 1 || !strings.Contains(line, "because=\""+filepath.Join(f.tree, c.path)+" changed\"") {
			t.Errorf("%s: %d lines of INFO: %s", c.name, n, line)
		}
	}
}

// What lies beside a SOURCE is named behind what lies in it.
func TestBecauseOfASource(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("nova", "nova", "1.0.0"))
	r := f.open()
	beside, edited := filepath.Join(filepath.Dir(f.tree), "a file beside"), filepath.Join(f.tree, "nova", "x")
	if got := r.because(mail{change: watch.Change{Paths: []string{beside, edited}}}, false); got != edited+" changed, and 1 more" {
		t.Errorf("because %q", got)
	}
}

// The line is bounded, and so is what is remembered.
func TestChangesAreBounded(t *testing.T) {
	f := newFixture(t)
	for i := range 40 {
		f.add(chartFiles(fmt.Sprint("c", i), fmt.Sprint("c", i), "1.0.0"))
	}
	r := f.open()
	got := r.Status().Changes[0].Published
	if got.Count != 40 || len(got.Charts) != maxNamed || !strings.HasSuffix(got.String(), "and 30 more") {
		t.Errorf("%+v", got)
	}
	for i := range maxChanges + 5 {
		f.add(map[string]string{"c1/new": fmt.Sprint(i)})
		must(t, r.pass(t.Context(), rescan()))
	}
	if got := len(r.Status().Changes); got != maxChanges {
		t.Errorf("%d changes are remembered", got)
	}
}
