package diff

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

var update = flag.Bool("update", false, "write the golden file")

func side(md *chart.Metadata, files ...string) Side {
	s := Side{Metadata: md}
	for i := 0; i < len(files); i += 2 {
		s.Files = append(s.Files, pkgr.File{Name: files[i], Data: []byte(files[i+1])})
	}
	return s
}

func TestCompareGolden(t *testing.T) {
	before := side(&chart.Metadata{
		Name: "web", Version: "1.0.0", AppVersion: "2.1", Home: "https://web.local", KubeVersion: ">=1.28",
		Sources: []string{"https://a.local"}, Maintainers: []*chart.Maintainer{{Name: "Ann", Email: "ann@web.local"}, nil},
		Annotations: map[string]string{"gone": "x", "same": "y"},
		Dependencies: []*chart.Dependency{
			{Name: "db", Version: "1.x", Repository: "https://charts.local"}, {Name: "gone", Version: "1.0.0"},
			{Name: "cache", Alias: "one", Version: "1.0.0"}, {Name: "cache", Alias: "two", Version: "1.0.0"}, nil,
		},
	},
		"values.yaml", "replicas: 1\nimage:\n  tag: a\n  pull: Always\n",
		"templates/a.yaml", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nlast",
		"templates/old.yaml", "moved\n", "templates/gone.yaml", "was here\n", "logo.png", "\x89PNG\x00", "empty", "", "same", "same")
	after := side(&chart.Metadata{
		Name: "web", Version: "1.1.0", AppVersion: "2.2", Home: "https://web.local", Deprecated: true,
		Sources: []string{"https://a.local", "https://b.local"}, Maintainers: []*chart.Maintainer{{Name: "Bob", URL: "https://bob.local"}},
		Annotations: map[string]string{"new": "z", "same": "y"},
		Dependencies: []*chart.Dependency{
			{Name: "db", Version: "2.x", Repository: "oci://charts.local", Condition: "db.enabled"},
			{Name: "cache", Alias: "one", Version: "1.0.0"}, {Name: "cache", Alias: "two", Version: "1.0.1"}, {Name: "new", Version: "3"},
		},
	},
		"values.yaml", "replicas: 2\nimage:\n  tag: a\nextra: {a: 1}\n",
		"templates/a.yaml", "1\n2\nthree\n4\n5\n6\n7\n8\n9\n10\n11\n12\nlast\n",
		"templates/new.yaml", "moved\n", "templates/added.yaml", "is here", "logo.png", "\x89PNG\x00more", "blank", "", "same", "same")
	data, err := json.MarshalIndent(Compare(before, after, Options{}), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := string(data) + "\n"
	const golden = "testdata/compare.golden.json"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

func TestNoDifference(t *testing.T) {
	s := side(&chart.Metadata{Name: "a", Dependencies: []*chart.Dependency{{Name: "b"}}}, "values.yaml", "a: [", "x", "\x00")
	if diff := cmp.Diff(&Difference{ValuesProblem: `values.yaml:1: not valid YAML: did not find expected node content`}, Compare(s, s, Options{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(new(Difference), Compare(Side{}, Side{}, Options{})); diff != "" {
		t.Error(diff)
	}
}

func TestOf(t *testing.T) {
	sub := func(name, data string, subs ...*pkgr.Chart) *pkgr.Chart {
		return &pkgr.Chart{Metadata: &chart.Metadata{Name: name}, Files: []pkgr.File{{Name: "f", Data: []byte(data)}}, Subcharts: subs}
	}
	got := map[string]string{}
	for _, f := range Of(sub("a", "1", sub("b", "2", sub("c", "3")), sub("b", "4"))).Files {
		got[f.Name] = string(f.Data)
	}
	want := map[string]string{"f": "1", "charts/b/f": "2", "charts/b/charts/c/f": "3", "charts/b-2/f": "4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBounds(t *testing.T) {
	many := func(from, n int) (s string) {
		for i := range n {
			s += fmt.Sprintf("k%d: %d\n", i, from+i)
		}
		return s
	}
	before := side(nil, "values.yaml", many(0, 30), "a", many(0, 30), "b", many(0, 30), "c", "1\n")
	after := side(nil, "values.yaml", many(1, 30), "a", many(1, 30), "b", many(1, 30), "c", "2\n")
	d := Compare(before, after, Options{Values: 10, Files: 3, Lines: 8, Total: 12})
	if len(d.Values) != 10 || d.MoreValues != 20 || len(d.Files) != 3 || d.MoreFiles != 1 {
		t.Errorf("got %d values and %d more, %d files and %d more", len(d.Values), d.MoreValues, len(d.Files), d.MoreFiles)
	}
	for i, want := range []int{8, 4, 0} {
		f, shown := d.Files[i], 0
		for _, h := range f.Hunks {
			shown += len(h.Lines)
		}
		if shown != want || !f.Cut {
			t.Errorf("%s: %d lines, cut %v", f.Name, shown, f.Cut)
		}
	}
	if f := d.Files[0]; f.Added != 30 || f.Removed != 30 || f.Hunks[0].BeforeLines != 8 || f.Hunks[0].AfterLines != 0 {
		t.Errorf("got +%d -%d, %s", f.Added, f.Removed, f.Hunks[0].Header())
	}

	long := Texts("", strings.Repeat("ö", maxLine))
	if text := long.Hunks[0].Lines[0].Text; !long.Cut || len(text) > maxLine+3 || !strings.HasSuffix(text, "ö…") {
		t.Errorf("%d bytes of a line, cut %v", len(text), long.Cut)
	}
	if late := Texts(strings.Repeat("a\n", maxLines)+"b", strings.Repeat("a\n", maxLines)+"c"); !late.Cut || len(late.Hunks) > 0 {
		t.Errorf("got %+v", late)
	}
}

func TestInputIsBounded(t *testing.T) {
	left := bounds{lines: 10, bytes: 10, input: 3}
	if text := left.compare("a", "b", 10); text.Cut || len(text.Hunks) != 1 {
		t.Errorf("within the bound: %+v", text)
	}
	if text := left.compare("a", "b", 10); !text.Cut || len(text.Hunks) > 0 {
		t.Errorf("beyond it: %+v", text)
	}
}

// Each file that is gone is one file's former name at most.
func TestRenamed(t *testing.T) {
	for name, test := range map[string]struct {
		before, after []string
		want          string
	}{
		"two of two":    {[]string{"a", "1", "b", "1"}, []string{"c", "1", "d", "1"}, "a>c renamed, b>d renamed"},
		"one of two":    {[]string{"a", "1", "b", "1"}, []string{"c", "1"}, "b removed, a>c renamed"},
		"two of one":    {[]string{"a", "1"}, []string{"c", "1", "d", "1"}, "a>c renamed, d added"},
		"copied":        {[]string{"a", "1"}, []string{"a", "1", "b", "1"}, "b added"},
		"empty":         {[]string{"a", ""}, []string{"b", ""}, "a removed, b added"},
		"to other text": {[]string{"a", "1"}, []string{"b", "2"}, "a removed, b added"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range Compare(side(nil, test.before...), side(nil, test.after...), Options{}).Files {
				if f.From != "" {
					f.Name = f.From + ">" + f.Name
				}
				got = append(got, f.Name+" "+string(f.Kind))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// Contents that have nothing in common, or much of it many times, take bounded time and
// memory, as large as Helm takes them.
func TestHostileIsBounded(t *testing.T) {
	letters := func(seed uint64) string {
		r := rand.New(rand.NewPCG(seed, 0))
		b := make([]byte, 0, 5<<20)
		for len(b) < cap(b) {
			b = append(b, "abc"[r.IntN(3)], '\n')
		}
		return string(b)
	}
	lines := func(seed uint64) string {
		var b strings.Builder
		for i := 0; b.Len() < 5<<20; i++ {
			fmt.Fprintf(&b, "%d: this line is nowhere else, %d\n", seed, i)
		}
		return b.String()
	}
	for name, texts := range map[string][2]string{
		"nothing in common": {lines(1), lines(2)},
		"few letters":       {letters(1), letters(2)},
		"line breaks":       {strings.Repeat("\n", 5<<20), strings.Repeat("\n", 5<<20-1) + "x"},
		"one line":          {strings.Repeat("a", 5<<20), strings.Repeat("b", 5<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			text := Texts(texts[0], texts[1])
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 5*time.Second || allocated > 200 || !text.Cut {
				t.Errorf("took %v and %d MB, cut %v", took, allocated, text.Cut)
			}
			t.Log(took)
		})
	}
}

// apply makes after of before.
func apply(t *testing.T, before string, text Text) string {
	t.Helper()
	old := strings.SplitAfter(before, "\n")
	var b strings.Builder
	at, line := 0, 1 // of old from 0, and of what is made from 1
	for _, h := range text.Hunks {
		counted := Hunk{}
		for _, l := range h.Lines {
			for ; l.Before > 0 && at < l.Before-1; at++ {
				b.WriteString(old[at])
				line++
			}
			whole := l.Text
			if !l.Open {
				whole += "\n"
			}
			if l.Op != OpAdded {
				counted.BeforeLines++
				if whole != old[at] {
					t.Fatalf("line %d is %q, and not %q", l.Before, old[at], whole)
				}
				at++
			}
			if l.Op != OpRemoved {
				counted.AfterLines++
				if l.After != line {
					t.Fatalf("line %d of what is new is numbered %d", line, l.After)
				}
				b.WriteString(whole)
				line++
			}
		}
		if counted.BeforeLines != h.BeforeLines || counted.AfterLines != h.AfterLines {
			t.Fatalf("%s has %d and %d lines", h.Header(), counted.BeforeLines, counted.AfterLines)
		}
	}
	return b.String() + strings.Join(old[at:], "")
}

func FuzzTexts(f *testing.F) {
	f.Add("", "a")
	f.Add("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nB\nc\nd\ne\nf\ng\nx\nh")
	f.Add("\\ No newline at end of file\n", "\n\\ No newline at end of file")
	f.Add("@@ -1,1 +1,1 @@\n", "--- a\n+++ b\r\n\x00")
	f.Fuzz(func(t *testing.T, before, after string) {
		text := Texts(before, after)
		if text.Cut {
			return
		}
		if got := apply(t, before, text); got != after {
			t.Errorf("the hunks make %q of %q, and not %q", got, before, after)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("values.yaml", []byte("a: 1\n"), []byte("a: &x [*x]\n"), "b", "c")
	f.Add("values.yaml", []byte("a\x00"), []byte(""), "values.yaml", "c")
	f.Fuzz(func(t *testing.T, name string, before, after []byte, other, text string) {
		was := Side{Metadata: &chart.Metadata{Name: text, Annotations: map[string]string{other: text}}, Files: []pkgr.File{{Name: name, Data: before}, {Name: other, Data: after}}}
		is := Side{Metadata: &chart.Metadata{Name: other, Dependencies: []*chart.Dependency{{Name: text}}}, Files: []pkgr.File{{Name: name, Data: after}}}
		forth, back := Compare(was, is, Options{}), Compare(is, was, Options{})
		if len(forth.Files) != len(back.Files) || len(forth.Metadata) != len(back.Metadata) {
			t.Errorf("there %+v, and back %+v", forth, back)
		}
		for _, file := range forth.Files {
			if file.Kind == Changed && !file.Binary && !file.Cut {
				if got := apply(t, string(before), file.Text); got != string(after) {
					t.Errorf("the hunks make %q of %q, and not %q", got, before, after)
				}
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	var before, after strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&before, "key%d:\n  image: registry.local/part\n  ports: [80, 443]\n", i)
		fmt.Fprintf(&after, "key%d:\n  image: registry.local/part\n  ports: [80, %d]\n", i, i%100)
	}
	was, is := side(nil, "values.yaml", before.String()), side(nil, "values.yaml", after.String())
	for b.Loop() {
		Compare(was, is, Options{})
	}
}
