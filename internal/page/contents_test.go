package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// onShelf is a version with its contents, of about this size.
func onShelf(digest string, size int) (*repo.Version, *pkgr.Chart) {
	c := &pkgr.Chart{Metadata: &chart.Metadata{}, Files: []pkgr.File{{Name: "values.yaml", Data: make([]byte, size)}}}
	return &repo.Version{Entry: &index.Entry{Digest: digest}}, c
}

func (s *Shelf) putChart(v *repo.Version, c *pkgr.Chart) {
	s.put(&book{shelfmark{v.Entry.Digest, ofContents}, c, sizeOf(c)})
}

// What was asked for last is kept, and no more than is bounded.
func TestShelf(t *testing.T) {
	var s Shelf
	first, c := onShelf("first", 1<<20)
	s.putChart(first, c)
	for i := range 100 {
		v, c := onShelf(fmt.Sprint(i), 1<<20)
		s.putChart(v, c)
		if s.Get(v) != c || s.Get(first) == nil {
			t.Fatalf("%d: what was asked for last is gone", i)
		}
		if s.size > maxKept || s.order.Len() != len(s.books) || s.order.Len() > maxKept>>20 {
			t.Fatalf("%d: %d things of %d bytes are kept, %d can be found", i, s.order.Len(), s.size, len(s.books))
		}
	}
	old, _ := onShelf("1", 0)
	if s.Get(old) != nil {
		t.Error("what nobody asked for is kept")
	}
	size := s.size
	s.putChart(first, c)
	if s.size != size {
		t.Error("the same thing counts twice")
	}
}

func TestShelfKeepsNothingLarge(t *testing.T) {
	var s Shelf
	small, c := onShelf("small", 10)
	s.putChart(small, c)
	large, c := onShelf("large", maxKeptBook)
	s.putChart(large, c)
	if s.Get(large) != nil || s.Get(small) == nil {
		t.Error("one chart takes the place of all others")
	}
	for i := range 2 * maxKept / minKept { // the smallest count too
		v, c := onShelf(fmt.Sprint(i), 0)
		s.putChart(v, c)
	}
	if n := s.order.Len(); n > maxKept/minKept {
		t.Errorf("%d empty charts are kept", n)
	}
}

// Pages of several versions are made at once; under -race.
func TestShelfIsShared(t *testing.T) {
	var s Shelf
	var all sync.WaitGroup
	tiny := chartOf("values.yaml", "image: a/b:1\n")
	for i := range 8 {
		all.Go(func() {
			for j := range 40 {
				v, c := onShelf(fmt.Sprint((3*i+j)%40), 2<<20)
				s.putChart(v, c)
				if got := s.Get(v); got != nil && got.Files[0].Name != "values.yaml" {
					t.Error("another thing")
				}
				if f := s.Images(v, tiny); len(f.Images) != 1 {
					t.Errorf("%d images", len(f.Images))
				}
				if k := s.Keys(v, tiny); len(k.table.Keys) != 1 {
					t.Errorf("%d keys", len(k.table.Keys))
				}
			}
		})
	}
	all.Wait()
	var sum int64
	for e := s.order.Front(); e != nil; e = e.Next() {
		sum += e.Value.(*book).size
	}
	if sum != s.size || sum > maxKept || len(s.books) != s.order.Len() {
		t.Errorf("%d bytes are kept, %d counted", sum, s.size)
	}
}

// chartOf is a chart with these files, by pairs of name and content.
func chartOf(files ...string) *pkgr.Chart {
	c := &pkgr.Chart{Metadata: &chart.Metadata{Name: "nova"}}
	for i := 0; i < len(files); i += 2 {
		c.Files = append(c.Files, pkgr.File{Name: files[i], Data: []byte(files[i+1])})
	}
	return c
}

func valuesHTML(t *testing.T, q Query, files ...string) string {
	t.Helper()
	c := chartOf(files...)
	html := string(Values(subject(t, sample(t), "nova"), c, readKeys(c), q).HTML())
	wantBalanced(t, html)
	return html
}

