// Command packaging makes what people install: binaries, archives, images and packages, into
// one folder.
//
//	go run . [-out DIR] [-version V] [-platforms 'linux/amd64 ...'] [-only 'binaries ...']
//
// "make dist" calls it. It runs in its own folder, needs the go command and its module proxy,
// and git where there is a repository. The same commit, version and Go give the same bytes,
// whoever makes them and where: every time in them is SOURCE_DATE_EPOCH, or the commit's.
//
// Each part is a file and a method of release. A part works on the binaries in
// DIR/build/OS_ARCH/ and on files of the repository; it leaves its results in DIR, under
// names that begin with "chartserve_" or "chartserve-".
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
	"slices"
	"strings"
	"syscall"
	"time"
)

// part is one kind of what is made.
type part struct {
	name string
	make func(*release, context.Context) error
}

// parts lists all of them, in the order in which they are made.
func parts() []part {
	return []part{
		{"binaries", (*release).binaries},
		{"manual", (*release).manual},
		{"packages", (*release).packages},
		{"image", (*release).image},
		{"plugin", (*release).plugin},
		{"chart", (*release).chart},
		{"archives", (*release).archives},
		{"sbom", (*release).sbom},
		{"sums", (*release).sums},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "../dist", "`DIR` to write into, made where it is missing")
	version := flags.String("version", "", "the release's `VERSION` (default the newest of CHANGELOG.md)")
	systems := flags.String("platforms", "", "`LIST` of OS/ARCH, separated by blanks (default all)")
	only := flags.String("only", "", "`LIST` of parts, separated by blanks (default all)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	selected, err := choose(*only)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q: there are only flags", flags.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "packaging: %v\n", err)
		return 2
	}
	r, err := newRelease(ctx, "..", *out, *version, *systems)
	if err == nil {
		r.log = stderr
		err = r.makeAll(ctx, selected)
	}
	if err != nil {
		fmt.Fprintf(stderr, "packaging: %v\n", err)
		return 1
	}
	return 0
}

// choose returns the parts that a list names, or all if it is empty.
func choose(list string) ([]part, error) {
	names := strings.Fields(list)
	if len(names) == 0 {
		return parts(), nil
	}
	var some []part
	var known []string
	for _, p := range parts() {
		known = append(known, p.name)
		if slices.Contains(names, p.name) {
			some = append(some, p)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("PARTS: %q is none: write some of %s", name, strings.Join(known, ", "))
		}
	}
	return some, nil
}

// makeAll makes the parts, one after another. Where these are all parts, what an earlier run
// left is removed first: a folder then holds one release.
func (r *release) makeAll(ctx context.Context, selected []part) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	if len(selected) == len(parts()) {
		if err := r.clear(); err != nil {
			return err
		}
	}
	for _, p := range selected {
		began := time.Now()
		if err := p.make(r, ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), context.Cause(ctx))
		}
		fmt.Fprintf(r.log, "%s: %s, %.1f s\n", filepath.Base(r.out), p.name, time.Since(began).Seconds())
	}
	return nil
}

// clear removes results of all parts, whatever their version. What others have in a folder build
// stays: DIR may be any folder.
func (r *release) clear() error {
	patterns := []string{"build/man", "build/man.gz", "build/completions", "build/image", "build/changelog.*",
		"chartserve_*", "chartserve-*", "sbom.cdx.json", "SHA256SUMS"}
	for _, p := range platforms() {
		patterns = append(patterns, "build/"+p.os+"_"+p.arch)
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(r.out, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}
