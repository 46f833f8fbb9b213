package repo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/store"
)

// picks reads what a command line has.
func picks(t testing.TB, texts ...string) (out []chart.Pick) {
	t.Helper()
	for _, text := range texts {
		p, err := chart.ParsePick(text)
		must(t, err)
		out = append(out, p)
	}
	return out
}

// kept makes a folder with nova 1.0.0, 1.0.1, 10.1.0, 1.1.0 and glance 1.0.0, of which
// nova 1.1.0 is live; they were published a day apart, the last one now.
func kept(t *testing.T) (f *fixture, now *time.Time) {
	f = newFixture(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.opts.Now = func() time.Time { return at }
	f.add(chartFiles("glance", "glance", "1.0.0"))
	for _, version := range []string{"1.0.0", "1.0.1", "10.1.0", "1.1.0"} {
		f.add(chartFiles("nova", "nova", version))
		f.build()
		f.remove("glance")
		if version != "1.1.0" {
			at = at.Add(24 * time.Hour)
		}
	}
	wantNames(t, f.names(), "glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0", "nova-10.1.0")
	return f, &at
}

// Which versions a Prune retires: what it selects, but for live ones, and for the last
// version of a chart that is not named exactly.
func TestPrune(t *testing.T) {
	all := []string{"glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0", "nova-10.1.0"}
	for name, c := range map[string]struct {
		ask    Prune
		gone   string
		spared string // parts of what is said
	}{
		"one version":            {Prune{Charts: picks(t, "nova@10.1.0")}, "nova-10.1.0", ""},
		"a range":                {Prune{Charts: picks(t, "nova@<1.1")}, "nova-1.0.0 nova-1.0.1", ""},
		"a range and a live one": {Prune{Charts: picks(t, "nova@~1")}, "nova-1.0.0 nova-1.0.1", "nova 1.1.0: it is live: "},
		"a chart":                {Prune{Charts: picks(t, "nova")}, "nova-1.0.0 nova-1.0.1 nova-10.1.0", "nova 1.1.0: it is live: "},
		"the last version":       {Prune{Charts: picks(t, "glance")}, "", "glance 1.0.0: it is the last version of the chart (name it: glance@1.0.0)"},
		"the last one by name":   {Prune{Charts: picks(t, "glance@1.0.0")}, "glance-1.0.0", ""},
		"a live one by name":     {Prune{Charts: picks(t, "nova@1.1.0")}, "", "would bring it back"},
		"nothing there":          {Prune{Charts: picks(t, "nova@7", "heat")}, "", "unmet nova@7 heat"},
		"two":                    {Prune{Charts: picks(t, "nova@1.0.0", "glance@=1.0.0")}, "glance-1.0.0 nova-1.0.0", ""},
		"keep":                   {Prune{Retention: Retention{Keep: 2}}, "nova-1.0.0 nova-1.0.1", ""},
		"keep one":               {Prune{Retention: Retention{Keep: 1}}, "nova-1.0.0 nova-1.0.1", ""},
		"keep for":               {Prune{Retention: Retention{KeepFor: 36 * time.Hour}}, "nova-1.0.0 nova-1.0.1", "glance 1.0.0: it is the last version"},
		"keep or keep for":       {Prune{Retention: Retention{Keep: 3, KeepFor: 36 * time.Hour}}, "nova-1.0.0", ""},
		"by name, though kept":   {Prune{Charts: picks(t, "nova@10.1.0"), Retention: Retention{Keep: 9}}, "nova-10.1.0", ""},
		"of a range":             {Prune{Charts: picks(t, "nova@<10"), Retention: Retention{Keep: 3}}, "nova-1.0.0", ""},
		"all that is not live":   {Prune{}, "nova-1.0.0 nova-1.0.1 nova-10.1.0", "glance 1.0.0: it is the last version"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := kept(t)
			for _, sources := range [][]string{nil, f.opts.Sources} { // what was live is known without them
				f.opts.Sources = sources
				dry := c.ask
				dry.DryRun = true
				for _, ask := range []Prune{dry, c.ask} {
					if sources == nil && !ask.DryRun {
						continue
					}
					r, err := Open(f.repo, f.opts)
					must(t, err)
					out, err := r.Prune(t.Context(), ask)
					must(t, err)
					must(t, r.Close())
					var gone []string
					for _, x := range out.Retired {
						gone = append(gone, x.Name+"-"+x.Version)
					}
					slices.Sort(gone)
					if got := strings.Join(gone, " "); got != c.gone {
						t.Errorf("%d SOURCEs, dry run %v: retired %q, want %q", len(sources), ask.DryRun, got, c.gone)
					}
					said := ""
					for _, s := range out.Spared {
						said += fmt.Sprintf("%s %s: %s\n", s.Name, s.Version, s.Reason)
					}
					if len(out.Unmet) > 0 {
						said += "unmet"
						for _, p := range out.Unmet {
							said += " " + p.String()
						}
					}
					if !strings.Contains(said, c.spared) || c.spared == "" && said != "" {
						t.Errorf("%d SOURCEs, dry run %v: said %q, want %q", len(sources), ask.DryRun, said, c.spared)
					}
					want := all
					if !ask.DryRun {
						want = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(gone, id) })
					}
					wantNames(t, f.names(), want...)
				}
			}
		})
	}
}

