package page

import (
	"errors"
	"slices"
	"strings"

	"chartserve/internal/page/values"
	"chartserve/internal/pkgr"
)

const (
	valuesFile = "values.yaml"
	schemaFile = "values.schema.json"

	// keysPerPage bounds the keys that a page has a row of, maxKeys those that are looked
	// through: a Shelf keeps so many.
	keysPerPage = 2000
	maxKeys     = 40_000
)

// Keys are the values of a chart, key by key.
type Keys struct {
	table values.Table
	// problem is why there is no table; nil: there is one.
	problem *values.Error
}

func readKeys(c *pkgr.Chart) *Keys {
	var k Keys
	data, _ := dataOf(c, valuesFile)
	schema, _ := dataOf(c, schemaFile)
	table, err := values.Read(data, schema, values.Options{Keys: maxKeys})
	if !errors.As(err, &k.problem) {
		k.table = *table
	}
	return &k
}

// dataOf returns the content of a file of c, and whether it has one of that name.
func dataOf(c *pkgr.Chart, name string) (data []byte, ok bool) {
	i := slices.IndexFunc(c.Files, func(f pkgr.File) bool { return f.Name == name })
	if i < 0 {
		return nil, false
	}
	return c.Files[i].Data, true
}

// size is how many bytes they take, about.
func (k *Keys) size() (n int64) {
	for _, k := range k.table.Keys {
		n += int64(len(k.Path)+len(k.Anchor)+len(k.Default)+len(k.Comment)+len(k.Example)+len(k.Schema.Description)) + 280
	}
	return n
}

// valuesPage is values.yaml, and its keys as a table.
type valuesPage struct {
	Subject
	pager
	Query Query
	text  source
	keys  []values.Key // those of the page
	Found int          // on all pages
	All   int          // whatever is searched
	// More is how many keys are looked for in vain; Schema says why the schema was not read.
	More   int
	Schema string
	// Problem is why there is no table; nil: there is one.
	Problem *values.Error
	// HasFile and HasSchema say which of the two files the chart has; Subcharts are the values
	// of its sub-charts.
	HasFile, HasSchema bool
	Subcharts          []member
}

// Values is the page of a version's values, whose archive holds c and these keys. Of q, text and
// page count.
func Values(s Subject, c *pkgr.Chart, k *Keys, q Query) Page {
	s.Tab, s.Title = "values", s.Title+": values"
	q.Show, q.Sort = "", ""
	p := valuesPage{Subject: s, text: source{name: valuesFile}, Problem: k.problem}
	p.text.data, p.HasFile = dataOf(c, valuesFile)
	_, p.HasSchema = dataOf(c, schemaFile)
	for _, m := range s.members(c) {
		if of, name, _ := cutSubchart(m.Name); of != "" && name == valuesFile {
			p.Subcharts = append(p.Subcharts, m)
		}
	}
	p.More, p.Schema, p.All = k.table.More, k.table.Schema, len(k.table.Keys)
	found := filter(k.table.Keys, q.Text)
	p.Query, p.Found = q, len(found)
	p.keys, p.pager = turnTo(q.Page, found, s.perPage(keysPerPage), q.Encode)
	return Page{"values", p}
}

// filter returns the keys that have all words of text.
func filter(keys []values.Key, text string) []values.Key {
	words := wordsOf(text)
	if len(words) == 0 {
		return keys
	}
	var found []values.Key
	for _, k := range keys {
		text := strings.ToLower(strings.Join([]string{k.Path, k.Default, k.Comment, k.Example, k.Schema.Title, k.Schema.Description}, "\n"))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, k)
		}
	}
	return found
}

// Subchart is the name of the sub-chart that a file is of.
func (p valuesPage) Subchart(name string) string {
	sub, _, _ := cutSubchart(name)
	return sub
}

// Source is the file, highlighted; it is made when it is asked for.
func (p valuesPage) Source() shown { return p.text.highlight() }

// Text is the file as it is.
func (p valuesPage) Text() string { return string(p.text.data) }

// Whole reports whether the table has all keys, so that the script can search it.
func (p valuesPage) Whole() bool { return p.Pages < 2 && p.Query.Text == "" }
