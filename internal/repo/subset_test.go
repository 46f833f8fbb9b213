package repo

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/index"
)

// A subset is what a repository of these charts alone would be, in each format, and
// follows what changes.
func TestSubset(t *testing.T) {
	mine := []map[string]string{chartFiles("web-a", "web-a", "1.0.0"), chartFiles("web-b", "web-b", "1.0.0+x")}
	for _, format := range []index.Format{index.YAML, index.JSON} {
		t.Run(string(format), func(t *testing.T) {
			f, alone := newFixture(t), newFixture(t)
			for _, f := range []*fixture{f, alone} {
				f.setOptions(Options{IndexFormat: format, ContextPath: "/charts", Timestamp: time.Unix(1_700_000_000, 0)})
				f.add(mine...)
			}
			f.add(chartFiles("db", "db", "1.0.0"), chartFiles("bad", "bad", "not a version"))
			all, want := f.open(), alone.open().View()
			s := NewSubset(func(name string) bool { return strings.HasPrefix(name, "web-") })
			v := s.View(all.View())
			for _, form := range []struct{ got, want index.Body }{{v.Index.YAML, want.Index.YAML}, {v.Index.JSON, want.Index.JSON}} {
				if diff := cmp.Diff(string(form.want.Data.Bytes()), string(form.got.Data.Bytes())); diff != "" || form.got.ETag != form.want.ETag {
					t.Errorf("index (-alone +subset):\n%s", diff)
				}
			}
			wantNames(t, slices.Collect(namesOf(v)), "web-a", "web-b")
			for name, there := range map[string]bool{"web-a-1.0.0.tgz": true, "web-b-1.0.0+x.tgz": true, "db-1.0.0.tgz": false, "index.yaml": false} {
				if _, ok := v.File(name); ok != there {
					t.Errorf("%s: got %v", name, ok)
				}
			}
			db, _ := all.View().File("db-1.0.0.tgz")
			if _, ok := v.Blob(strings.Trim(db.ETag, `"`)); ok {
				t.Error("db is found by its digest")
			}
			if _, ok := v.File("by-digest/" + strings.Trim(db.ETag, `"`) + "/db-1.0.0.tgz"); ok {
				t.Error("db is found by its address")
			}
			if st := v.Status; st.Charts != 2 || len(st.Failures)+len(st.Changes)+len(st.Sources) > 0 || st.Repository != "" {
				t.Errorf("status: %+v", st)
			}
		})
	}
}

func namesOf(v *View) func(func(string) bool) {
	return func(yield func(string) bool) {
		for c := range v.Charts() {
			if !yield(c.Name) {
				return
			}
		}
	}
}

// What changes elsewhere leaves a subset's index as it is; what changes in it is there,
// and what goes is gone.
func TestSubsetFollows(t *testing.T) {
	f := newFixture(t)
	f.setOptions(Options{Prune: true})
	f.add(chartFiles("web", "web", "1.0.0"), chartFiles("db", "db", "1.0.0"))
	s := NewSubset(func(name string) bool { return name == "web" })
	step := func(change func()) map[string]string {
		change()
		r, err := Open(f.repo, f.opts)
		must(t, err)
		defer r.Close()
		must(t, r.Build(t.Context()))
		v := s.View(r.View())
		if again := s.View(r.View()); again != v {
			t.Error("made twice")
		}
		found := map[string]string{"": v.Index.YAML.ETag}
		if listed := strings.Contains(string(v.Index.YAML.Data.Bytes()), "web"); listed != (v.Chart("web") != nil) {
			t.Errorf("web is in the index: %v", listed)
		}
		for c := range v.Charts() {
			for _, version := range c.Versions {
				found[version.Entry.Name+" "+version.Entry.Version] = version.Entry.Digest
			}
		}
		return found
	}
	first := step(func() {})
	if again := step(func() { f.add(chartFiles("db", "db", "2.0.0")) }); !maps.Equal(first, again) {
		t.Errorf("db changed: got %v, want %v", again, first)
	}
	if got := step(func() { f.add(chartFiles("web", "web", "1.1.0")) }); got["web 1.1.0"] == "" || got["web 1.0.0"] != "" || got[""] == first[""] {
		t.Errorf("web changed: got %v", got)
	}
	if got := step(func() { f.add(map[string]string{"web/Chart.yaml": "name: other\nversion: 1.0.0\napiVersion: v2\n"}) }); len(got) != 1 {
		t.Errorf("web is gone: got %v", got)
	}
}
