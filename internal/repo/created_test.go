package repo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartserve/internal/index"
)

// By the index an archive was created when these bytes were published first, also after
// restarts, with the state or without (Helm's `repo index` takes the moment when it is
// called). Of an archive made elsewhere its Chart.yaml member says when. SOURCE_DATE_EPOCH
// rules. No date is the 1980 of archives that don't depend on the clock.
func TestCreated(t *testing.T) {
	f := newFixture(t)
	clock := time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC)
	f.opts.Now = func() time.Time { return clock }
	day := func(n int) time.Time { return time.Date(2126, 1, n, 0, 0, 0, 0, time.UTC) }
	member, epoch := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC), time.Unix(1700000000, 0)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"), map[string]string{
		"plain.tgz": string(archiveOf(t, "plain", "1.0.0")), "dated.tgz": string(archiveAt(t, "dated", "1.0.0", member)),
	})
	write(t, f.repo, map[string]string{"mine.tgz": string(archiveOf(t, "mine", "1.0.0"))})
	first := map[string]time.Time{"a": day(1), "b": day(1), "plain": day(1), "mine": day(1), "dated": member}
	edited := map[string]time.Time{"a": day(4), "b": day(1), "plain": day(1), "mine": day(1), "dated": member}
	for i, step := range []struct {
		name   string
		change func()
		want   map[string]time.Time
	}{
		{"the first pass", func() {}, first},
		{"a restart", func() {}, first},
		{"a restart without the state", func() { f.removeState() }, first},
		{"an edit", func() { f.add(map[string]string{"a/new": "1"}) }, edited},
		{"a restart after it", func() { f.removeState() }, edited},
		{"another URL", func() { f.opts.URL = "https://charts.example.com" }, edited},
		{"SOURCE_DATE_EPOCH", func() { f.opts.Timestamp = epoch }, map[string]time.Time{"a": epoch, "b": epoch, "plain": epoch, "mine": epoch, "dated": epoch}},
		// What was packaged has other bytes without it.
		{"no more of it", func() { f.opts.Timestamp = time.Time{} }, map[string]time.Time{"a": day(8), "b": day(8), "plain": epoch, "mine": epoch, "dated": epoch}},
	} {
		step.change()
		clock = day(i + 1)
		f.build()
		got := f.created()
		for name, want := range step.want {
			if !got[name].Equal(want) {
				t.Errorf("%s: %s was created %v, want %v", step.name, name, got[name], want)
			}
		}
		if data := mustRead(t, filepath.Join(f.repo, "index.yaml")); bytes.Contains(data, []byte("1980-")) {
			t.Errorf("%s: a date of 1980 in\n%s", step.name, data)
		}
	}
}

// An index of 1980 that is there already, as older versions wrote it, knows no dates.
func TestCreatedIn1980(t *testing.T) {
	f := newFixture(t)
	f.opts.Timestamp = index.Epoch()
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	if got := f.created()["a"]; !got.Equal(index.Epoch()) {
		t.Fatalf("created %v: the test lost what it is about", got)
	}
	f.opts.Timestamp = time.Time{}
	began := time.Now()
	f.build()
	if got := f.created()["a"]; got.Before(began) {
		t.Errorf("created %v, want the time of the pass", got)
	}
}

// archiveAt is an archive whose members have that time.
func archiveAt(t *testing.T, name, version string, at time.Time) []byte {
	f := newFixture(t)
	f.opts.Timestamp = at
	f.add(chartFiles(name, name, version))
	f.build()
	return mustRead(t, filepath.Join(f.repo, name+"-"+version+".tgz"))
}

func (f *fixture) removeState() { must(f.t, os.Remove(filepath.Join(f.repo, stateName))) }

