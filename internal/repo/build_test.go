package repo

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/store"
)

func (f *fixture) copyOut(archive, to string) {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.repo, archive))
	must(f.t, err)
	must(f.t, os.MkdirAll(filepath.Dir(filepath.Join(f.tree, to)), 0o755))
	must(f.t, os.WriteFile(filepath.Join(f.tree, to), data, 0o644))
}

func (f *fixture) remove(name string) {
	f.t.Helper()
	must(f.t, os.RemoveAll(filepath.Join(f.tree, name)))
}

func TestBuild(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("deep/er/b", "b", "0.1.0+x.1"), chartFiles(".hidden/c", "c", "1.0.0"),
		chartFiles("a/charts/sub", "sub", "9.9.9"), map[string]string{"doc/readme": "no chart", "empty/": ""})
	st := f.build()
	wantNames(t, f.names(), "a-1.0.0", "b-0.1.0+x.1")
	f.checkWhole()
	if st.Charts != 2 || st.Archives != 2 || st.LastRebuild.Packaged != 2 || len(st.Failures) != 0 {
		t.Errorf("status %+v", st)
	}
	if len(st.Sources) != 1 || st.Sources[0].Charts != 2 {
		t.Errorf("sources %+v", st.Sources)
	}
}

// One bad chart of several is set aside with its reason; the others are there.
func TestBadChartAmongGoodOnes(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("good", "good", "1.0.0"), map[string]string{"bad/Chart.yaml": "apiVersion: v2\nname: bad\nversion: 1.2.3.4\n", "lower/chart.yaml": "name: x", "lower/templates/x": ""})
	st := f.build()
	wantNames(t, f.names(), "good-1.0.0")
	got := reasons(st)
	for _, part := range []string{"bad: ", `version "1.2.3.4"`, "lower: ", "Chart.yaml"} {
		if !strings.Contains(got, part) {
			t.Errorf("reasons lack %q:\n%s", part, got)
		}
	}
	f.opts.Strict = true
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	if err := r.Build(context.Background()); !errors.Is(err, ErrBadCharts) {
		t.Errorf("strict build gave %v", err)
	}
}

