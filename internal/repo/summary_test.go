package repo

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// listed is a chart of versions with that metadata, newest first, as the index has it.
func listed(t testing.TB, versions ...chart.Metadata) *Chart {
	t.Helper()
	c := &Chart{Name: versions[0].Name}
	for i, md := range versions {
		md.APIVersion = "v2"
		e, err := index.NewEntry(&md, "x.tgz", fmt.Sprintf("%064d", i), time.Unix(int64(1000+i), 0))
		must(t, err)
		c.Versions = append(c.Versions, &Version{Entry: e})
	}
	return c
}

func TestSearch(t *testing.T) {
	newest := chart.Metadata{
		Name: "nova", Version: "2.0.0", AppVersion: "Zed-2.1", Description: "Runs ÄRGER machines", Type: "library",
		Keywords: []string{"Compute", "KVM"}, Maintainers: []*chart.Maintainer{{Name: "Ada Lovelace", Email: "ada@example.com"}},
	}
	c := listed(t, newest, chart.Metadata{Name: "nova", Version: "1.0.0", Description: "an old text"})
	if got, want := c.Search(), "nova\nzed-2.1\ncompute\nkvm\nada lovelace\nruns ärger machines"; got != want {
		t.Errorf("search %q, want %q", got, want)
	}
	if !c.IsLibrary() || listed(t, chart.Metadata{Name: "a", Version: "1.0.0", Type: "application"}).IsLibrary() {
		t.Error("what is a library is none, or the other way around")
	}
	if again := testing.AllocsPerRun(10, func() { _ = c.Search(); _ = c.IsLibrary() }); again != 0 {
		t.Errorf("%v allocations for a search that was made", again)
	}
	large := listed(t, chart.Metadata{Name: "nova", Version: "1.0.0", Description: strings.Repeat("é", 400_000)})
	if n := len(large.Search()); n > 2*maxSearch || !strings.HasPrefix(large.Search(), "nova\n") {
		t.Errorf("%d bytes of a large description", n)
	}
	if none := (&Chart{Name: "none"}); none.Search() != "" || none.IsLibrary() || !none.Changed().IsZero() {
		t.Error("a chart without versions has something")
	}
}

// A chart has changed when bytes were published, and not when the same are again.
func TestChanged(t *testing.T) {
	f := newFixture(t)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	f.setOptions(Options{Now: func() time.Time { return now }})
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	r := f.open()
	first, same := now, r.View().Chart("b")
	want := func(what string, a time.Time) {
		t.Helper()
		if got := r.View().Chart("a").Changed(); !got.Equal(a) {
			t.Errorf("%s: a changed %v, want %v", what, got, a)
		}
		if b := r.View().Chart("b"); b != same || !b.Changed().Equal(first) {
			t.Errorf("%s: b is another, or changed %v", what, b.Changed())
		}
	}
	want("built", first)
	for _, step := range []struct {
		what  string
		files map[string]string
		moves bool
	}{
		{"the same again", chartFiles("a", "a", "1.0.0"), false},
		{"replaced", map[string]string{"a/templates/cm.yaml": "kind: Secret\n"}, true},
		{"a new version", map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 0.9.0\n"}, true},
	} {
		now = now.Add(time.Hour)
		at := r.View().Chart("a").Changed()
		if step.moves {
			at = now
		}
		f.add(step.files)
		must(t, r.pass(t.Context(), rescan()))
		want(step.what, at)
	}
}

func TestBroken(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("good", "good", "1.0.0"), chartFiles("dir", "named", "1.0.0", "none ^1 file://../none"), map[string]string{"unread/Chart.yaml": "name: [\n"})
	write(t, f.tree, map[string]string{"x.tgz": string(archiveOf(t, "web", "1.0.0"))})
	r := f.open()
	wantNames(t, slices.Sorted(maps.Keys(r.View().Broken())), "named", "unread")
	f.add(map[string]string{"x.tgz": "no archive any more"})
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, slices.Sorted(maps.Keys(r.View().Broken())), "named", "unread", "web")
	if at := slices.IndexFunc(r.Status().Failures, func(f Failure) bool { return f.Name == "web" && f.Version == "1.0.0" }); at < 0 {
		t.Errorf("failures %+v", r.Status().Failures)
	}
}

// What the first search of many charts costs, and what stays of it.
func BenchmarkSearch(b *testing.B) {
	const charts = 10_000
	md := chart.Metadata{
		Name: "nova", Version: "1.0.0", AppVersion: "30.1.2", Description: "OpenStack Compute, a fabric of hypervisors", Home: "https://docs.example.com/nova/latest",
		Keywords: []string{"compute", "openstack"}, Maintainers: []*chart.Maintainer{{Name: "The Authors", Email: "authors@example.com"}},
		Sources: []string{"https://example.com/nova"}, Dependencies: []*chart.Dependency{{Name: "kit", Version: ">= 0.1.0", Repository: "file://../kit"}},
	}
	var held uint64
	for b.Loop() {
		b.StopTimer()
		all := make([]*Chart, charts)
		for i := range all {
			all[i] = listed(b, md)
		}
		before := heap()
		b.StartTimer()
		for _, c := range all {
			_ = c.Search()
		}
		b.StopTimer()
		held = heap() - before
		runtime.KeepAlive(all)
		b.StartTimer()
	}
	b.ReportMetric(float64(held)/charts, "B-held/chart")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