func TestValues(t *testing.T) {
	var many strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&many, "# option number %d\noption%d: %d\n", i, i, i)
	}
	for name, test := range map[string]struct {
		query     Query
		files     []string
		want, not []string
	}{
		"broken": {Query{}, []string{"values.yaml", "a: 1\nb: [\n"},
			[]string{`href="#L2">line 2</a>`, `id="L2"`}, []string{"<table", `role="search" class="query"`}},
		"no mapping": {Query{}, []string{"values.yaml", "- a\n"}, []string{"must be a mapping", `id="L1"`}, []string{"<table"}},
		"none":       {Query{}, nil, []string{"has no values.yaml"}, []string{"<table", "keys"}},
		"empty":      {Query{}, []string{"values.yaml", ""}, []string{`<pre class="source"`}, []string{"<table", "has no values.yaml"}},
		"schema only": {Query{}, []string{"values.schema.json", `{"properties":{"a":{"default":1}}}`},
			[]string{"only in the schema", "<code>1</code>", "has no values.yaml", "files/values.schema.json/"}, []string{"#L"}},
		"schema broken": {Query{}, []string{"values.yaml", "a: 1", "values.schema.json", "{"}, []string{"not valid JSON", `id="key-a"`}, nil},
		"many": {Query{}, []string{"values.yaml", many.String()},
			[]string{"30000 keys", "page 1 of 15", `href="?page=2"`, `id="key-option1999"`, "Only the beginning is shown"}, []string{`id="key-option2000"`, "data-filter", `id="L20001"`}},
		"many, last page": {Query{Page: 14}, []string{"values.yaml", many.String()}, []string{"page 15 of 15", `id="key-option29999"`}, []string{"#L60000"}},
		"searched": {Query{Text: "NUMBER 29998"}, []string{"values.yaml", many.String()},
			[]string{"1 of 30000 keys", `id="key-option29998"`, `value="NUMBER 29998"`}, []string{`id="key-option29999"`, "page 1", "data-filter"}},
		"found nothing": {Query{Text: "none"}, []string{"values.yaml", "a: 1"}, []string{"0 of 1 key<", "All keys"}, []string{"<table"}},
		"deprecated":    {Query{}, []string{"values.yaml", "# DEPRECATED: use b\na: 1\n"}, []string{`<span class="mark old">deprecated`, "data-filter"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			html := valuesHTML(t, test.query, test.files...)
			for _, want := range test.want {
				if !strings.Contains(html, want) {
					t.Errorf("no %s", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(html, not) {
					t.Errorf("there is %s", not)
				}
			}
			if len(html) > 4<<20 {
				t.Errorf("the page has %d bytes", len(html))
			}
		})
	}
}

// Links of the table lead to lines that are there.
func TestLinesOfKeys(t *testing.T) {
	for name, text := range map[string]string{
		"no newline": "a: 1\nb: 2", "newline": "a: 1\nb: 2\n", "CRLF": "a: 1\r\nb: 2\r\n",
		"long": "a: " + strings.Repeat("x", 600<<10) + "\nb: 1\n",
	} {
		html := valuesHTML(t, Query{}, "values.yaml", text)
		for _, line := range []string{"1", "2"} {
			if strings.Contains(html, `href="#L`+line+`">line`) != strings.Contains(html, `id="L`+line+`"`) {
				t.Errorf("%s: the link to line %s and the line are not there both", name, line)
			}
		}
	}
}

// Searching does not change what is kept.
func TestSearchKeepsKeys(t *testing.T) {
	c := chartOf("values.yaml", "a: 1\nb: 2\nc: 3\n")
	k := readKeys(c)
	before := string(Values(subject(t, sample(t), "nova"), c, k, Query{}).HTML())
	Values(subject(t, sample(t), "nova"), c, k, Query{Text: "c"}).HTML()
	if string(Values(subject(t, sample(t), "nova"), c, k, Query{}).HTML()) != before {
		t.Error("the table has changed")
	}
}

// The first page leads to what is worth reading and not shown there.
func TestToRead(t *testing.T) {
	files := []string{"Chart.yaml", "", "README.md", "x", "LICENSE", "", "crds/a.yaml", "", "templates/NOTES.txt", "", "templates/x.yaml", "", "values.schema.json", "", "crds/\x01.yaml", ""}
	to := regexp.MustCompile(`/files/([^"]+)/"`)
	found := func(s Subject, files ...string) (names []string) {
		for _, m := range to.FindAllStringSubmatch(string(Overview(s, chartOf(files...), Signature{}).HTML()), -1) {
			names = append(names, m[1])
		}
		return names
	}
	s := subject(t, sample(t), "nova")
	if got, want := found(s, files...), []string{"LICENSE", "templates/NOTES.txt", "values.schema.json", "crds/a.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i := range 20 {
		files = append(files, fmt.Sprintf("crds/%d.yaml", i), "")
	}
	if html := string(Overview(s, chartOf(files...), Signature{}).HTML()); len(found(s, files...)) != maxToRead || !strings.Contains(html, "16 files more") {
		t.Error("not as many files as may be, or not how many more there are")
	}
	s.Static = true
	if got := found(s, files...); got != nil {
		t.Errorf("among files: %q", got)
	}
}

func TestFiles(t *testing.T) {
	files := []string{"Chart.yaml", "", "templates/NOTES.txt", "", "LICENSE", "", "README.md", "", `a\b`, "", "c\x01d", "", "\xff", "", "templates/x.yaml", ""}
	c := chartOf(files...)
	html := string(Files(subject(t, sample(t), "nova"), c).HTML())
	at := -1
	for _, name := range []string{"To read first", ">README.md<", ">templates/NOTES.txt<", ">LICENSE<", "Metadata and values", ">Chart.yaml<", ">Templates<", ">templates/x.yaml<", "Other files", `a\b`} {
		next := strings.Index(html, name)
		if next <= at {
			t.Errorf("%s is not there, or not in its place", name)
		}
		at = next
	}
	if strings.Count(html, "/files/") != len(files)/2-3+1 { // and the tab
		t.Errorf("not each file that a URL can name is a link, and no other: %s", html)
	}
	for range maxFiles {
		c.Files = append(c.Files, pkgr.File{Name: "many"})
	}
	if html := string(Files(subject(t, sample(t), "nova"), c).HTML()); !strings.Contains(html, "8 files more") || strings.Count(html, "<small>0 bytes</small>") != maxFiles {
		t.Error("not as many files are listed as may be")
	}
}
