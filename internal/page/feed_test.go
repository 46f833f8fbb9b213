package page

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// atom is a feed as its readers have it.
type atom struct {
	XMLName xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	ID      []string   `xml:"id"`
	Title   []string   `xml:"title"`
	Updated []string   `xml:"updated"`
	Author  []string   `xml:"author>name"`
	Links   []atomLink `xml:"link"`
	Entries []struct {
		ID      []string   `xml:"id"`
		Title   []string   `xml:"title"`
		Updated []string   `xml:"updated"`
		Links   []atomLink `xml:"link"`
		Summary []string   `xml:"summary"`
	} `xml:"entry"`
}

// parse reads a feed, and reports what RFC 4287 (4.1.1 and 4.1.2) does not let it be.
func parse(t *testing.T, text []byte) (a atom) {
	t.Helper()
	if err := xml.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	ids := map[string]bool{}
	check := func(id, title, updated []string) {
		if len(id) != 1 || len(title) != 1 || len(updated) != 1 || title[0] == "" {
			t.Errorf("one id, one title and one date are needed: %q %q %q", id, title, updated)
			return
		}
		if u, err := url.Parse(id[0]); err != nil || !u.IsAbs() || ids[id[0]] {
			t.Errorf("id %s is not a URI of its own (%v)", id[0], err)
		}
		ids[id[0]] = true
		if _, err := time.Parse(time.RFC3339, updated[0]); err != nil {
			t.Error(err)
		}
	}
	check(a.ID, a.Title, a.Updated)
	if len(a.Author) != 1 || a.Author[0] == "" || len(a.Links) != 2 || a.Links[0].Rel != "self" {
		t.Errorf("author %q, links %v", a.Author, a.Links)
	}
	last := a.Updated[0]
	for _, e := range a.Entries {
		check(e.ID, e.Title, e.Updated)
		if e.Updated[0] > last {
			t.Errorf("%s is behind an older one", e.Title)
		}
		last = e.Updated[0]
		if len(e.Links) != 1 || e.Links[0].Rel != "alternate" {
			t.Errorf("%s: links %v", e.Title, e.Links)
		}
	}
	return a
}

// published is a version of nova that was published so many days after another.
func published(t *testing.T, version string, days int, md chart.Metadata) *index.Entry {
	t.Helper()
	md.Name, md.Version, md.APIVersion = "nova", version, "v2"
	e, err := index.NewEntry(&md, "nova-"+version+".tgz", strings.Repeat("1a", 32), time.Date(2026, 1, 1+days, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestFeed(t *testing.T) {
	changes := "- kind: added\n  description: a <b> & c\n"
	nova := chartWith(published(t, "2.0.0", 2, chart.Metadata{}), published(t, "1.0.1", 7, chart.Metadata{Description: "Compute", Annotations: map[string]string{"artifacthub.io/changes": changes}}),
		published(t, "1.0.0", 0, chart.Metadata{Deprecated: true}))
	v := viewOf(repo.Status{}, chartWith(entry(t, &chart.Metadata{Name: "heat", Version: "1.0.0", APIVersion: "v2"})), nova)
	named := frame()
	named.URL = "https://charts.example.org/x/"
	below := frame()
	below.Root = "../../"
	for name, c := range map[string]struct {
		frame Frame
		chart *repo.Chart
		title string
		links []string
	}{
		"all":     {frame(), nil, "Helm Repository", []string{"feed.atom", "./", "chart/nova/1.0.1/", "chart/nova/2.0.0/", "chart/heat/1.0.0/", "chart/nova/1.0.0/"}},
		"named":   {named, nil, "Helm Repository", []string{"https://charts.example.org/x/feed.atom", "https://charts.example.org/x/", "https://charts.example.org/x/chart/nova/1.0.1/", "https://charts.example.org/x/chart/nova/2.0.0/", "https://charts.example.org/x/chart/heat/1.0.0/", "https://charts.example.org/x/chart/nova/1.0.0/"}},
		"a chart": {below, nova, "nova", []string{"../../chart/nova/feed.atom", "../../chart/nova/", "../../chart/nova/1.0.1/", "../../chart/nova/2.0.0/", "../../chart/nova/1.0.0/"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := Feed(c.frame, v, c.chart)
			a := parse(t, text)
			var links []string
			for _, l := range a.Links {
				links = append(links, l.URL)
			}
			for _, e := range a.Entries {
				links = append(links, e.Links[0].URL)
			}
			if diff := cmp.Diff(c.links, links); diff != "" || a.Title[0] != c.title || a.Updated[0] != "2026-01-08T00:00:00Z" {
				t.Errorf("%s, %s (-want +got):\n%s", a.Title[0], a.Updated[0], diff)
			}
			if got, want := a.Entries[0].Summary[0], "Compute\n\n"+strings.TrimSpace(changes); got != want || a.Entries[0].Title[0] != "nova 1.0.1" {
				t.Errorf("got %q", got)
			}
			if string(Feed(c.frame, v, c.chart)) != string(text) {
				t.Error("the same feed has other bytes")
			}
		})
	}
	parse(t, Feed(Frame{}, viewOf(repo.Status{}), nil))
	if a, b := parse(t, Feed(frame(), v, nil)), parse(t, Feed(named, v, nil)); a.Entries[0].ID[0] != b.Entries[0].ID[0] {
		t.Error("what the repository's address is has changed the id of a version")
	}
}

// A feed has the newest versions alone, and each is bounded.
func TestFeedIsBounded(t *testing.T) {
	a := parse(t, Feed(frame(), many(t, 30, 10), nil))
	if len(a.Entries) != maxNews {
		t.Errorf("%d entries", len(a.Entries))
	}
	long := chartWith(published(t, "1.0.0", 0, chart.Metadata{Description: strings.Repeat("ü", maxSummary)}))
	if got := parse(t, Feed(frame(), viewOf(repo.Status{}, long), nil)).Entries[0].Summary[0]; len(got) > maxSummary+3 || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%d bytes, %q at the end", len(got), got[len(got)-6:])
	}
}

// What a chart says is text in feeds and badges, whatever it is.
func FuzzFeedAndBadge(f *testing.F) {
	f.Add("nova", `1.0.0"><script>alert(1)</script>`, "\x00\x1b]]>&\xff")
	f.Add("<script>", "1.0.0", "")
	f.Fuzz(func(t *testing.T, name, version, description string) {
		e := &index.Entry{Name: name, Version: version, Description: description, Digest: "1a"}
		e.Record = fmt.Appendf(nil, `{"annotations":{"artifacthub.io/changes":%q}}`, description)
		c := &repo.Chart{Name: name, Versions: []*repo.Version{{Entry: e, Archive: &repo.File{Name: "x.tgz"}}}}
		v := viewOf(repo.Status{}, c)
		for text, known := range map[string]string{
			string(Feed(frame(), v, c)): "feed id title updated author name link entry summary",
			string(Badge(c)):            "svg title clipPath rect g text",
			string(SignedBadge(v, c)):   "svg title clipPath rect g text",
		} {
			for d := xml.NewDecoder(strings.NewReader(text)); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%v:\n%s", err, text)
				}
				if e, ok := token.(xml.StartElement); ok && !strings.Contains(" "+known+" ", " "+e.Name.Local+" ") {
					t.Errorf("it has an element %s", e.Name.Local)
				}
			}
		}
	})
}

