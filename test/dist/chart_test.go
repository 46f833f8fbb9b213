package dist

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestChart: the archive of the chart installs this version's image, by Helm 3 and 4.
func TestChart(t *testing.T) {
	archive := made(t, "chart", "chartserve-[0-9]*.tgz")
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(archive), "chartserve-"), ".tgz")
	if said := output(t, program(t), "version"); !strings.Contains(said, version) {
		t.Errorf("the chart is of %s, the program says %s", version, said)
	}
	for _, name := range []string{"helm3", "helm4"} {
		h := newHelm(t, name)
		h.does(t, "lint", "--strict", archive)
		for _, want := range []string{"image: chartserve:" + version + "\n", "helm.sh/chart: chartserve-" + version + "\n"} {
			if got := h.does(t, "template", "charts", archive); !strings.Contains(got, want) {
				t.Errorf("%s: nothing has %q:\n%s", name, want, got)
			}
		}
	}
}
