package repo

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/watch"
)

// TestEvents: one pass with just the paths that the watcher would tell brings the
// repository to what a look at everything gives.
func TestEvents(t *testing.T) {
	x1, x2 := string(archiveOf(t, "x", "1.0.0")), string(archiveOf(t, "x", "1.0.0", map[string]string{"x/new": "1"}))
	cases := map[string]struct {
		do    func(f *fixture)
		paths []string
		want  []string // of the index, sorted; what is new, beside what was there
		gone  []string
		fails string
	}{
		"a file of a chart":            {do: func(f *fixture) { f.add(map[string]string{"a/templates/cm.yaml": "x"}) }, paths: []string{"a/templates/cm.yaml"}},
		"a directory of a chart":       {do: func(f *fixture) { f.add(map[string]string{"a/templates/deep/er/cm.yaml": "x"}) }, paths: []string{"a/templates/deep"}},
		"below one that is not listed": {do: func(f *fixture) { f.add(map[string]string{"a/new/er/cm.yaml": "x"}) }, paths: []string{"a/new/er/cm.yaml"}},
		"a chart's directory":          {do: func(f *fixture) { f.add(map[string]string{"a/cm.yaml": "x"}) }, paths: []string{"a"}},
		"a chart in a new directory":   {do: func(f *fixture) { f.add(chartFiles("new/deep/n", "new", "1.0.0")) }, paths: []string{"new"}, want: []string{"new-1.0.0"}},
		"Chart.yaml in a directory": {do: func(f *fixture) {
			f.add(map[string]string{"plain/Chart.yaml": "apiVersion: v2\nname: new\nversion: 1.0.0\n"})
		}, paths: []string{"plain/Chart.yaml"}, want: []string{"new-1.0.0"}},
		"chart.yaml, written wrong": {do: func(f *fixture) { f.add(map[string]string{"plain/values.yaml": "", "plain/chart.yaml": "name: new\n"}) }, paths: []string{"plain/chart.yaml"}, fails: "plain: "},
		"a link to a chart": {do: func(f *fixture) {
			f.add(chartFiles(".real/n", "new", "1.0.0"))
			must(f.t, os.Symlink(".real/n", filepath.Join(f.tree, "link")))
		}, paths: []string{"link"}, want: []string{"new-1.0.0"}},
		"a new archive":                   {do: func(f *fixture) { f.add(map[string]string{"plain/n.tgz": string(archiveOf(f.t, "new", "1.0.0"))}) }, paths: []string{"plain/n.tgz"}, want: []string{"new-1.0.0"}},
		"an archive that changed":         {do: func(f *fixture) { f.add(map[string]string{"x.tgz": x2}) }, paths: []string{"x.tgz"}},
		"an archive that is bad":          {do: func(f *fixture) { f.add(map[string]string{"x.tgz": x2[:99]}) }, paths: []string{"x.tgz"}, fails: "x.tgz: "},
		"an archive that went":            {do: func(f *fixture) { f.remove("x.tgz") }, paths: []string{"x.tgz"}, gone: []string{"x-1.0.0"}},
		"its provenance":                  {do: func(f *fixture) { f.add(map[string]string{"x.tgz.prov": signed}) }, paths: []string{"x.tgz.prov"}},
		"a chart that went":               {do: func(f *fixture) { f.remove("a") }, paths: []string{"a"}, gone: []string{"a-1.0.0"}},
		"a directory of charts":           {do: func(f *fixture) { f.remove("dir") }, paths: []string{"dir"}, gone: []string{"d-1.0.0", "e-1.0.0"}},
		"Chart.yaml that went":            {do: func(f *fixture) { f.remove("a/Chart.yaml") }, paths: []string{"a/Chart.yaml"}, gone: []string{"a-1.0.0"}},
		"a chart made a directory":        {do: func(f *fixture) { f.remove("a"); f.add(chartFiles("a/n", "new", "1.0.0")) }, paths: []string{"a"}, want: []string{"new-1.0.0"}, gone: []string{"a-1.0.0"}},
		"a new name":                      {do: func(f *fixture) { f.add(chartFiles("a", "new", "1.0.0")) }, paths: []string{"a/Chart.yaml"}, want: []string{"new-1.0.0"}, gone: []string{"a-1.0.0"}},
		"a chart outside":                 {do: func(f *fixture) { write(f.t, filepath.Dir(f.tree), map[string]string{"out/kit/new": "1"}) }, paths: []string{"../out/kit/new"}},
		"a chart outside that went":       {do: func(f *fixture) { must(f.t, os.RemoveAll(filepath.Join(filepath.Dir(f.tree), "out/kit"))) }, paths: []string{"../out/kit"}, fails: "user: dependency kit"},
		"a file beside charts":            {do: func(f *fixture) { f.add(map[string]string{"plain/readme": "x"}) }, paths: []string{"plain/readme"}},
		"a link within that leads astray": {do: func(f *fixture) { must(f.t, os.Symlink("../../out", filepath.Join(f.tree, "plain/out"))) }, paths: []string{"plain/out"}, fails: "points out of the source"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.opts.Now, f.opts.Prune = settledNow, true
			write(t, filepath.Join(filepath.Dir(f.tree), "out"), chartFiles("kit", "kit", "1.0.0"))
			f.add(chartFiles("a", "a", "1.0.0"), chartFiles("dir/d", "d", "1.0.0"), chartFiles("dir/e", "e", "1.0.0"),
				chartFiles("user", "user", "1.0.0", "kit ^1 file://../../out/kit"), map[string]string{"x.tgz": x1, "plain/": ""})
			r, err := Open(f.repo, f.opts)
			must(t, err)
			defer r.Close()
			must(t, r.Build(context.Background()))
			before := f.index()
			c.do(f)
			ch := watch.Change{}
			for _, p := range c.paths {
				ch.Paths = append(ch.Paths, filepath.Join(f.tree, p))
			}
			must(t, r.pass(context.Background(), mail{change: ch}))
			got, failures := f.index(), reasons(r.Status())
			if p := f.provenance("x-1.0.0.tgz.prov"); name == "its provenance" && p != signed {
				t.Errorf("provenance %q", p)
			}
			want := maps.Clone(before)
			for _, n := range c.gone {
				delete(want, n)
			}
			for n := range want {
				want[n] = got[n] // which may be another digest
			}
			for _, n := range c.want {
				want[n] = got[n]
			}
			if diff := cmp.Diff(want, got); diff != "" || failures == "" != (c.fails == "") || !strings.Contains(failures, c.fails) {
				t.Errorf("index: %s\nfailures: %s", diff, failures)
			}
			must(t, r.Build(context.Background()))
			if diff := cmp.Diff(f.index(), got); diff != "" || reasons(r.Status()) != failures {
				t.Errorf("a look at everything gives (-all +events):\n%s\nand failures %q, were %q", diff, reasons(r.Status()), failures)
			}
		})
	}
}