func TestBadge(t *testing.T) {
	old := published(t, "1.0.0+a", 0, chart.Metadata{Deprecated: true})
	for want, c := range map[string]*repo.Chart{
		"nova: 1.1.0": chartWith(published(t, "1.1.0", 0, chart.Metadata{}), old), "nova: 1.0.0+a deprecated": chartWith(old),
	} {
		got := string(Badge(c))
		if !strings.Contains(got, `role="img" aria-label="`+want+`"`) || !strings.Contains(got, "<title>"+want+"</title>") || strings.Contains(got, "http://h") {
			t.Errorf("no %s:\n%s", want, got)
		}
		for _, colour := range regexp.MustCompile(`<rect[^>]*fill="#(\w{6})"`).FindAllStringSubmatch(got, -1) {
			if c := contrastWithWhite(t, colour[1]); c < 4.5 {
				t.Errorf("white on #%s has a contrast of %.1f", colour[1], c)
			}
		}
	}
	long := chartWith(published(t, "1.0.0", 0, chart.Metadata{}))
	long.Name = strings.Repeat("w", 250)
	if got := string(Badge(long)); !strings.Contains(got, ">"+strings.Repeat("w", maxBadge-1)+"…</text>") || !strings.Contains(got, "<title>"+long.Name+": 1.0.0</title>") {
		t.Errorf("a long name:\n%s", got)
	}
}

// A badge of signatures is of the provenance of the newest version's own bytes.
func TestSignedBadge(t *testing.T) {
	c := chartWith(published(t, "1.0.0", 0, chart.Metadata{}))
	c.Versions[0].Archive = &repo.File{Name: "nova-1.0.0.tgz", Archive: true, ETag: `"1a"`}
	for _, colour := range []string{badgeGrey, badgeGood} {
		if c := contrastWithWhite(t, colour[1:]); c < 4.5 {
			t.Errorf("white on %s has a contrast of %.1f", colour, c)
		}
	}
	for want, files := range map[string][]*repo.File{
		"nova: not signed": {c.Versions[0].Archive}, "nova: signed": {c.Versions[0].Archive, {Name: "nova-1.0.0.tgz.prov"}},
	} {
		if got := string(SignedBadge(repo.NewView(nil, files...), c)); !strings.Contains(got, "<title>"+want+"</title>") {
			t.Errorf("no %s:\n%s", want, got)
		}
	}
}

// contrastWithWhite is that of WCAG 2.2.
func contrastWithWhite(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 { return math.Pow((float64(c&0xff)/255+0.055)/1.055, 2.4) }
	return 1.05 / (0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n) + 0.05)
}

// A sitemap has absolute addresses alone, each once, and no more than the protocol allows.
func TestSitemap(t *testing.T) {
	f := frame()
	f.URL, f.Root = "https://charts.example.org/x", "../"
	if got, want := string(Sitemap(f, sample(t))), []string{"", "chart/cinder/", "chart/cinder/0.1.0/", "chart/heat/", "chart/heat/0.1.0/", "chart/nova/", "chart/nova/1.1.0+a/"}; strings.Count(got, "<loc>") != len(want) {
		t.Errorf("got:\n%s", got)
	} else {
		for _, path := range want {
			if !strings.Contains(got, "<loc>https://charts.example.org/x/"+path+"</loc>\n  <lastmod>2026-01-02T03:04:05Z</lastmod>") {
				t.Errorf("no %s in:\n%s", path, got)
			}
		}
	}
	var read sitemap
	if err := xml.Unmarshal(Sitemap(f, many(t, maxSitemap/2+10, 1)), &read); err != nil || len(read.Pages) != maxSitemap-1 {
		t.Errorf("%d pages (%v)", len(read.Pages), err)
	}
}
