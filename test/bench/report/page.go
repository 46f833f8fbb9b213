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
		"seconds": func(s Series) string { return s.Show(Seconds) },
		"median":  func(s Series) string { return Amount(s.Spread().Median, Seconds) },
		"mb":      func(s Series) string { return Amount(s.Spread().Median, Megabytes) },
		"size":    func(x float64) string { return Amount(x, Megabytes) },
		"latency": func(x float64) string { return Amount(x, Seconds) },
		"times":   func(a, b Series) string { return times(a.Spread().Median / b.Spread().Median) },
		"count":   func(n int) string { return digits(float64(n)) },
		"round":   func(d time.Duration) string { return d.Round(time.Second).String() },
		"clients": r.clients,
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
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s | %s |\n", c.Row, c.Work, c.Ours.Show(c.Unit), c.Peer, c.Theirs.Show(c.Unit), c.Shown(), c.Aim(), c.Verdict())
	}
	return b.String()
}

// clients are the Loads, a slice for each client.
func (r *Run) clients() [][]Load {
	var all [][]Load
	for _, l := range r.Loads {
		if n := len(all); n > 0 && all[n-1][0].Client == l.Client {
			all[n-1] = append(all[n-1], l)
			continue
		}
		all = append(all, []Load{l})
	}
	return all
}
