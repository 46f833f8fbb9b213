package repo

import (
	"strings"
	"testing"

	"chartserve/internal/pkgr"
)

// A chart that only its dependencies make too large is refused, or, where the
// limits were raised beyond Helm's, warned about at every look.
func TestLimitsOfTheWhole(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"),
		map[string]string{"app/a.txt": strings.Repeat("a", 3000), "kit/k.txt": strings.Repeat("k", 3000)})
	f.opts.Limits = pkgr.Limits{Chart: 5000}
	st := f.build()
	wantNames(t, f.names(), "kit-1.0.0")
	if got := reasons(st); !strings.Contains(got, "app: ") || !strings.Contains(got, "--max-chart-size") {
		t.Errorf("reasons: %s", got)
	}
	f.opts.Limits = pkgr.Limits{Chart: 1 << 30}
	f.add(map[string]string{"kit/k.txt": strings.Repeat("k", 4<<20)})
	for i := range 14 {
		f.add(map[string]string{"app/a" + string(rune('a'+i)) + ".txt": strings.Repeat("a", 4<<20), "kit/k" + string(rune('a'+i)) + ".txt": strings.Repeat("k", 4<<20)})
	}
	for range 2 {
		st := f.build()
		wantNames(t, f.names(), "app-1.0.0", "kit-1.0.0")
		if len(st.Failures) != 0 || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Path, "app") {
			t.Errorf("%+v", st)
		}
	}
}