// A chart that breaks keeps its last good archive.
func TestLastGoodArchiveStays(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	before := f.index()
	for _, prune := range []bool{false, true} {
		f.opts.Prune = prune
		f.add(map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: [\n"})
		if st := f.build(); len(st.Failures) != 1 {
			t.Errorf("prune %v: failures %v", prune, st.Failures)
		}
		if got := f.index(); !maps.Equal(got, before) {
			t.Errorf("prune %v: index %v, want %v", prune, got, before)
		}
	}
	f.add(chartFiles("a", "a", "1.0.0"))
	if st := f.build(); len(st.Failures) != 0 {
		t.Errorf("mended, but %v", st.Failures)
	}
}

func TestKeepAndPrune(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	f.build()
	must(t, os.WriteFile(filepath.Join(f.repo, "foreign.tgz"), mustRead(t, filepath.Join(f.repo, "b-1.0.0.tgz")), 0o644))
	f.remove("b")
	f.add(chartFiles("a", "a", "1.1.0"))
	f.build()
	wantNames(t, f.names(), "a-1.0.0", "a-1.1.0", "b-1.0.0")
	f.opts.Prune = true
	f.build()
	wantNames(t, f.names(), "a-1.1.0", "b-1.0.0") // b from foreign.tgz, which is not ours to remove
	if _, err := os.Stat(filepath.Join(f.repo, "a-1.0.0.tgz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a-1.0.0.tgz: %v", err)
	}
	if _, err := os.Stat(filepath.Join(f.repo, "foreign.tgz")); err != nil {
		t.Error(err)
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// An archive in a SOURCE that is half written over keeps its last good copy, until
// it is gone.
func TestPruneSparesTheLastGoodCopy(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	data := string(archiveOf(t, "a", "1.0.0"))
	f.add(map[string]string{"a.tgz": data})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	for _, size := range []int{len(data) / 2, len(data) / 3} {
		f.add(map[string]string{"a.tgz": data[:size]})
		must(t, r.Build(context.Background()))
		wantNames(t, f.names(), "a-1.0.0")
		if got := reasons(r.Status()); !strings.Contains(got, "a.tgz: ") {
			t.Errorf("reasons: %s", got)
		}
	}
	f.remove("a.tgz")
	must(t, r.Build(context.Background()))
	wantNames(t, f.names())
}

// A SOURCE that can't be looked at is no reason to remove its archives.
func TestPruneSparesWhatCannotBeSeen(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	must(t, os.Rename(f.tree, f.tree+".away"))
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "a-1.0.0")
	if got := reasons(r.Status()); !strings.Contains(got, "does not exist") {
		t.Errorf("reasons: %s", got)
	}
}

func TestArchivesInASource(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	f.build()
	f.copyOut("a-1.0.0.tgz", "a-1.0.0.tgz") // beside its source
	f.copyOut("b-1.0.0.tgz", "x/oddly-named.tgz")
	want := string(mustRead(t, filepath.Join(f.repo, "b-1.0.0.tgz")))
	f.add(map[string]string{"x/oddly-named.tgz.prov": signed, "x/half.tgz": want[:len(want)-9], "x/no.tgz": "no archive"})
	f.remove("b")
	must(t, os.RemoveAll(f.repo))
	st := f.build()
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
	if got := string(mustRead(t, filepath.Join(f.repo, "b-1.0.0.tgz"))); got != want {
		t.Error("the archive was not copied byte for byte")
	}
	if got := string(mustRead(t, filepath.Join(f.repo, "b-1.0.0.tgz.prov"))); got != signed {
		t.Errorf("provenance %q", got)
	}
	got := reasons(st)
	if !strings.Contains(got, "half.tgz: ") || !strings.Contains(got, "no.tgz: ") || len(st.Failures) != 2 {
		t.Errorf("reasons: %s", got)
	}
	f.add(map[string]string{"x/oddly-named.tgz.prov": signed + " again"})
	f.build()
	if got := string(mustRead(t, filepath.Join(f.repo, "b-1.0.0.tgz.prov"))); got != signed+" again" {
		t.Errorf("provenance %q", got)
	}
}

// Of two charts of one name and version the first in path order is published,
// and the other says so.
func TestClash(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("one", "a", "1.0.0"), chartFiles("two", "a", "1.0.0"), map[string]string{"two/templates/more.yaml": "x: y"})
	for range 2 {
		st := f.build()
		if len(st.Failures) != 1 || filepath.Base(st.Failures[0].Path) != "two" || !strings.Contains(st.Failures[0].Reason, "one is the same name and version") {
			t.Fatalf("failures %+v", st.Failures)
		}
	}
	f.add(map[string]string{"one/templates/more.yaml": "x: y"})
	if st := f.build(); len(st.Failures) != 0 || len(st.Warnings) != 1 {
		t.Errorf("the same chart twice: %+v", st)
	}
	f.add(map[string]string{"two/templates/more.yaml": "x: z"})
	f.remove("one")
	if st := f.build(); len(st.Failures) != 0 || st.LastRebuild.Packaged != 1 {
		t.Errorf("status %+v", st)
	}
}

// Two charts may be different and yet need the same file.
func TestArchiveNameTaken(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("one", "a", "1-2.0.0"), chartFiles("two", "a-1", "2.0.0"))
	st := f.build()
	if len(st.Failures) != 1 || !strings.Contains(st.Failures[0].Reason, "a-1-2.0.0.tgz") {
		t.Errorf("failures %+v", st.Failures)
	}
}

// A file of someone else's in the repository folder is never overwritten by a
// chart that it does not hold.
func TestForeignFileInTheWay(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("other", "other", "1.0.0"))
	f.build()
	f.remove("other")
	must(t, os.Rename(filepath.Join(f.repo, "other-1.0.0.tgz"), filepath.Join(f.repo, "a-1.0.0.tgz")))
	f.add(chartFiles("a", "a", "1.0.0"))
	st := f.build()
	if !strings.Contains(reasons(st), "in the way") {
		t.Errorf("failures %+v", st.Failures)
	}
	wantNames(t, f.names(), "other-1.0.0")
}

// The same sources and SOURCE_DATE_EPOCH give the same bytes: in another place,
// another order of events, with the state or without.
func TestReproducible(t *testing.T) {
	var first []byte
	for i := range 3 {
		f := newFixture(t)
		f.opts.Timestamp = time.Unix(1700000000, 0)
		f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
		if i == 1 {
			f.build()
			must(t, os.Remove(filepath.Join(f.repo, stateName)))
		}
		f.build()
		if got := mustRead(t, filepath.Join(f.repo, "index.yaml")); first == nil {
			first = got
		} else if !bytes.Equal(got, first) {
			t.Errorf("run %d: another index:\n%s\nwas\n%s", i, got, first)
		}
	}
}

