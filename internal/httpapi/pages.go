package httpapi

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// Pages renders the list that a browser sees. It is a repo.Pages; rendering
// happens when the repository changes, not when the page is asked for.
type Pages struct{ address string }

var _ repo.Pages = Pages{}

// NewPages makes the pages. address is for the hint how to add the repository:
// its URL where that is known, or the context path, which is shown with the
// default host and port.
func NewPages(address string) Pages {
	if strings.HasPrefix(address, "/") || address == "" {
		address = "http://localhost:8879" + strings.TrimRight(address, "/")
	}
	return Pages{address}
}

// Rows renders one chart: its newest version, and the others folded away.
func (p Pages) Rows(name string, versions []*index.Entry) []byte {
	if len(versions) == 0 {
		return nil
	}
	newest, older := versions[0], versions[1:]
	b := make([]byte, 0, 512+160*len(older))
	b = append(b, `<li id="`...)
	b = appendText(b, name)
	b = append(b, "\">\n<h2><a href=\"#"...)
	b = appendText(b, url.PathEscape(name))
	b = append(b, `">`...)
	b = appendText(b, name)
	b = append(b, "</a>"...)
	b = appendMark(b, newest)
	b = append(b, "</h2>\n<p class=\"new\">"...)
	b = appendLink(b, newest.URL, newest.Version)
	b = append(b, "</p>\n"...)
	b = appendAbout(b, newest)
	b = appendApp(b, newest)
	b = appendOlder(b, older)
	return append(b, "</li>\n"...)
}

func appendMark(b []byte, e *index.Entry) []byte {
	if e.Deprecated {
		b = append(b, ` <span class="mark">deprecated</span>`...)
	}
	return b
}

// appendAbout appends the description and the chart's home.
func appendAbout(b []byte, e *index.Entry) []byte {
	home := homeOf(e)
	if e.Description == "" && home == "" {
		return b
	}
	b = append(b, `<p class="about" dir="auto">`...)
	b = appendText(b, e.Description)
	if home != "" {
		if e.Description != "" {
			b = append(b, ' ')
		}
		b = append(b, `<a href="`...)
		b = appendText(b, home)
		b = append(b, `">home</a>`...)
	}
	return append(b, "</p>\n"...)
}

func appendApp(b []byte, e *index.Entry) []byte {
	b = append(b, `<p class="app">`...)
	b = appendDetails(b, "app version ", e)
	return append(b, "</p>\n"...)
}

// appendDetails appends the app version and the day, where they are known.
func appendDetails(b []byte, label string, e *index.Entry) []byte {
	if e.AppVersion != "" {
		b = append(b, label...)
		b = appendText(b, e.AppVersion)
		if !e.Created.IsZero() {
			b = append(b, ", "...)
		}
	}
	return appendDay(b, e.Created)
}

func appendOlder(b []byte, older []*index.Entry) []byte {
	if len(older) == 0 {
		return b
	}
	b = append(b, "<details><summary>"...)
	b = appendCount(b, len(older), "older version")
	b = append(b, "</summary>\n<ul>\n"...)
	for _, e := range older {
		b = append(b, "<li>"...)
		b = appendLink(b, e.URL, e.Version)
		b = appendMark(b, e)
		b = append(b, ` <span class="soft">`...)
		b = appendDetails(b, "app ", e)
		b = append(b, "</span></li>\n"...)
	}
	return append(b, "</ul>\n</details>\n"...)
}

// appendLink appends text, as a link where the URL may be one.
func appendLink(b []byte, ref, text string) []byte {
	if u, err := url.Parse(ref); err == nil && !linkable(ref) {
		ref = u.String() // relative URLs of an index have blanks and quotes as they are
	}
	if !linkable(ref) {
		return appendText(b, text)
	}
	b = append(b, `<a href="`...)
	b = appendText(b, ref)
	b = append(b, `">`...)
	b = appendText(b, text)
	return append(b, "</a>"...)
}

func appendDay(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(b, `<time datetime="`...)
	b = t.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `">`...)
	b = t.UTC().AppendFormat(b, time.DateOnly)
	return append(b, "</time>"...)
}

func appendCount(b []byte, n int, what string) []byte {
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, ' ')
	b = append(b, what...)
	if n != 1 {
		b = append(b, 's')
	}
	return b
}

// homeOf reads the home of a Record without decoding all of it, which for
// thousands of charts would take longer than the rest. Keys are sorted, and behind
// the last digest, the entry's own, nothing but the chart's own home can come
// next. It is empty where it may not be a link.
func homeOf(e *index.Entry) string {
	const digest, home = `,"digest":"`, `","home":`
	i := bytes.LastIndex(e.Record, []byte(digest))
	if i < 0 {
		return ""
	}
	rest, ok := bytes.CutPrefix(e.Record[i+len(digest):], []byte(e.Digest))
	if !ok {
		return ""
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(home)); !ok {
		return ""
	}
	if url := firstString(rest); external(url) {
		return url
	}
	return ""
}

// firstString reads the JSON string at the beginning of b; it is empty when there
// is none.
func firstString(b []byte) string {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			if bytes.IndexByte(b[:i], '\\') < 0 {
				return string(b[1:i])
			}
			var s string
			if json.Unmarshal(b[:i+1], &s) != nil {
				return ""
			}
			return s
		}
	}
	return ""
}