// What is retired can be had under its name and its digest until its time is over, and
// the rules of the Options work in each pass: for what changed, and for what grew old.
func TestRetentionInPasses(t *testing.T) {
	f, now := kept(t)
	f.opts.Retention, f.opts.KeepReplaced = Retention{Keep: 2}, time.Hour
	old := f.index()["nova-1.0.0"]
	r := f.open()
	wantNames(t, f.names(), "glance-1.0.0", "nova-1.1.0", "nova-10.1.0")
	if c := r.Status().Changes[0]; c.Retired.Count != 2 || c.Removed.Count != 0 {
		t.Errorf("told: %+v", c)
	}
	for _, name := range []string{"nova-1.0.0.tgz", store.Address(old, "nova-1.0.0.tgz")} {
		if got := readServed(t, r.View(), name); got != old {
			t.Errorf("%s: %s, want %s", name, got, old)
		}
	}
	f.add(chartFiles("nova", "nova", "10.2.0"))
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "glance-1.0.0", "nova-10.1.0", "nova-10.2.0")
	*now = now.Add(2 * time.Hour)
	must(t, r.pass(t.Context(), rescan()))
	if got := readServed(t, r.View(), "nova-1.0.0.tgz"); got != "not found" {
		t.Errorf("after its time: %s", got)
	}
	r.opts.Retention = Retention{KeepFor: 48 * time.Hour}
	*now = now.Add(47 * time.Hour)
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "glance-1.0.0", "nova-10.2.0")
}

// A version that can't be made does not push another out, a broken chart's last good
// archive stays, and so does everything while a SOURCE can't be read.
func TestRetentionIsCareful(t *testing.T) {
	f := newFixture(t)
	f.opts.Now, f.opts.Retention = settledNow, Retention{Keep: 1}
	f.add(chartFiles("nova", "nova", "1.0.0"), chartFiles("gone", "gone", "1.0.0"))
	f.build()
	f.add(chartFiles("nova", "nova", "1.1.0", "none ^1 file://../none"))
	f.build()
	wantNames(t, f.names(), "gone-1.0.0", "nova-1.0.0")
	f.add(chartFiles("nova", "nova", "1.0.0"), map[string]string{"nova/templates/bad.yaml": ""})
	f.build()
	f.add(map[string]string{"nova/Chart.yaml": "name: [\n"})
	st := f.build()
	wantNames(t, f.names(), "gone-1.0.0", "nova-1.0.0")
	if len(st.Failures) != 1 {
		t.Errorf("failures: %s", reasons(st))
	}
	f.add(chartFiles("nova", "nova", "2.0.0"))
	f.opts.Sources = append(f.opts.Sources, filepath.Join(f.tree, "later"))
	must(t, os.Mkdir(filepath.Join(f.tree, "later"), 0o755))
	r := f.open()
	must(t, os.Remove(filepath.Join(f.tree, "later")))
	f.remove("gone")
	f.add(chartFiles("gone2", "gone", "1.1.0"))
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "gone-1.0.0", "gone-1.1.0", "nova-2.0.0")
	must(t, os.Mkdir(filepath.Join(f.tree, "later"), 0o755))
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "gone-1.1.0", "nova-2.0.0")
}