func TestRestartReadsNothing(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
	f.opts.Now = settledNow
	f.build()
	before := stampIn(t, f.repo, "index.yaml")
	st := f.build()
	if st.LastRebuild.Packaged != 0 || st.LastRebuild.Checked != 0 || st.LastRebuild.Reused != 4 {
		t.Errorf("last rebuild %+v", st.LastRebuild)
	}
	if after := stampIn(t, f.repo, "index.yaml"); after != before {
		t.Error("index.yaml was written again")
	}
	// The same name, size and times, but another file.
	path := filepath.Join(f.repo, "a-1.0.0.tgz")
	fi, err := os.Stat(path)
	must(t, err)
	must(t, os.WriteFile(path+".new", bytes.Repeat([]byte("x"), int(fi.Size())), 0o644))
	must(t, os.Chtimes(path+".new", fi.ModTime(), fi.ModTime()))
	must(t, os.Rename(path+".new", path))
	if st := f.build(); st.LastRebuild.Packaged != 1 {
		t.Errorf("after a rename over an archive: %+v", st.LastRebuild)
	}
	// The same file, with other bytes of the same size, and with more at the same time.
	must(t, os.WriteFile(path, bytes.Repeat([]byte("x"), int(fi.Size())), 0o644))
	if st := f.build(); st.LastRebuild.Packaged != 1 {
		t.Errorf("after a write into an archive: %+v", st.LastRebuild)
	}
	fi, err = os.Stat(path)
	must(t, err)
	must(t, os.WriteFile(path, append(mustRead(t, path), 'x'), 0o644))
	must(t, os.Chtimes(path, fi.ModTime(), fi.ModTime()))
	if st := f.build(); st.LastRebuild.Packaged != 1 {
		t.Errorf("after more at an archive's end: %+v", st.LastRebuild)
	}
	f.checkWhole()
}

// A file that may have changed since within the same tick of the clock is read
// again, whatever its times say.
func TestUnsettledFilesAreReadAgain(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	write(t, f.repo, map[string]string{"note": "one"})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	before := f.index()
	note, _ := r.View().File("note")
	for path, text := range map[string]string{
		filepath.Join(f.tree, "a/templates/cm.yaml"): "kind: ConfigMap # b\n", filepath.Join(f.repo, "note"): "two",
		filepath.Join(f.tree, "x.tgz"): strings.Repeat("x", len(mustRead(t, filepath.Join(f.tree, "x.tgz")))),
	} {
		fi, err := os.Stat(path)
		must(t, err)
		if fi.Size() != int64(len(text)) {
			t.Fatalf("%s has %d bytes, want the same size", path, fi.Size())
		}
		must(t, os.WriteFile(path, []byte(text), 0o644))
		must(t, os.Chtimes(path, fi.ModTime(), fi.ModTime()))
	}
	must(t, r.Build(context.Background()))
	if after, _ := r.View().File("note"); after.ETag == note.ETag {
		t.Error("a plain file keeps its ETag")
	}
	if f.index()["a-1.0.0"] == before["a-1.0.0"] {
		t.Error("a chart's file was not read again")
	}
	if got := reasons(r.Status()); !strings.Contains(got, "x.tgz: ") {
		t.Errorf("an archive was not read again: %s", got)
	}
}

// An archive that someone wrote over one of ours is theirs: it is not pruned.
func TestPruneSparesWhatOthersWrote(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	f.build()
	must(t, os.WriteFile(filepath.Join(f.repo, "a-1.0.0.tgz"), archiveOf(t, "a", "1.0.0", map[string]string{"a/new": "1"}), 0o644))
	f.remove("a")
	f.remove("b")
	f.opts.Prune = true
	f.build()
	wantNames(t, f.names(), "a-1.0.0")
}

// A copy that stood in the folder before its SOURCE was known is chartserve's from
// then on.
func TestGivenArchiveThatIsThere(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune, f.opts.Now = true, settledNow
	data := string(archiveOf(t, "a", "1.0.0"))
	write(t, f.repo, map[string]string{"a-1.0.0.tgz": data})
	before := stampIn(t, f.repo, "a-1.0.0.tgz")
	f.add(map[string]string{"a.tgz": data, "again.tgz": data})
	if st := f.build(); len(st.Failures) != 0 || stampIn(t, f.repo, "a-1.0.0.tgz") != before {
		t.Errorf("the same bytes were copied, or clash: %s", reasons(st))
	}
	f.add(map[string]string{"again.tgz": string(archiveOf(t, "a", "1.0.0", map[string]string{"a/new": "1"}))})
	if got := reasons(f.build()); !strings.Contains(got, "again.tgz: ") || !strings.Contains(got, "a.tgz is the same name and version") {
		t.Errorf("other bytes of the same version: %q", got)
	}
	f.remove("a.tgz")
	f.remove("again.tgz")
	f.build()
	wantNames(t, f.names())
}

