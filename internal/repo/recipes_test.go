package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ingredients are those of a version, "NAME VERSION WAY FROM" each, with paths below the tree.
func (f *fixture) ingredients(v *View, name, version string) []string {
	f.t.Helper()
	found := v.Chart(name).Version(version)
	if found == nil {
		f.t.Fatalf("no %s %s", name, version)
	}
	var out []string
	for _, i := range v.Ingredients(found) {
		text := fmt.Sprintf("%s %s %s %s", i.Name, i.Version, i.Way, i.From)
		if i.Alias != "" {
			text += " as " + i.Alias
		}
		if i.Instead != "" {
			text += " instead of " + i.Instead
		}
		out = append(out, strings.ReplaceAll(text, f.tree+string(filepath.Separator), ""))
	}
	return out
}

// wantLines compares texts.
func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A version knows what it is built from: after a restart too, while it is broken, and when what
// it is built from has moved.
func TestIngredients(t *testing.T) {
	f := newFixture(t)
	f.setOptions(Options{BuildMetadata: "r1"})
	nova := chartFiles("nova", "nova", "1.0.0", "kit ^1 file://../kit", "db >=1 http://localhost:8879/charts", "cache ^2")
	nova["nova/Chart.yaml"] += "  alias: fast\n"
	f.add(nova, vendor("nova", "cache", "2.1.0"), vendor("nova", "extra", "3.0.0"),
		chartFiles("kit", "kit", "1.4.0"), chartFiles("db", "db", "2.0.0", "kit ^1 file://../kit"))
	want := []string{"kit 1.4.0 file kit", "db 2.0.0 own db", "cache 2.1.0 vendored charts/ as fast", "extra 3.0.0 vendored charts/"}
	for _, when := range []string{"built", "after a restart"} {
		r, err := Open(f.repo, f.opts)
		must(t, err)
		must(t, r.Build(t.Context()))
		wantLines(t, when, f.ingredients(r.View(), "nova", "1.0.0+r1"), want...)
		wantLines(t, when+", db", f.ingredients(r.View(), "db", "2.0.0+r1"), "kit 1.4.0 file kit")
		wantLines(t, when+", kit", f.ingredients(r.View(), "kit", "1.4.0+r1"))
		must(t, r.Close())
	}
	r := f.open()
	f.remove("db")
	f.add(chartFiles("lower/db", "db", "2.0.0", "kit ^1 file://../../kit"))
	must(t, r.pass(t.Context(), rescan()))
	want[1] = "db 2.0.0 own lower/db"
	wantLines(t, "db has moved", f.ingredients(r.View(), "nova", "1.0.0+r1"), want...)
	wantLines(t, "db, moved", f.ingredients(r.View(), "db", "2.0.0+r1"), "kit 1.4.0 file kit")
	f.add(map[string]string{"kit/Chart.yaml": "name: [\n"})
	must(t, r.pass(t.Context(), rescan()))
	want[0], want[1] = "kit ^1 unmet kit", "db 2.0.0+r1 archive db-2.0.0+r1.tgz instead of lower/db"
	wantLines(t, "kit is broken", f.ingredients(r.View(), "nova", "1.0.0+r1"), want...)
	f.remove("nova")
	must(t, r.pass(t.Context(), rescan()))
	wantLines(t, "nova is kept", f.ingredients(r.View(), "nova", "1.0.0+r1"), "kit ^1 declared file://../kit", "db >=1 declared http://localhost:8879/charts", "cache ^2 declared  as fast")
}

// Of archives that were made elsewhere it is known what they declare; those that declare nothing
// have nothing.
func TestIngredientsOfArchives(t *testing.T) {
	maker := newFixture(t)
	maker.add(chartFiles("web", "web", "1.0.0", "kit ^1 https://user:secret@charts.example.com/x"), vendor("web", "kit", "1.0.0"), chartFiles("one", "one", "1.0.0"))
	maker.open()
	f := newFixture(t)
	for from, to := range map[string]string{"web-1.0.0.tgz": f.tree, "one-1.0.0.tgz": f.repo} {
		must(t, os.MkdirAll(to, 0o755))
		must(t, os.Rename(filepath.Join(maker.repo, from), filepath.Join(to, from)))
	}
	v := f.open().View()
	wantLines(t, "found in a source", f.ingredients(v, "web", "1.0.0"), "kit ^1 declared https://charts.example.com/x")
	if got := v.Ingredients(v.Chart("one").Version("1.0.0")); got != nil {
		t.Errorf("an archive without dependencies: %v", got)
	}
}

// Who may read some charts does not hear of others, nor of where any are.
func TestIngredientsOfASubset(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("web", "web", "1.0.0", "web-kit ^1 file://../web-kit", "hidden ^1 file://../hidden", "web-old ^1 http://localhost:8879/charts", "hidden-too ^1"),
		vendor("web", "hidden-too", "1.0.0"), vendor("web", "web-in", "1.0.0"), vendor("web", "hidden-in", "1.0.0"),
		chartFiles("web-kit", "web-kit", "1.0.0"), chartFiles("hidden", "hidden", "1.0.0"), chartFiles("web-old", "web-old", "1.0.0"))
	r := f.open()
	s := NewSubset(func(name string) bool { return strings.HasPrefix(name, "web") })
	wantLines(t, "subset", f.ingredients(s.View(r.View()), "web", "1.0.0"), "web-kit 1.0.0 file ", "web-old 1.0.0 own ", "web-in 1.0.0 vendored charts/")
	f.remove("web-kit")
	must(t, r.pass(t.Context(), rescan()))
	wantLines(t, "without web-kit", f.ingredients(s.View(r.View()), "web", "1.0.0"), "web-kit ^1 unmet ", "web-old 1.0.0 own ", "web-in 1.0.0 vendored charts/")
	f.remove("web")
	must(t, r.pass(t.Context(), rescan()))
	wantLines(t, "kept", f.ingredients(s.View(r.View()), "web", "1.0.0"), "web-kit ^1 declared file://../web-kit", "web-old ^1 declared http://localhost:8879/charts")
}
