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

// options are what the command line says.
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
	// work is bin/bench: peers and corpora stay there for the next run, all else is
	// below temp and goes.
	work, temp string
	tools      tools
	archives   *archives
	found      *report.Run
}

// group is what is measured together, because it shares a corpus or a peer's slow
// start.
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
		{[]string{"5", "6", "8", "12"}, (*bench).folder},
		{[]string{"7"}, (*bench).addition},
		{[]string{"9", "10", "11"}, (*bench).requests},
		{[]string{"13"}, (*bench).clients},
		{[]string{"scale"}, (*bench).scale},
		{[]string{"format"}, (*bench).format},
		{[]string{"polling"}, (*bench).polling},
		{[]string{"mirror"}, (*bench).mirror},
	}
}

// names lists what -rows may hold.
func names() []string {
	var all []string
	for _, g := range groups() {
		all = append(all, g.rows...)
	}
	return all
}

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

// measure does the chosen groups, one after the other. One that fails doesn't keep
// the others from running; its rows are then missing, and the error tells why.
func measure(ctx context.Context, o options) (*report.Run, error) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return nil, err
	}
	o.root = root
	b := &bench{options: o, work: filepath.Join(root, "bin", "bench")}
	b.found = &report.Run{Began: time.Now(), Command: o.command, Rounds: o.runs, Machine: machine()}
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return nil, err
	}
	if b.temp, err = os.MkdirTemp(b.work, "run-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.temp)
	if b.tools, err = b.install(ctx); err != nil {
		return nil, err
	}
	b.archives = newArchives(filepath.Join(b.work, "archives"))
	b.found.Began = time.Now()
	var errs []error
	for _, g := range groups() {
		if !slices.ContainsFunc(g.rows, func(r string) bool { return o.rows[r] }) {
			continue
		}
		began := time.Now()
		b.say("rows %s", strings.Join(g.rows, ", "))
		if err := g.do(b, ctx); err != nil {
			errs = append(errs, fmt.Errorf("rows %s: %w", strings.Join(g.rows, ", "), err))
			b.say("rows %s: %v", strings.Join(g.rows, ", "), err)
		}
		b.say("rows %s: %s", strings.Join(g.rows, ", "), time.Since(began).Round(time.Second))
		if ctx.Err() != nil {
			return nil, errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	b.finish()
	return b.found, errors.Join(append(errs, b.found.Save(filepath.Join(b.work, "last.json")))...)
}

// finish brings the comparisons into the table's order and drops the rows that
// came along with a chosen one.
func (b *bench) finish() {
	b.found.Took = time.Since(b.found.Began)
	b.found.Programs, b.found.Absent = b.tools.programs, b.tools.absent
	b.found.Comparisons = slices.DeleteFunc(b.found.Comparisons, func(c report.Comparison) bool { return !b.rows[fmt.Sprint(c.Row)] })
	slices.SortStableFunc(b.found.Comparisons, func(x, y report.Comparison) int { return x.Row - y.Row })
}

// add puts lines into the table.
func (b *bench) add(lines ...report.Comparison) {
	b.found.Comparisons = append(b.found.Comparisons, lines...)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.log, "bench: "+format+"\n", args...)
}

// folderFor makes an empty folder of its own for one measurement.
func (b *bench) folderFor(name string) (string, error) { return os.MkdirTemp(b.temp, name+"-") }
