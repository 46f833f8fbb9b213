package page

import (
	"encoding/xml"
	"fmt"

	"chartserve/internal/repo"
)

// maxSitemap is the protocol's, in URLs (sitemaps.org).
const maxSitemap = 50_000

// sitemap is what search engines read.
type sitemap struct {
	XMLName xml.Name     `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	Pages   []sitemapURL `xml:"url"`
}

type sitemapURL struct {
	Location string `xml:"loc"`
	Modified string `xml:"lastmod,omitempty"`
}

// Sitemap is the sitemap of the list, of the charts of v and of their newest versions, the
// first 50,000 of them. f has a URL.
func Sitemap(f Frame, v *repo.View) []byte {
	f = f.absolute()
	out := sitemap{Pages: []sitemapURL{{f.Home(), atomTime(v.Index.Generated)}}}
	for c := range v.Charts() {
		if len(out.Pages)+2 > maxSitemap {
			break
		}
		e := c.Versions[0].Entry
		out.Pages = append(out.Pages, sitemapURL{f.ChartURL(c.Name), atomTime(c.Changed())}, sitemapURL{f.VersionURL(e.Name, e.Version), atomTime(e.Created)})
	}
	text, err := xml.MarshalIndent(out, "", " ")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // these types have no errors
	}
	return append([]byte(xml.Header), append(text, '\n')...)
}
