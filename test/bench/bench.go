package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartserve/test/bench/report"
)

// options are the command line.
type options struct {
	root    string
	rows    map[string]bool
	runs    int
	largest int
	command string
	log     io.Writer
}

// bench is one run.
type bench struct {
	options
	// work is bin/bench, where peers and corpora stay for the next run. The run
	// removes temp, a folder in it.
	work, temp string
	tools      tools
	archives   *archives
	found      *report.Run
}

// group are the rows that share a corpus or a peer's slow start.
type group struct {
	rows []string
	do   func(*bench, context.Context) error
}

// groups are in the order in which they run.
func groups() []group {
	return []group{
		{[]string{"1", "2"}, (*bench).packaging},
		{[]string{"3"}, (*bench).toolkitEdit},
		{[]string{"4"}, (*bench).leafEdit},
		{[]string{"5", "5b", "6", "8", "12"}, (*bench).folder},
		{[]string{"7"}, (*bench).addition},
		{[]string{"9", "10", "11"}, (*bench).requests},
		{[]string{"13"}, (*bench).clients},
		{[]string{"14", "15"}, (*bench).uploads},
		{[]string{"16"}, (*bench).registries},
	}
}

// names lists what -rows may hold, in the table's order.
func names() []string { return strings.Fields("1 2 3 4 5 5b 6 7 8 9 10 11 12 13 14 15 16") }

// choose reads -rows; empty is everything.
func choose(list string) (map[string]bool, error) {
	chosen := map[string]bool{}
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("no row is called %q", name)
		}
		chosen[name] = true
	}
	if len(chosen) == 0 {
		for _, name := range names() {
			chosen[name] = true
		}
	}
	return chosen, nil
}

// measure does the chosen groups, one after the other. When a group fails its rows
// are missing, the error says why, and the others still run.
func measure(ctx context.Context, o options) (*report.Run, error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.temp)
	var errs []error
	for _, g := range groups() {
		if !slices.ContainsFunc(g.rows, func(r string) bool { return o.rows[r] }) {
			continue
		}
		rows, began := strings.Join(g.rows, ", "), time.Now()
		b.say("rows %s", rows)
		err := g.do(b, ctx)
		took := time.Since(began).Round(time.Second)
		if err != nil {
			errs = append(errs, fmt.Errorf("rows %s: %w", rows, err))
			b.say("rows %s: %v", rows, err)
		}
		b.say("rows %s: %s", rows, took)
		b.found.Times = append(b.found.Times, report.Time{Rows: rows, Took: took})
		if ctx.Err() != nil {
			return nil, errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	b.finish()
	return b.found, errors.Join(append(errs, b.found.Save(filepath.Join(b.work, "last.json")))...)
}

// newBench prepares a run: the programs, and a folder for what they write.
func newBench(ctx context.Context, o options) (*bench, error) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return nil, err
	}
	o.root = root
	b := &bench{options: o, work: filepath.Join(root, "bin", "bench")}
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return nil, err
	}
	if b.tools, err = b.install(ctx); err != nil {
		return nil, err
	}
	b.archives = newArchives(filepath.Join(b.work, "archives"))
	b.found = &report.Run{Began: time.Now(), Command: o.command, Rounds: o.runs, Machine: machine()}
	b.temp, err = os.MkdirTemp(b.work, "run-")
	return b, err
}

// finish brings the comparisons into the table's order and drops the rows that
// came along with a chosen one.
func (b *bench) finish() {
	b.found.Took = time.Since(b.found.Began)
	b.found.Programs, b.found.Absent = b.tools.programs, b.tools.absent
	b.found.Comparisons = slices.DeleteFunc(b.found.Comparisons, func(c report.Comparison) bool { return !b.rows[c.Row] })
	slices.SortStableFunc(b.found.Comparisons, func(x, y report.Comparison) int {
		return slices.Index(names(), x.Row) - slices.Index(names(), y.Row)
	})
}

// add puts lines into the table.
func (b *bench) add(lines ...report.Comparison) {
	b.found.Comparisons = append(b.found.Comparisons, lines...)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.log, "bench: "+format+"\n", args...)
}

// folderFor makes an empty folder for one measurement.
func (b *bench) folderFor(name string) (string, error) { return os.MkdirTemp(b.temp, name+"-") }
