package page

import (
	"fmt"
	"strings"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// A search is looked for in everything: a URL holds tens of thousands of words.
func TestWordsAreBounded(t *testing.T) {
	if got := wordsOf(" B a\tb A "); strings.Join(got, ",") != "a,b" {
		t.Errorf("got %q", got)
	}
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "%x ", i)
	}
	if got := len(wordsOf(many.String())); got > 20 {
		t.Errorf("%d words are looked for", got)
	}
}

func TestImagesAreBounded(t *testing.T) {
	var some strings.Builder
	for i := range 3 * maxImages {
		fmt.Fprintf(&some, "image: reg.example/a%d:1\n", i)
	}
	show := func(c *pkgr.Chart) (html, text string) {
		web := chartWith(entry(t, &chart.Metadata{Name: "web", Version: "1.0.0"}))
		s, err := NewSubject(frame(), viewOf(repo.Status{}, web), web, web.Versions[0])
		if err != nil {
			t.Fatal(err)
		}
		p := Images(s, new(Shelf).Images(web.Versions[0], c))
		return string(p.HTML()), string(p.Text())
	}
	html, text := show(chartOf("templates/a.yaml", some.String()))
	if rows := strings.Count(html, `<th scope="row">`); rows != maxImages || !strings.Contains(html, "The first 2000 are here") {
		t.Errorf("a page of %d rows", rows)
	}
	if lines := strings.Count(text, "\n"); lines != 3*maxImages {
		t.Errorf("the text has %d", lines)
	}
	for _, name := range []string{"templates/a.yaml", "values.yaml"} {
		html, text = show(chartOf(name, strings.Repeat("image: reg.example/a:1\n", maxLooked/20)))
		if strings.Contains(html, "reg.example") || !strings.Contains(html, "too many templates") || !strings.HasPrefix(text, "# too many") {
			t.Errorf("%s: a large chart is looked through: %.300s", name, text)
		}
	}
}

func TestMetadataIsBounded(t *testing.T) {
	md := &chart.Metadata{Name: "web", Version: "1.0.0"}
	for i := range 5_000 {
		md.Sources = append(md.Sources, fmt.Sprintf("http://example/source-%d", i))
		md.Keywords = append(md.Keywords, fmt.Sprintf("keyword-%d", i))
		md.Maintainers = append(md.Maintainers, &chart.Maintainer{Name: fmt.Sprintf("maintainer-%d", i)})
	}
	web := chartWith(entry(t, md))
	s, err := NewSubject(frame(), viewOf(repo.Status{}, web), web, web.Versions[0])
	if err != nil {
		t.Fatal(err)
	}
	html := string(Overview(s, chartOf(), Signature{}).HTML())
	for _, what := range []string{`rel="nofollow noopener noreferrer">http://example/source-`, "?q=keyword-", ", maintainer-"} {
		if n := strings.Count(html, what); n == 0 || n > maxListed {
			t.Errorf("%d of %q", n, what)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var st repo.Status
	for i := range 5_000 {
		st.Failures = append(st.Failures, repo.Failure{Path: fmt.Sprintf("charts/failed-%d", i), Reason: "no version"})
		st.Warnings = append(st.Warnings, repo.Warning{Path: fmt.Sprintf("charts/warned-%d", i), Message: "two of one name"})
	}
	v := viewOf(st)
	list, operations := List(frame(), v, Query{}), Operations(frame(), v, v.Status, false, nil)
	for name, test := range map[string]struct {
		page []byte
		what string
		most int
	}{
		"the list": {list.HTML(), "failed-", 100}, "the list as text": {list.Text(), "failed-", 100},
		"operations": {operations.HTML(), "failed-", 1000}, "operations as text": {operations.Text(), "failed-", 1000},
		"warnings": {operations.HTML(), "warned-", 1000}, "warnings as text": {operations.Text(), "warned-", 1000},
	} {
		if got := strings.Count(string(test.page), test.what); got != test.most {
			t.Errorf("%s: %d, want %d", name, got, test.most)
		}
	}
	if html := string(list.HTML()); !strings.Contains(html, "5000 charts can&#39;t be published") && !strings.Contains(html, "5000 charts can't be published") {
		t.Error("the list does not say how many there are")
	}
	if html := string(list.HTML()); !strings.Contains(html, `The first 100 are here: <a href="status">status</a> has all`) {
		t.Error("the list does not say where the rest is")
	}
	static := frame()
	static.Static = true
	if got := strings.Count(string(List(static, v, Query{}).HTML()), "failed-"); got != 5_000 {
		t.Errorf("among files the list has %d failures, and there is no other place for them", got)
	}
}

func TestFieldsAreBounded(t *testing.T) {
	md := func(version string) *chart.Metadata {
		md := &chart.Metadata{Name: "web", Version: version, Annotations: map[string]string{}}
		for i := range 3_000 {
			md.Annotations[fmt.Sprintf("annotation-%d", i)] = version
			md.Dependencies = append(md.Dependencies, &chart.Dependency{Name: fmt.Sprintf("dependency-%d", i), Version: version})
		}
		return md
	}
	web := chartWith(entry(t, md("2.0.0")), entry(t, md("1.0.0")))
	s, err := NewSubject(frame(), viewOf(repo.Status{}, web), web, web.Versions[0])
	if err != nil {
		t.Fatal(err)
	}
	p := Difference(s, web.Versions[1], &pkgr.Chart{Metadata: md("1.0.0")}, &pkgr.Chart{Metadata: md("2.0.0")}, new(Shelf))
	for form, text := range map[string]string{"HTML": string(p.HTML()), "text": string(p.Text())} {
		if a, d := strings.Count(text, "annotation-"), strings.Count(text, "dependency-"); a != shownFields || d != shownFields || !strings.Contains(text, "4000 more fields") {
			t.Errorf("%s: %d annotations and %d dependencies", form, a, d)
		}
	}
}
