package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lattice is a fixture whose charts are built from each other; their paths sort against the
// order of building.
func lattice(t testing.TB) *fixture {
	f := newFixture(t)
	f.add(chartFiles("z-kit", "kit", "1.0.0"), chartFiles("y-db", "db", "1.0.0", "kit ^1 file://../z-kit"),
		chartFiles("b-nova", "nova", "1.0.0", "db ^1 "+here, "kit ^1 file://../z-kit"),
		chartFiles("a-all", "all", "1.0.0", "nova ^1 file://../b-nova"),
		chartFiles("out", "out", "1.0.0", "middle ^1 file://../../middle"),
		chartFiles("with-in", "with-in", "1.0.0", "in ^1 "+here),
		chartFiles("lone", "lone", "1.0.0", "kit ^1 "), vendor("lone", "kit", "1.0.0"))
	// What is outside the SOURCEs is built into others and not published.
	write(t, filepath.Dir(f.tree), chartFiles("middle", "middle", "1.0.0", "kit ^1 file://../tree/z-kit"))
	maker := newFixture(t)
	maker.add(chartFiles("in", "in", "1.0.0"))
	maker.open()
	must(t, os.Rename(filepath.Join(maker.repo, "in-1.0.0.tgz"), filepath.Join(f.tree, "in.tgz")))
	return f
}

func (f *fixture) rebuilds(v *View, name string) (out []string) {
	for _, c := range v.Rebuilds(name) {
		out = append(out, c.Name+" "+c.Version)
	}
	return out
}

func (f *fixture) dependents(v *View, name string) (out []string) {
	for _, d := range v.Dependents(name) {
		text := fmt.Sprintf("%s %s %s has %s %s %s", d.Chart.Name, d.Chart.Version, d.Chart.Path, d.As.Version, d.As.Way, d.As.From)
		out = append(out, strings.ReplaceAll(text, f.tree+string(filepath.Separator), ""))
	}
	return out
}

func TestDependents(t *testing.T) {
	f := lattice(t)
	r := f.open()
	v := r.View()
	wantLines(t, "kit", f.dependents(v, "kit"), "nova 1.0.0 b-nova has 1.0.0 file z-kit", "db 1.0.0 y-db has 1.0.0 file z-kit")
	wantLines(t, "db", f.dependents(v, "db"), "nova 1.0.0 b-nova has 1.0.0 own y-db")
	wantLines(t, "in", f.dependents(v, "in"), "with-in 1.0.0 with-in has 1.0.0 archive in.tgz")
	wantLines(t, "middle", f.dependents(v, "middle"), "out 1.0.0 out has 1.0.0 file "+filepath.Join(filepath.Dir(f.tree), "middle"))
	wantLines(t, "all", f.dependents(v, "all"))
	wantLines(t, "none", f.dependents(v, "none"))
	wantLines(t, "kit rebuilds", f.rebuilds(v, "kit"), "kit 1.0.0", "db 1.0.0", "nova 1.0.0", "all 1.0.0", "out 1.0.0")
	wantLines(t, "db rebuilds", f.rebuilds(v, "db"), "db 1.0.0", "nova 1.0.0", "all 1.0.0")
	wantLines(t, "in rebuilds", f.rebuilds(v, "in"), "with-in 1.0.0")
	wantLines(t, "middle rebuilds", f.rebuilds(v, "middle"), "out 1.0.0")
	wantLines(t, "lone rebuilds", f.rebuilds(v, "lone"), "lone 1.0.0")
	wantLines(t, "none rebuilds", f.rebuilds(v, "none"))
	files := NewView(nil)
	files.Add(v.Chart("kit"))
	if v := files; v.Dependents("kit") != nil || v.Rebuilds("kit") != nil {
		t.Error("a View of files has dependents")
	}
}

// What Rebuilds says is what is packaged again, also when the edit mends what is broken.
func TestRebuildsIsTrue(t *testing.T) {
	f := lattice(t)
	r := f.open()
	for _, name := range []string{"kit", "db", "nova", "all"} {
		want := f.rebuilds(r.View(), name)
		slices.Sort(want)
		dir := map[string]string{"kit": "z-kit", "db": "y-db", "nova": "b-nova", "all": "a-all"}[name]
		f.add(map[string]string{dir + "/templates/new.yaml": "kind: Secret\n"})
		must(t, r.pass(t.Context(), rescan()))
		var got []string
		for _, c := range r.Status().Changes[0].Replaced.Charts {
			got = append(got, c.Name+" "+c.Version)
		}
		wantLines(t, name, got, want...)
	}
	f.add(map[string]string{"z-kit/Chart.yaml": "name: [\n"})
	must(t, r.pass(t.Context(), rescan()))
	wantLines(t, "a broken kit", f.rebuilds(r.View(), "kit"), "kit 1.0.0", "db 1.0.0", "nova 1.0.0", "all 1.0.0", "out 1.0.0")
	wantLines(t, "of a broken kit", f.dependents(r.View(), "kit"), "nova 1.0.0 b-nova has ^1 unmet z-kit", "db 1.0.0 y-db has ^1 unmet z-kit")
	f.add(map[string]string{"z-kit/Chart.yaml": "apiVersion: v2\nname: kit\nversion: 1.0.0\ndependencies: [{name: all, version: ^1, repository: 'file://../a-all'}]\n"})
	must(t, r.pass(t.Context(), rescan()))
	if got := f.rebuilds(r.View(), "kit"); len(got) != 5 {
		t.Errorf("in a cycle: %v", got)
	}
}

// Who may read some charts sees what is built through others, and nothing of those.
func TestDependentsOfASubset(t *testing.T) {
	f := lattice(t)
	visible := []string{"kit", "nova", "out", "middle"}
	v := NewSubset(func(name string) bool { return slices.Contains(visible, name) }).View(f.open().View())
	wantLines(t, "kit", f.dependents(v, "kit"), "nova 1.0.0  has 1.0.0 file ")
	wantLines(t, "kit rebuilds", f.rebuilds(v, "kit"), "kit 1.0.0", "nova 1.0.0", "out 1.0.0")
	for _, hidden := range []string{"db", "in", "all", "lone"} {
		if v.Dependents(hidden) != nil || v.Rebuilds(hidden) != nil {
			t.Errorf("%s: %v, %v", hidden, v.Dependents(hidden), v.Rebuilds(hidden))
		}
	}
	text := fmt.Sprintf("%+v", []any{v.Dependents("kit"), v.Rebuilds("kit"), v.Dependents("middle"), v.Ingredients(v.Chart("nova").Version("1.0.0"))})
	for _, hidden := range []string{"db", "all", f.tree, filepath.Dir(f.tree)} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q is in %s", hidden, text)
		}
	}
}
