package httpapi

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
)

// From wherever the page is shown, its links lead to what they say.
func TestLinksOfThePage(t *testing.T) {
	for context, pages := range map[string][]string{
		"/charts":      {"/", "/charts", "/charts/", "/charts/index", "/charts/index.html", "/index.html"},
		"/":            {"/", "/index", "/index.html"},
		"/helm/stable": {"/", "/helm/stable/", "/helm/stable/index.html"},
	} {
		f := newFixture(t, Options{ContextPath: context})
		f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", "c"), f.write("heat-1.0.0.tgz", "d")))
		for _, page := range pages {
			base, err := url.Parse("http://h" + page)
			if err != nil {
				t.Fatal(err)
			}
			links := regexp.MustCompile(`href="([^"#][^"]*)"`).FindAllStringSubmatch(text(t, f.get(page)), -1)
			if len(links) != 5 {
				t.Fatalf("%s: %d links, want an icon, two archives and two forms of the index", page, len(links))
			}
			for _, link := range links {
				to, err := base.Parse(html.UnescapeString(link[1]))
				if err != nil {
					t.Fatal(err)
				}
				if got := f.get(to.RequestURI()); got.StatusCode != http.StatusOK {
					t.Errorf("context %s, page %s: %s leads to %s: %s", context, page, link[1], to.Path, got.Status)
				}
			}
		}
	}
}
