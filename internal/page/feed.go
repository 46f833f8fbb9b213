package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartserve/internal/repo"
)

const (
	// FeedType is the Content-Type of a feed.
	FeedType = "application/atom+xml; charset=utf-8"
	// maxNews bounds the versions that a feed has.
	maxNews = 100
	// maxSummary bounds what a feed says of a version, in bytes.
	maxSummary = 4 << 10
)

// feed is an Atom feed (RFC 4287). Its elements stand in the order that readers show.
type feed struct {
	XMLName xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Author  string     `xml:"author>name"`
	Links   []atomLink `xml:"link"`
	Entries []news     `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	URL  string `xml:"href,attr"`
}

// news are one version of a chart in a feed.
type news struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary,omitempty"`
}

// Feed is the Atom feed of the versions that were published last: of the chart c, or of all
// charts of v where c is nil. Links are absolute where the operator named the repository's
// URL. Else they are relative, and readers take them from the feed's own address.
func Feed(f Frame, v *repo.View, c *repo.Chart) []byte {
	f = f.absolute()
	title, home, self := "Helm Repository", f.Home(), f.Root+"feed.atom"
	if f.Name != "" {
		title += " " + f.Name
	}
	if c != nil {
		title, home, self = c.Name, f.ChartURL(c.Name), f.ChartURL(c.Name)+"feed.atom"
	}
	out := feed{
		ID: newID("feed", f.Address(), f.Name, title), Title: title, Author: cmp.Or(f.Name, "Helm Repository"), Updated: atomTime(v.Index.Generated),
		Links: []atomLink{{"self", "application/atom+xml", self}, {"alternate", "text/html", home}},
	}
	for i, version := range newest(v, c) {
		n := f.news(version)
		if i == 0 {
			out.Updated = n.Updated
		}
		out.Entries = append(out.Entries, n)
	}
	text, err := xml.MarshalIndent(out, "", " ")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // these types have no errors
	}
	return append([]byte(xml.Header), append(text, '\n')...)
}

// newest are the versions that were published last, the last one first.
func newest(v *repo.View, c *repo.Chart) (all []*repo.Version) {
	if c != nil {
		all = slices.Clone(c.Versions)
	} else {
		for c := range v.Charts() {
			all = append(all, c.Versions...)
		}
	}
	slices.SortStableFunc(all, func(a, b *repo.Version) int { return b.Entry.Created.Compare(a.Entry.Created) })
	return all[:min(len(all), maxNews)]
}

// news is a version in a feed. Other bytes under the same version are news of their own.
func (f Frame) news(v *repo.Version) news {
	e := v.Entry
	n := news{
		ID: newID("version", e.Name, e.Version, e.Digest), Title: e.Name + " " + e.Version, Updated: atomTime(e.Created),
		Link: atomLink{"alternate", "text/html", f.VersionURL(e.Name, e.Version)},
	}
	parts := []string{e.Description}
	if e.Deprecated {
		parts = append(parts, "This chart is deprecated.")
	}
	if md, err := e.Metadata(); err == nil {
		parts = append(parts, md.Annotations["artifacthub.io/changes"])
	}
	n.Summary = cut(strings.TrimSpace(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n\n")), maxSummary)
	return n
}

// absolute is f with URLs that begin with the one that the operator has named; f itself
// where there is none.
func (f Frame) absolute() Frame {
	if f.URL != "" {
		f.Root = strings.TrimSuffix(f.URL, "/") + "/"
	}
	return f
}

// newID is a URN that is the same wherever and whenever it is made of the same parts: a UUID
// of version 8 (RFC 9562) with the first bits of their SHA-256.
func newID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// cut is the beginning of text, of at most so many bytes and whole letters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:most]), nil)) + "…"
}
