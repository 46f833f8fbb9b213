package repo

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// However many charts there are, only so many bytes of their files are in memory, and what
// is made of them is the same.
func TestFilesInMemoryAreBounded(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("kit", "kit", "1.0.0"))
	for i := range 20 {
		name := string(rune('a' + i))
		f.add(chartFiles(name, name, "1.0.0", "kit ^1 file://../kit"), map[string]string{name + "/text": strings.Repeat(name, 1000)})
	}
	f.build()
	want := f.index()
	f.repo += "2"
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	const limit = 3500
	r.charts.room.limit = limit
	w := &work{}
	r.lookAtSources(w, true)
	must(t, r.look(t.Context(), w))
	if n, sum := loaded(r); n < 3 || sum > limit || sum != r.charts.room.taken.Load() {
		t.Errorf("%d charts are in memory, %d bytes, %d are accounted for; want at least 3 charts, and %d bytes at most", n, sum, r.charts.room.taken.Load(), limit)
	}
	must(t, r.Build(t.Context()))
	if diff := cmp.Diff(want, f.index()); diff != "" {
		t.Errorf("other archives:\n%s", diff)
	}
	f.remove("kit")
	f.add(map[string]string{"kit/Chart.yaml": "no chart"})
	must(t, r.pass(t.Context(), mail{change: changeOf(filepath.Join(f.tree, "kit"))}))
	f.remove("kit")
	must(t, r.pass(t.Context(), mail{change: changeOf(filepath.Join(f.tree, "kit"))}))
	if n, sum := loaded(r); sum != r.charts.room.taken.Load() || n > 0 {
		t.Errorf("at last: %d charts are in memory, %d bytes, %d are accounted for", n, sum, r.charts.room.taken.Load())
	}
}

func loaded(r *Repository) (n int, sum int64) {
	for _, d := range r.charts.byDir {
		if d.loaded != nil {
			n, sum = n+1, sum+d.loaded.Size()
		}
	}
	return n, sum
}