func stampIn(t testing.TB, dir, name string) fileid.Stamp {
	t.Helper()
	fi, err := os.Stat(filepath.Join(dir, name))
	must(t, err)
	return fileid.StampOf(fi)
}

// A damaged or foreign state is noticed, and everything is read again.
func TestBadState(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	want := f.index()
	good := mustRead(t, filepath.Join(f.repo, stateName))
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, state := range map[string][]byte{"empty": {}, "cut": good[:len(good)-7], "flipped": flipped, "text": []byte("hello\n")} {
		must(t, os.WriteFile(filepath.Join(f.repo, stateName), state, 0o644))
		if st := f.build(); st.Archives != 1 || len(st.Failures) != 0 {
			t.Errorf("%s: %+v", name, st)
		}
		if got := f.index(); !maps.Equal(got, want) {
			t.Errorf("%s: index %v", name, got)
		}
	}
}

// An index.yaml that was there before keeps its creation times.
func TestCreatedIsInherited(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	must(t, os.Remove(filepath.Join(f.repo, stateName)))
	path := filepath.Join(f.repo, "index.yaml")
	text := redated(mustRead(t, path))
	must(t, os.WriteFile(path, []byte(text), 0o644))
	f.build()
	file, err := index.Decode(mustRead(t, path))
	must(t, err)
	if got := file.Entries[0].Created; !got.Equal(time.Date(2019, 2, 21, 11, 57, 0, 0, time.UTC)) {
		t.Errorf("created %v", got)
	}
}

func TestAbsoluteURLs(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0+b"), map[string]string{"odd.tgz": string(archiveOf(t, "x", "1.0.0"))})
	for _, base := range []string{"", "http://one.example.com/charts", "http://two.example.com/charts/"} {
		f.opts.URL = base
		must(t, os.RemoveAll(filepath.Join(f.repo, "x-1.0.0.tgz"))) // copied anew, as it was read the first time
		f.build()
		file, err := index.Decode(mustRead(t, filepath.Join(f.repo, "index.yaml")))
		must(t, err)
		for i, name := range []string{"a-1.0.0+b.tgz", "x-1.0.0.tgz"} {
			if got, want := file.Entries[i].URL, index.FileURL(base, name); got != want {
				t.Errorf("url %q, want %q", got, want)
			}
		}
	}
}

func TestBuildMetadata(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
	for _, sha := range []string{"abc", "def"} {
		f.opts.BuildMetadata = sha
		if got := reasons(f.build()); got != "" {
			t.Fatal(got)
		}
	}
	wantNames(t, f.names(), "a-1.0.0+abc", "a-1.0.0+def", "kit-1.0.0+abc", "kit-1.0.0+def")
	f.checkWhole()
}

// An index.yaml that was removed, or written over, is there again after a build.
func TestIndexIsMended(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	path := filepath.Join(f.repo, store.IndexName)
	want := mustRead(t, path)
	for name, damage := range map[string]func() error{
		"removed":      func() error { return os.Remove(path) },
		"written over": func() error { return os.WriteFile(path, []byte("apiVersion: v1\nentries: {}\n"), 0o644) },
	} {
		must(t, damage())
		f.build()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: index.yaml is %q, %v", name, got, err)
		}
	}
}

func TestLocked(t *testing.T) {
	f := newFixture(t)
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	if _, err := Open(f.repo, f.opts); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second Open gave %v", err)
	}
}

func TestEmptyTree(t *testing.T) {
	f := newFixture(t)
	if st := f.build(); st.LastRebuild.At.IsZero() {
		t.Error("the first pass did nothing")
	}
	wantNames(t, f.names())
}

func TestLeftoversAreSwept(t *testing.T) {
	f := newFixture(t)
	f.build()
	must(t, os.WriteFile(filepath.Join(f.repo, ".tmp-1-1"), []byte("half"), 0o644))
	f.build()
	if _, err := os.Stat(filepath.Join(f.repo, ".tmp-1-1")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a temporary file is still there")
	}
}
