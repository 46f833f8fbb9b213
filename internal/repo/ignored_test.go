package repo

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"chartserve/internal/pkgr"
)

// What a chart's .helmignore leaves out is none of the chart's: charts and archives in it
// are published like all others of the SOURCE, as `helm package` packages them, and the
// others can depend on them. What the chart takes in is part of it.
func TestChartsThatChartsLeaveOut(t *testing.T) {
	files := []map[string]string{
		chartFiles("top", "top", "1.0.0"), {"top/.helmignore": "addons/\n/deep/er\ntemplates/off\n"},
		chartFiles("top/addons/a", "a", "1.0.0"), chartFiles("top/addons/.hidden/b", "b", "1.0.0"),
		chartFiles("top/part", "part", "1.0.0"), chartFiles("top/templates/off/x", "x", "1.0.0"), chartFiles("top/charts/sub", "sub", "1.0.0"),
		chartFiles("top/deep/er/c", "c", "1.0.0"), {"top/deep/er/c/.helmignore": "more\n", "top/deep/er/z.tgz": string(archiveOf(t, "z", "1.0.0"))},
		chartFiles("top/deep/er/c/more/d", "d", "1.0.0"), chartFiles("top/addons/no", "no", "1.0.0"),
		chartFiles("user", "user", "1.0.0", "d 1.0.0 http://localhost:8879/charts"),
	}
	want := []string{"a-1.0.0", "c-1.0.0", "d-1.0.0", "top-1.0.0", "user-1.0.0", "z-1.0.0"}
	f := newFixture(t)
	f.opts.Exclude = []string{"no"}
	f.add(files...)
	for range 2 { // the second time from the state
		if got := reasons(f.build()); got != "" {
			t.Errorf("failures: %s", got)
		}
		wantNames(t, f.names(), want...)
	}
	if slices.ContainsFunc(f.chart("top-1.0.0.tgz").Files, func(file pkgr.File) bool { return filepath.Dir(file.Name) == "addons/a" }) {
		t.Error("the chart has what it leaves out")
	}

	r := f.run()
	r.untilNames(want...)
	f.add(chartFiles("top/addons/new/e", "e", "1.0.0"))
	r.untilNames(append(want, "e-1.0.0")...)
	before := r.served()
	f.add(map[string]string{"top/addons/a/values.yaml": "x: 1\n"})
	r.until("an edit in what is left out", func(served map[string]string, _ Status) bool {
		return served["a-1.0.0"] != before["a-1.0.0"] && served["top-1.0.0"] == before["top-1.0.0"]
	})
	// Taken in, it is part of the chart, and no chart of the repository any more.
	f.add(map[string]string{"top/.helmignore": "/deep/er\ntemplates/off\n"})
	r.until("what is taken in", func(served map[string]string, st Status) bool {
		return served["top-1.0.0"] != before["top-1.0.0"] && st.Sources[0].Charts == 4
	})
	must(t, os.WriteFile(filepath.Join(f.tree, "top/.helmignore"), []byte("addons/\n"), 0o644))
	r.until("what is left out again", func(_ map[string]string, st Status) bool { return st.Sources[0].Charts == 4 })
}
