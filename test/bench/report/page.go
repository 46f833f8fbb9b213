package report

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

//go:embed page.md.tmpl
var page string

// analysis is written by people: what bounds each row and what was tried.
//
//go:embed analysis.md
var analysis string

// Page writes docs/benchmarks.md.
func (r *Run) Page(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"round": func(d time.Duration) string { return d.Round(time.Second).String() },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		*Run
		Table, Analysis string
	}{r, r.table(), strings.TrimSpace(analysis)})
}

// Table is the table of ratios alone, for a run of some rows.
func (r *Run) Table(w io.Writer) error {
	_, err := io.WriteString(w, r.table())
	return err
}

func (r *Run) table() string {
	var b strings.Builder
	b.WriteString("| row | work | chartserve | peer | the peer | ratio | target | verdict |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Comparisons {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", c.Row, c.Work, c.Ours.Show(c.Unit), c.Peer, c.Theirs.Show(c.Unit), c.Shown(), c.Aim(), c.Verdict())
	}
	return b.String()
}
