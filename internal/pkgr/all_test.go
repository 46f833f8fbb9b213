package pkgr

import (
	"slices"
	"testing"
)

// All has the files of an archive under their names in it, those of sub-charts too.
func TestAll(t *testing.T) {
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": minimal, "values.yaml": "a: 1\n", "templates/x": "X", ".helmignore": "", "charts/odd/Chart.yaml": minimalNamed("s", "1.0.0"),
		"charts/odd/charts/t/Chart.yaml": minimalNamed("t", "1.0.0"), "charts/other/Chart.yaml": minimalNamed("s", "2.0.0"), "charts/other/y": "Y",
	}))
	want := names(members(t, pack(t, c)))
	var got []string
	for f := range c.All() {
		got = append(got, c.Metadata.Name+"/"+f.Name)
	}
	wantDiff(t, "names", got, want)
	for range c.All() {
		break // it ends
	}
	if !slices.Contains(got, c.Metadata.Name+"/charts/s/charts/t/Chart.yaml") {
		t.Errorf("no file of a sub-chart's sub-chart: %q", got)
	}
}
