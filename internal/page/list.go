package page

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

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

// rowsPerPage bounds the charts that a page of the list has.
const rowsPerPage = 100

// Query is what a reader asks the list for. The zero value is all charts, by name.
type Query struct {
	Text string // words, each of which a chart has
	Show string // one of Shows; empty: all
	Sort string // one of Sorts; empty: by name
	Page int    // from 0
}

// Shows are the kinds of charts that a list can be of; Sorts are its orders.
func (Query) Shows() []string { return []string{"live", "kept", "broken", "deprecated", "library"} }
func (Query) Sorts() []string { return []string{"changed"} }

// ParseQuery reads the query of a URL. What it does not know it takes for the default.
func ParseQuery(v url.Values) Query {
	known := func(value string, among []string) string {
		if slices.Contains(among, value) {
			return value
		}
		return ""
	}
	q := Query{Text: strings.TrimSpace(v.Get("q")), Page: ParsePage(v)}
	q.Show, q.Sort = known(v.Get("show"), q.Shows()), known(v.Get("sort"), q.Sorts())
	return q
}

// ParsePage reads which page of a long list a URL asks for, from 0.
func ParsePage(v url.Values) int {
	n, _ := strconv.Atoi(v.Get("page"))
	return max(0, n-1)
}

// Encode is the query of the URL for a page of the same list.
func (q Query) Encode(page int) template.URL {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("q", q.Text)
	set("show", q.Show)
	set("sort", q.Sort)
	if page > 0 {
		v.Set("page", strconv.Itoa(page+1))
	}
	return template.URL(v.Encode())
}

// listing is the list as its template shows it.
type listing struct {
	Frame
	repo.Status
	problems
	Query        Query
	Generated    *time.Time
	Repositories []Repository
	Rows         []row
	Found        int // charts, of which Rows are one page
	pager
}

// row is a chart of the list: its newest version.
type row struct {
	*index.Entry
	Chart  *repo.Chart
	Kept   bool
	Broken bool
}

// List is the list of the charts of v, which has an index, with links to other
// repositories.
func List(f Frame, v *repo.View, q Query, others ...Repository) Page {
	st := v.Status
	if f.Static {
		st = still(st)
	}
	f.Title, f.Here = "Helm Repository", "charts"
	f.About = count(v.Status.Charts, "Helm chart") + ", " + count(v.Status.Archives, "archive")
	l := listing{Frame: f, Status: st, problems: f.problems(st, 100), Query: q, Repositories: others}
	if v.Index.Versions > 0 {
		l.Generated = &v.Index.Generated
	}
	l.Rows = find(v, q)
	l.Found = len(l.Rows)
	l.Rows, l.pager = turnTo(q.Page, l.Rows, f.perPage(rowsPerPage), q.Encode)
	return Page{"list", l}
}

// Starting is the page before the first index. It does not have the list's title, by which
// scripts know that the list is there.
func Starting(f Frame, v *repo.View) Page {
	f.Title, f.Refresh = "Starting", true
	return Page{"starting", listing{Frame: f, Status: v.Status}}
}

// find returns the charts that q asks for, in its order.
func find(v *repo.View, q Query) []row {
	var rows []row
	words, broken := wordsOf(q.Text), v.Broken()
	for c := range v.Charts() {
		newest := c.Versions[0]
		r := row{Entry: newest.Entry, Chart: c, Broken: broken[c.Name]}
		r.Kept = !newest.Live && len(v.Status.Sources) > 0
		if r.is(q.Show) && hasWords(c, words) {
			rows = append(rows, r)
		}
	}
	if q.Sort == "changed" {
		slices.SortStableFunc(rows, func(a, b row) int { return b.Chart.Changed().Compare(a.Chart.Changed()) })
	}
	return rows
}

// wordsOf are the words that a search looks for, in lower case: each is looked for in everything,
// so they are bounded, and each is there once.
func wordsOf(text string) []string {
	const maxWords = 20
	words := slices.Compact(slices.Sorted(strings.FieldsSeq(strings.ToLower(text))))
	return words[:min(len(words), maxWords)]
}

// is reports whether a chart is of a kind of Shows.
func (r row) is(kind string) bool {
	switch kind {
	case "live":
		return !r.Kept
	case "kept":
		return r.Kept
	case "broken":
		return r.Broken
	case "deprecated":
		return r.Deprecated
	case "library":
		return r.Chart.IsLibrary()
	}
	return true
}

// Kinds are those of Shows that the chart is of, with blanks between them.
func (r row) Kinds() string {
	return strings.Join(slices.DeleteFunc(Query{}.Shows(), func(kind string) bool { return !r.is(kind) }), " ")
}

// hasWords reports whether a chart has all of words, which are in lower case.
func hasWords(c *repo.Chart, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(c.Search(), w) })
}