func (f *fixture) provenance(name string) string {
	data, _ := os.ReadFile(filepath.Join(f.repo, name))
	return string(data)
}

// A chart outside the SOURCEs that comes to lie in one is published, and one that
// went out of them is not kept.
func TestInAndOutOfTheSources(t *testing.T) {
	f := newFixture(t)
	f.opts.Now, f.opts.Prune = settledNow, true
	f.add(chartFiles("deep/tree/app", "app", "1.0.0", "kit ^1 file://../../kit"), chartFiles("deep/kit", "kit", "1.0.0"))
	r, err := Open(f.repo, Options{Sources: []string{filepath.Join(f.tree, "deep", "t*")}, Now: settledNow, Prune: true})
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "app-1.0.0")
	if len(r.charts.byDir) != 2 {
		t.Errorf("%d charts are known, want the one outside too", len(r.charts.byDir))
	}
	must(t, os.Symlink("../kit", filepath.Join(f.tree, "deep/tree/kit")))
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "app-1.0.0", "kit-1.0.0")
	must(t, os.Remove(filepath.Join(f.tree, "deep/tree/kit")))
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "app-1.0.0")
	must(t, os.Rename(filepath.Join(f.tree, "deep/kit"), filepath.Join(f.tree, "deep/tkit")))
	f.add(chartFiles("deep/tree/app", "app", "1.0.0", "kit ^1 file://../../tkit"))
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "app-1.0.0", "kit-1.0.0")
	f.add(chartFiles("deep/tree/app", "app", "1.0.0"))
	f.remove("deep/tkit")
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "app-1.0.0")
	if len(r.charts.byDir) != 1 || len(r.charts.watched) == 0 {
		t.Errorf("%d charts are known, want one", len(r.charts.byDir))
	}
	for dir, ls := range r.charts.watched {
		if len(ls) != 1 || !within(filepath.Join(f.tree, "deep/tree/app"), dir) {
			t.Errorf("%s still leads to %d charts", dir, len(ls))
		}
	}
}

