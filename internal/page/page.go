// Package page renders what a browser sees: the list of the charts, made by
// html/template of a repo.View when somebody asks for it. Which path shows it is the
// business of package httpapi.
package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unicode"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

var (
	//go:embed list.html
	listHTML string
	//go:embed style.css
	style string
	//go:embed address.js
	script string

	// Favicon is the pages' icon, an SVG file.
	//
	//go:embed favicon.svg
	Favicon []byte
)

// Policy is the Content-Security-Policy of every page: the one style and the one script
// that are on it, the icon beside it, and nothing else.
var Policy = "default-src 'none'; style-src '" + sourceHash(style) + "'; script-src '" + sourceHash(script) +
	"'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{"count": count, "day": day, "linkable": linkable}).Parse(listHTML))

// List is the list of all charts. Use NewList.
type List struct {
	head head

	mu   sync.Mutex   // guards what follows, and is held while the list is rendered
	view *repo.View   // that body shows
	also []Repository // and these
	body index.Body
	rows map[row][]byte // those of body
}

// Repository is another repository of the same server.
type Repository struct {
	Name     string `json:"name"`
	Ready    bool   `json:"ready"`
	Charts   int    `json:"charts"`
	Archives int    `json:"archives"`
	Failures int    `json:"failures"`
	// Problem is repo.Status's.
	Problem string `json:"problem,omitempty"`
}

// row is a chart as the list shows it. Views share the charts that did not change.
type row struct {
	chart  *repo.Chart
	broken bool
	marked bool // versions that have no source are marked
}

// head is what the templates around the rows show.
type head struct {
	Style   template.CSS
	Script  template.JS
	Address string
	repo.Status
	Generated    *time.Time
	Repositories []Repository
}

// NewList makes the list. url is the repository's URL where the operator has named one;
// without it the list shows fallback until the script puts the reader's own address in
// its place.
func NewList(url, fallback string) *List {
	l := &List{head: head{Style: template.CSS(style), Address: url}}
	if url == "" {
		l.head.Address, l.head.Script = fallback, template.JS(script)
	}
	return l
}

// Starting is the page before the first index. It does not have the list's title, by
// which scripts know that the list is there.
func (l *List) Starting() []byte { return render("starting", l.head) }

// Body returns the list of v, which has an index, with links to other repositories. It
// renders what has changed since the last call.
func (l *List) Body(v *repo.View, others ...Repository) index.Body {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.view == v && slices.Equal(l.also, others) {
		return l.body
	}
	h := l.head
	h.Status, h.Repositories = v.Status, others
	if v.Index.Versions > 0 {
		h.Generated = &v.Index.Generated
	}
	broken := map[string]bool{}
	for _, f := range v.Status.Failures {
		// A name that can't be read is most likely that of the directory.
		broken[cmp.Or(f.Name, filepath.Base(f.Path))] = true
	}
	parts, rows := [][]byte{render("head", h)}, map[row][]byte{}
	for c := range v.Charts() {
		key := row{c, broken[c.Name], len(v.Status.Sources) > 0}
		html, known := l.rows[key]
		if !known {
			html = render("chart", chartOf(key))
		}
		rows[key] = html
		parts = append(parts, html)
	}
	l.view, l.also, l.rows = v, others, rows
	l.body = index.Body{Data: index.NewText(append(parts, render("tail", h))...)}
	sum := sha256.New()
	_, _ = l.body.Data.WriteTo(sum) // a hash takes everything
	l.body.ETag = `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
	return l.body
}

// render executes a template. What is not UTF-8 and what would move the cursor of a
// terminal becomes U+FFFD.
func render(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		panic(fmt.Sprintf("template %s: %v", name, err)) // the tests execute each
	}
	return bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, b.Bytes())
}

// shown is a chart as its template shows it.
type shown struct {
	Newest *index.Entry
	Older  []*repo.Version
	Home   string // empty where it may not be a link
	Broken bool
	Marked bool
	Kept   bool // the newest
}

func chartOf(r row) shown {
	newest := r.chart.Versions[0].Entry
	var record struct{ Home string }
	_ = json.Unmarshal(newest.Record, &record) // index wrote it
	if u, err := url.Parse(record.Home); err != nil || u.Scheme == "" || !linkable(record.Home) {
		record.Home = ""
	}
	return shown{Newest: newest, Older: r.chart.Versions[1:], Home: record.Home, Broken: r.broken, Marked: r.marked, Kept: !r.chart.Versions[0].Live}
}

// linkable reports whether a link may lead to ref: a relative URL, or one that a browser
// opens without running it.
func linkable(ref string) bool {
	u, err := url.Parse(ref)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "":
		return u.Host == "" && ref != ""
	case "http", "https":
		return u.Host != ""
	}
	return u.Scheme == "mailto"
}

func day(t time.Time, layout string) template.HTML {
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format(layout)))
}

// count is "1 chart" or "2 charts".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