// An index without entries is of the moment when it came to be, of a repository as of a
// folder, and an unchanged one keeps its bytes.
func TestEmptyIndexIsDated(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2126, 1, n, 0, 0, 0, 0, time.UTC) }
	epoch := time.Unix(1700000000, 0).UTC()
	for name, make := range map[string]func(f *fixture){
		"build": func(f *fixture) { f.build() },
		"index": func(f *fixture) {
			_, err := IndexFolder(context.Background(), f.repo, "", f.opts)
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.opts.Prune = true
			must(t, os.MkdirAll(f.repo, 0o755))
			clock := time.Time{}
			f.opts.Now = func() time.Time { return clock }
			file, one := filepath.Join(f.repo, "index.yaml"), filepath.Join(f.tree, "one.tgz")
			if name == "index" {
				one = filepath.Join(f.repo, "one.tgz")
			}
			for i, step := range []struct {
				name   string
				change func()
				want   time.Time
			}{
				{"the first", func() {}, day(1)},
				{"again", func() {}, day(1)},
				{"without the state", func() { _ = os.Remove(filepath.Join(f.repo, stateName)) }, day(1)},
				{"with a chart", func() { must(t, os.WriteFile(one, archiveOf(t, "one", "1.0.0"), 0o644)) }, day(4)},
				{"without it", func() { must(t, os.Remove(one)) }, day(5)},
				{"another's, of 1980", func() {
					must(t, os.WriteFile(file, index.Encode(index.YAML, time.Time{}, nil).YAML.Data.Bytes(), 0o644))
				}, day(6)},
				{"another's", func() { must(t, os.WriteFile(file, index.Encode(index.YAML, day(2), nil).YAML.Data.Bytes(), 0o644)) }, day(2)},
				{"SOURCE_DATE_EPOCH", func() { f.opts.Timestamp = epoch }, epoch},
			} {
				step.change()
				clock = day(i + 1)
				make(f)
				old, err := index.Decode(mustRead(t, file))
				must(t, err)
				if !old.Generated.Equal(step.want) {
					t.Errorf("%s: generated %v, want %v", step.name, old.Generated, step.want)
				}
			}
		})
	}
}

func TestUnmadeIsDated(t *testing.T) {
	now, epoch := time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1700000000, 0).UTC()
	for want, o := range map[time.Time]Options{now: {}, epoch: {Timestamp: epoch}} {
		if got := EmptyView(o, now).Index.Generated; !got.Equal(want) {
			t.Errorf("generated %v, want %v", got, want)
		}
	}
}

// A server whose last chart goes gives the index the date of that moment.
func TestEmptiedIndexIsDated(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.run()
	created := r.r.View().Index.Generated
	must(t, os.RemoveAll(filepath.Join(f.tree, "a")))
	r.untilNames()
	if got := r.r.View().Index.Generated; !got.After(created) || time.Since(got) > time.Minute {
		t.Errorf("generated %v, after one of %v", got, created)
	}
}

// What is merged without a date gets that of an archive that is seen for the first time.
func TestMergedEntriesAreDated(t *testing.T) {
	dir, clock := t.TempDir(), time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC)
	write(t, dir, map[string]string{"old.yaml": `apiVersion: v1
entries:
  a: [{apiVersion: v1, name: a, version: 1.0.0, urls: [http://h/a.tgz], digest: aa, created: "1980-01-01T00:00:00Z"}]
  b: [{apiVersion: v1, name: b, version: 1.0.0, urls: [http://h/b.tgz], digest: bb}]
  c: [{apiVersion: v1, name: c, version: 1.0.0, urls: [http://h/c.tgz], digest: cc, created: "2020-01-01T00:00:00Z"}]
`})
	first := clock
	for range 2 {
		_, err := IndexFolder(context.Background(), dir, filepath.Join(dir, "old.yaml"), Options{Now: func() time.Time { return clock }})
		must(t, err)
		got, err := index.Decode(mustRead(t, filepath.Join(dir, "index.yaml")))
		must(t, err)
		for i, want := range []time.Time{first, first, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)} {
			if e := got.Entries[i]; !e.Created.Equal(want) || e.URL != "http://h/"+e.Name+".tgz" {
				t.Errorf("%s: %s of %v, want %v", e.Name, e.URL, e.Created, want)
			}
		}
		clock = clock.Add(time.Hour)
	}
}