// Another process asks the owner of the folder.
func TestPruneIsAskedFor(t *testing.T) {
	f, _ := kept(t)
	r := f.open()
	question := func(id, text string) {
		t.Helper()
		must(t, store.Ask(f.repo, store.Question{ID: id, Text: []byte(text)}))
		must(t, r.pass(t.Context(), mail{}))
	}
	answer := func(id, want string) {
		t.Helper()
		got, err := store.Answered(f.repo, id)
		must(t, err)
		if !strings.Contains(string(got), want) {
			t.Errorf("answer %s: %s, want %s", id, got, want)
		}
	}
	question("1", `{"charts":[{"Name":"nova","Constraint":"10.1.0"}],"dryRun":true}`)
	answer("1", `"version":"10.1.0"`)
	wantNames(t, f.names(), "glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0", "nova-10.1.0")
	question("2", `{"charts":[{"Name":"nova","Constraint":"10.1.0"}]}`)
	answer("2", `"version":"10.1.0"`)
	wantNames(t, f.names(), "glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0")
	question("3", `{"charts":`)
	answer("3", `another version`)
	wantNames(t, f.names(), "glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0")
	if left := temporary(t, f.repo); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Whatever operation on the folder fails while it is pruned: what was asked for is done
// in the end, once, and who asked is told.
func TestPruneFaults(t *testing.T) {
	inMemory(t)
	for n, hit := 1, true; hit; n++ {
		f, _ := kept(t)
		r := f.open()
		must(t, store.Ask(f.repo, store.Question{ID: "x", Text: []byte(`{"charts":[{"Name":"nova","Constraint":"10.1.0"}]}`)}))
		d := &faults{err: syscall.EIO, n: n}
		f.fail(d.fail)
		err := r.pass(t.Context(), mail{})
		f.fail(nil)
		hit = d.hit != ""
		if n%2 == 0 {
			must(t, r.Close())
			r, err = Open(f.repo, f.opts)
			must(t, err)
		}
		if err := r.pass(t.Context(), rescan()); err != nil {
			t.Errorf("the pass after %s failed: %v", d.hit, err)
		}
		text, lost := store.Answered(f.repo, "x")
		must(t, lost)
		if text == nil && n%2 != 0 { // the next owner clears up answers that nobody has read
			t.Errorf("%s failed (%v): no answer", d.hit, err)
		}
		if q, err := r.store.Question(); q != nil || err != nil {
			t.Errorf("%s failed: the question is still there: %v", d.hit, err)
		}
		wantNames(t, f.names(), "glance-1.0.0", "nova-1.0.0", "nova-1.0.1", "nova-1.1.0")
		must(t, r.Close())
	}
}

// Whatever another process asks for: no live version goes, nor the last of a chart that is
// not named exactly.
func FuzzPrune(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"charts":[{"Name":"a","Constraint":"1.0.0"}]}`, `{"charts":[{"Name":"a","Constraint":"<2"},{"Name":"b"}],"keep":1}`,
		`{"keepFor":1,"notLive":true}`, `{"charts":[{"Name":"a","Constraint":"1.0.0+b"}]}`, `{"keep":-1}`, `{"charts":[{"Constraint":"*"}]}`,
	} {
		f.Add(text)
	}
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		var ask Prune
		if json.Unmarshal([]byte(text), &ask) != nil {
			return
		}
		s := &selection{live: map[string]string{"1.1.0": "charts/a"}}
		for i, version := range []string{"1.1.0", "1.0.0+b", "1.0.0", "1.0.0-rc1", "no version"} {
			s.versions = append(s.versions, &Version{Entry: &index.Entry{Name: "a", Version: version, Created: now.Add(-time.Duration(i) * time.Hour)}})
		}
		for _, live := range []bool{true, false} {
			if s.chosen, s.spared = nil, nil; !live {
				s.live = nil
			}
			s.prune(ask, make([]bool, len(ask.Charts)), now)
			if len(s.chosen) < len(s.versions) {
				continue
			}
			for _, v := range s.chosen {
				if live || !slices.ContainsFunc(ask.Charts, func(p chart.Pick) bool { return p.Name == "a" && p.Names(v.Entry.Version) }) {
					t.Errorf("%q: all versions go", text)
				}
			}
		}
	})
}