// TestEach: all items, in their order, at most so many at once; no more are begun
// once ctx has ended.
func TestEach(t *testing.T) {
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	var now, most atomic.Int32
	next := 0
	must(t, each(context.Background(), &Options{Jobs: 4}, "", items, func(i int) int {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return i * i
	}, func(i, n int) {
		if i != next || n != i*i {
			t.Errorf("item %d, which gave %d, after %d others", i, n, next)
		}
		next++
	}))
	if next != len(items) {
		t.Errorf("%d results", next)
	}
	if most.Load() > 4 {
		t.Errorf("%d at once", most.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	begun, taken := 0, 0
	err := each(ctx, &Options{Jobs: 1}, "", items, func(int) bool { cancel(); begun++; return true }, func(int, bool) { taken++ })
	if err == nil || begun != 1 || taken != 1 {
		t.Errorf("after its end: %v, %d begun, %d results", err, begun, taken)
	}
}

// An archive in a directory that once was a chart is noticed.
func TestArchiveWhereAChartWas(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.open()
	dir := filepath.Join(f.tree, "a")
	f.remove("a")
	must(t, r.pass(t.Context(), mail{change: changeOf(dir)}))
	f.add(map[string]string{"a/": ""})
	must(t, r.pass(t.Context(), mail{change: changeOf(dir)}))
	f.add(map[string]string{"a/x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	must(t, r.pass(t.Context(), mail{change: changeOf(filepath.Join(dir, "x.tgz"))}))
	wantNames(t, f.names(), "a-1.0.0", "x-1.0.0")
	if len(r.charts.watched) != 0 {
		t.Errorf("watched for charts that are gone: %v", r.charts.watched)
	}
}

// A directory that a glob finds later moves the SOURCEs behind it by one place; their
// archives go along.
func TestGlobFindsMore(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.opts.Sources = []string{f.tree + "/*"}
	f.add(map[string]string{"b/x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	r := f.open()
	f.add(chartFiles("a/y", "y", "1.0.0"))
	must(t, r.pass(t.Context(), mail{change: changeOf(filepath.Join(f.tree, "a"))}))
	if got := r.Status().Sources; len(got) != 2 || got[0].Archives != 0 || got[1].Archives != 1 {
		t.Errorf("sources: %+v", got)
	}
}

// What a Build did not come to before it was cut off is looked at by the next one.
func TestBuildAfterACutOffOne(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Build(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	must(t, r.Build(t.Context()))
	wantNames(t, f.names(), "a-1.0.0")
}

// A name in a SOURCE that the system says nothing of may be anything: everything is looked
// at. One that is gone and was nothing of ours is nothing.
func TestUnknownNameInASource(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.open()
	f.add(map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	must(t, r.pass(t.Context(), mail{change: changeOf(filepath.Join(f.tree, "gone.tgz"))}))
	wantNames(t, f.names(), "a-1.0.0")
	unknown := filepath.Join(f.tree, strings.Repeat("x", 300)+".tgz") // ENAMETOOLONG stands in for EIO
	must(t, r.pass(t.Context(), mail{change: changeOf(unknown)}))
	wantNames(t, f.names(), "a-1.0.0", "x-1.0.0")
}
