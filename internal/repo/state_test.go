package repo

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartserve/internal/index"
	"chartserve/internal/store"
)

// A repository that is opened again knows all of the charts and archives that it
// knew when it was closed.
func TestStateHoldsAll(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	out := filepath.Join(filepath.Dir(f.tree), "out")
	write(t, out, chartFiles("kit", "kit", "1.0.0"))
	f.add(chartFiles("app", "app", "1.0.0+b", "kit ^1 file://../../out/kit"), vendor("app", "inner", "1.1.0"),
		map[string]string{
			"app/Chart.lock":         "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n",
			"old/Chart.yaml":         "apiVersion: v2\nname: old\nversion: 1.0.0\nappVersion: \"2\"\ndescription: Old\ndeprecated: true\n",
			"broken/Chart.yaml":      "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
			"never/Chart.yaml":       "name: [\n",
			"odd/x.tgz":              string(archiveOf(t, "x", "1.0.0")),
			"odd/x.tgz.prov":         signed,
			"odd/bad.tgz":            "no archive",
			"odd/warned.tgz":         string(warned(t)),
			"warned/Chart.yaml":      "apiVersion: v2\nname: warned\nversion: 1.0.0\nicon: 1\n",
			"warned/values.yaml":     "a: 1\na: 2\n",
			"warned/templates/x.txt": "x",
		})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	must(t, os.WriteFile(filepath.Join(f.repo, "foreign.tgz"), archiveOf(t, "other", "2.0.0"), 0o644))
	f.add(map[string]string{"broken/Chart.yaml": "name: [\n"})
	must(t, r.Build(context.Background()))
	lives, archives, indexed := r.charts.byDir, r.archives.byPath, r.folder.index
	must(t, r.Close())

	r, err = Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	r.recall()
	// What is bad is looked at again.
	maps.DeleteFunc(archives, func(_ string, a *archive) bool { return a.entry == nil })
	for dir, l := range lives {
		if l.Metadata == nil {
			delete(lives, dir)
		} else if now := r.charts.byDir[dir]; now == nil || now.changed != (l.Err != nil) {
			t.Errorf("%s: an error that the state forgets, or invents", dir)
		}
	}
	all := cmp.Options{
		cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(archive{}, "err", "file", "source", "signed"), cmpopts.IgnoreFields(chartDir{}, "source", "Chart.Err"),
		cmpopts.IgnoreFields(chartDir{}, "roots", "scanned", "stale", "changed", "dirs", "mu", "loaded", "held", "room"),
	}
	if diff := cmp.Diff(lives, r.charts.byDir, all); diff != "" {
		t.Errorf("charts:\n%s", diff)
	}
	if diff := cmp.Diff(archives, r.archives.byPath, all); diff != "" {
		t.Errorf("archives:\n%s", diff)
	}
	if r.folder.index != indexed || indexed == (indexFile{}) {
		t.Errorf("index.yaml %+v, want %+v", r.folder.index, indexed)
	}
	if len(lives) < 5 || len(archives) < 7 {
		t.Errorf("%d charts, %d archives: the test lost what it is about", len(lives), len(archives))
	}
	before := stampIn(t, f.repo, stateName)
	must(t, r.saveState())
	if stampIn(t, f.repo, stateName) != before {
		t.Error("the state was written again though nothing changed")
	}
}

// A state is not saved after a pass that failed midway, nor twice.
func TestStateIsSavedWhenItChanged(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.saveState())
	if _, err := os.Stat(filepath.Join(f.repo, stateName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("saved before the first pass: %v", err)
	}
	must(t, r.Build(context.Background()))
	must(t, r.saveState())
	before := stampIn(t, f.repo, stateName)
	must(t, r.Build(context.Background()))
	must(t, r.saveState())
	if stampIn(t, f.repo, stateName) != before {
		t.Error("saved again, though nothing changed")
	}
	must(t, os.Remove(filepath.Join(f.repo, store.IndexName)))
	must(t, r.Build(context.Background()))
	must(t, r.Close())
	index := stampIn(t, f.repo, store.IndexName)
	f.build()
	if stampIn(t, f.repo, store.IndexName) != index {
		t.Error("index.yaml was written anew by each start")
	}
}

