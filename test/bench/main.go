// Command bench measures chartserve against its peers, in one run, and writes
// docs/benchmarks.md:
//
//	go run . [-rows 1,3,5b] [-runs N] [-out FILE] [-from FILE]
//
// `make bench` calls it. Without -rows it measures the whole table, which takes
// about 20 minutes on two cores, and writes the page; with -rows it prints the
// table, and writes it only where -out says. -from renders the samples of an
// earlier run again (bin/bench/last.json), to see a change of the page's text.
//
// It installs what it can of the peers (see tools.go), generates what it measures
// on into bin/bench, and says what it had to do without. Everything it starts
// listens on the loopback interface. Memory is read from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"chartserve/test/bench/report"
)

// longest bounds the whole run, whatever hangs.
const longest = 45 * time.Minute

func main() {
	if len(os.Args) > 2 && os.Args[1] == "exec" {
		os.Exit(execChild(os.Args[2], os.Args[3:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	rows := fs.String("rows", "", "`LIST` of what to measure: "+strings.Join(names(), ","))
	runs := fs.Int("runs", 5, "`N` rounds of each measurement")
	out := fs.String("out", "", "write the page to `FILE` (default docs/benchmarks.md, when all rows are measured)")
	from := fs.String("from", "", "measure nothing: render the samples in `FILE`")
	largest := fs.Int("largest", 100_000, "the largest repository that is measured")
	root := fs.String("root", filepath.Join("..", ".."), "the repository's `DIR`")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	selected, err := choose(*rows)
	if err != nil || fs.NArg() > 0 || *runs < 1 {
		fmt.Fprintf(stderr, "bench: -rows takes a list of %s; -runs 1 or more; nothing else\n", strings.Join(names(), ", "))
		return 2
	}
	if *out == "" && *rows == "" && *largest == 100_000 {
		*out = filepath.Join(*root, "docs", "benchmarks.md")
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var found *report.Run
	if *from != "" {
		found, err = report.Open(*from)
	} else {
		found, err = measure(ctx, options{root: *root, rows: selected, runs: *runs, largest: *largest, command: command(*rows, *runs), log: stderr})
	}
	if found != nil {
		err = errors.Join(err, publish(found, *out, err == nil, stdout))
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}

// command is what a reader types to have the same run.
func command(rows string, runs int) string {
	c := "make bench"
	if rows != "" {
		c += " ROWS=" + rows
	}
	if runs != 5 {
		c += fmt.Sprintf(" RUNS=%d", runs)
	}
	return c
}

// publish prints the table, and writes the page where there is a place for it. A
// run that has failed somewhere writes no page over a good one.
func publish(r *report.Run, page string, whole bool, stdout io.Writer) error {
	if err := r.Table(stdout); err != nil {
		return err
	}
	if page == "" || !whole {
		return nil
	}
	var b strings.Builder
	if err := r.Page(&b); err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return errors.Join(os.MkdirAll(filepath.Dir(page), 0o755), os.WriteFile(page, []byte(b.String()), 0o644))
}
