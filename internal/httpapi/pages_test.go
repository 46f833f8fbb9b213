package httpapi

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
)

// From wherever a page is shown, its links lead to what they say.
func TestLinksOfPages(t *testing.T) {
	for context, pages := range map[string][]string{
		"/charts":      {"/", "/charts", "/charts/", "/charts/index", "/charts/index.html", "/index.html", "/chart/heat/", "/charts/chart/heat/1.0.0/"},
		"/":            {"/", "/index", "/index.html", "/chart/heat/versions/"},
		"/helm/stable": {"/", "/helm/stable/", "/helm/stable/index.html", "/helm/stable/chart/heat/1.0.0/", "/chart/heat/"},
	} {
		f := newFixture(t, Options{ContextPath: context})
		f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", string(chartArchive(t, "nova", "1.0.0", nil))), f.heat))
		for _, page := range pages {
			base, err := url.Parse("http://h" + page)
			if err != nil {
				t.Fatal(err)
			}
			links := regexp.MustCompile(`(?:href|src)="([^"#][^"]*)"`).FindAllStringSubmatch(text(t, f.get(page)), -1)
			if len(links) < 8 {
				t.Fatalf("%s: only %d links", page, len(links))
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