// A state that can't be put in its place leaves no temporary file.
func TestStateInTheWay(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	write(t, f.repo, map[string]string{stateName + "/x": ""})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	if err := r.Close(); err == nil {
		t.Error("a directory in the place of the state is no error")
	}
	left, err := filepath.Glob(filepath.Join(f.repo, tempPrefix+"*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	wantNames(t, f.names(), "a-1.0.0")
}

// A state that is cut short ends in an error, not in a panic or in endless work.
func TestDecodingEnds(t *testing.T) {
	reads := map[string]func(c *store.Codec){
		"state":   func(c *store.Codec) { _ = (&state{}).code(c) },
		"archive": func(c *store.Codec) { (&archive{entry: &index.Entry{}}).code(c) },
		"chart":   func(c *store.Codec) { (&chartDir{}).code(c) },
	}
	s, err := store.Open(t.TempDir(), store.Options{})
	must(t, err)
	defer s.Close()
	for name, read := range reads {
		for _, data := range []string{"", "\xff", strings.Repeat("\xff", 9)} {
			must(t, s.SaveState("v", func(c *store.Codec) error {
				c.Text(&data)
				return nil
			}))
			c, err := s.LoadState("v")
			must(t, err)
			if read(c); c.Err() == nil {
				t.Errorf("%s of % x: no error", name, data)
			}
		}
	}
}

// A chart that changed and could not be read for a shortage of the moment is read by the
// next start, whatever its times say.
func TestStateKnowsWhatIsYetToBeRead(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.open()
	for _, l := range r.charts.byDir {
		l.changed = true // as live.refresh leaves it
	}
	r.changes++
	must(t, r.Close())
	if st := f.build(); st.LastRebuild.Reused != 1 {
		t.Errorf("reused %d, want the archive alone", st.LastRebuild.Reused)
	}
}

// A start that finds everything as it was leaves the state alone; one that finds a change
// writes it.
func TestStateIsWrittenWhenItChanges(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0")), "z.tgz": string(archiveOf(t, "z", "1.0.0"))})
	written := func() (before, after os.FileInfo) {
		t.Helper()
		before, _ = os.Stat(filepath.Join(f.repo, ".state"))
		f.build()
		after, err := os.Stat(filepath.Join(f.repo, ".state"))
		must(t, err)
		return before, after
	}
	written()
	if before, after := written(); !os.SameFile(before, after) {
		t.Error("nothing has changed, and the state was written")
	}
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"an edited chart", func() { f.add(map[string]string{"a/new": "1"}) }},
		{"new provenance", func() { f.add(map[string]string{"x.tgz.prov": signed}) }},
		{"a removed chart", func() { f.remove("a") }},
		{"a removed file", func() { f.remove("z.tgz") }},
		{"another address", func() { f.opts.URL = "https://charts.example.com" }},
	} {
		change.do()
		if before, after := written(); os.SameFile(before, after) {
			t.Errorf("%s: the state was not written", change.name)
		}
	}
}

// A pass without SOURCEs, such as that of prune or of a delivery, leaves what is known of
// them to the next start that has them: it reads nothing again.
func TestStateOfAbsentSources(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../../kit"), chartFiles("../kit", "kit", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	f.build()
	f.remove("b")
	f.add(chartFiles("b", "b", "1.1.0"), map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	f.build()
	with := f.opts
	f.opts.Sources, f.opts.URL = nil, "http://charts.example.com"
	r, err := Open(f.repo, f.opts)
	must(t, err)
	out, err := r.Prune(t.Context(), Prune{Charts: picks(t, "b@1.0.0")})
	must(t, err)
	if len(out.Retired) != 1 {
		t.Fatalf("retired %v", out.Retired)
	}
	must(t, r.Close())
	for _, url := range []string{"", f.opts.URL} {
		f.opts = with
		f.opts.URL = url
		st := f.build()
		// Three charts, with the one outside, and four archives of which one is in the SOURCE.
		if last := st.LastRebuild; last.Packaged+last.Checked > 0 || last.Reused != 7 {
			t.Errorf("url %q: %+v, want 7 reused", url, last)
		}
		if text := string(mustRead(t, filepath.Join(f.repo, "index.yaml"))); strings.Contains(text, "charts.example.com") != (url != "") {
			t.Errorf("url %q: the index has\n%s", url, text)
		}
	}
	f.opts.Sources = nil
	f.build()
	f.opts = with
	if last := f.build().LastRebuild; last.Packaged+last.Checked > 0 {
		t.Errorf("after a build without SOURCEs: %+v", last)
	}
}
