package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/mirror"
	"chartserve/internal/chart"
)

// mirrorFlags say what is copied, from where, and into which folder.
type mirrorFlags struct {
	clientFlags
	deliveryFlags
	mirror.Selection
	keyringFlags
	trustFlags
	from      string
	deps      bool
	replace   bool
	keepGoing bool
	dryRun    bool
}

func newMirror() *cobra.Command {
	f := new(mirrorFlags)
	cmd := &cobra.Command{
		Use:     "mirror [URL...]",
		Short:   "Copy charts of other repositories into a repository folder",
		Long:    mirrorLong,
		Example: mirrorExample,
		Args:    cobra.ArbitraryArgs,
		RunE:    f.mirror,
	}
	f.clientFlags.register(cmd, "the host of the URLs on the command line", "; --from FILE has those of several hosts")
	f.registerWhat(cmd)
	flags := cmd.Flags()
	f.deliveryFlags.register(cmd, "copy to")
	f.keyringFlags.register(cmd, "the public keys for --require-signature")
	f.trustFlags.register(cmd, "take an archive")
	flags.IntVar(&f.jobs, "jobs", 4, "fetch `N` archives at once")
	flags.BoolVar(&f.replace, "replace", false, "take an archive that differs from the one of that name and version in the folder; an error without it")
	flags.BoolVar(&f.keepGoing, "keep-going", false, "where something can't be had, deliver the rest; the exit status is 1 all the same")
	flags.BoolVar(&f.dryRun, "dry-run", false, "list what would be fetched, with the sizes, and write nothing")
	return cmd
}

func (f *mirrorFlags) registerWhat(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "`FILE`, a mirror.yaml that lists repositories with their filters and credentials")
	_ = cmd.MarkFlagFilename("from", "yaml", "yml", "json")
	flags.StringArrayVar(&f.Charts, "chart", nil, "`NAME[@CONSTRAINT]` of a chart to copy, such as 'nova@^1.2.0'; all charts without it (repeatable)")
	flags.StringArrayVar(&f.Exclude, "exclude", nil, "`GLOB` of names of charts to leave out (repeatable)")
	flags.IntVar(&f.Latest, "latest", 0, "copy the newest `N` versions of each chart; 0 is all")
	flags.StringVar(&f.Since, "since", "", "leave out versions that were created before this `DATE`, such as 2026-01-31")
	flags.BoolVar(&f.Devel, "devel", false, "copy prereleases too; without it only those that a CONSTRAINT names")
	flags.BoolVar(&f.deps, "with-dependencies", false, "copy also what the charts depend on and do not contain, from wherever it is, and so on")
}

func (f *mirrorFlags) mirror(cmd *cobra.Command, args []string) error {
	start := time.Now()
	if len(args) == 0 && f.from == "" {
		return usagef("mirror needs a URL: name a repository, an archive, an oci:// chart or a folder, or a list of them with --from")
	}
	if f.jobs < 1 {
		return usagef("invalid value %d for --jobs: write 1 or more", f.jobs)
	}
	o, err := f.deliveryFlags.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	vouch, err := f.vouch(f.keyrings)
	if err != nil {
		return err
	}
	p := newProgress(cmd.ErrOrStderr(), o.Logger)
	set, err := f.upstreams(args, o.Logger, p)
	if err != nil {
		return err
	}
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	if !f.dryRun {
		if err := f.prepare(cmd, o); err != nil {
			return err
		}
	}
	res, err := mirror.Run(ctx, f.path, set.client, set.sources, mirror.Options{
		Jobs: f.jobs, Limits: o.Limits, Replace: f.replace, KeepGoing: f.keepGoing, DryRun: f.dryRun, Vouch: vouch,
		Progress: func(done, total int) { p.step("archives fetched", done, total) }, Logger: o.Logger,
	})
	if errors.Is(err, mirror.ErrSource) && res.Archives == 0 {
		return usageError{err}
	}
	if err != nil && !errors.Is(err, mirror.ErrIncomplete) {
		return f.stopped(err, res)
	}
	if f.dryRun {
		err = errors.Join(err, writeListed(out, res))
	} else {
		if werr := f.writeMirrored(out, res, set.requests(), time.Since(start)); werr != nil {
			return werr
		}
		if res.Delivered || !isFile(filepath.Join(f.path, "index.yaml")) {
			if terr := f.takeIn(cmd, o); terr != nil {
				return terr
			}
		}
	}
	complainAll(cmd, res.Failures)
	return err
}

// upstreams are the sources of the mirror. The filters on the command line are for the
// addresses there.
func (f *mirrorFlags) upstreams(args []string, logger *slog.Logger, p *progress) (*upstreams, error) {
	filter, err := f.Filter()
	if bad := new(chart.Error); errors.As(err, &bad) {
		field, _, _ := strings.Cut(bad.Field, "[")
		return nil, usagef("invalid value %q for --%s: %w", bad.Value, strings.TrimSuffix(field, "s"), bad.Err)
	}
	o, err := f.clientFlags.options(args, logger)
	if err != nil {
		return nil, err
	}
	o.Progress = p.add
	u, err := f.clientFlags.upstreams(args, f.from, o)
	if err != nil {
		return nil, err
	}
	for i := range u.sources {
		s := &u.sources[i]
		s.WithDependencies = s.WithDependencies || f.deps
		if i < len(args) {
			s.Filter, s.Anywhere = filter, true
		}
	}
	return u, nil
}

// stopped adds to a failure what it means for what was fetched before it.
func (f *mirrorFlags) stopped(err error, res mirror.Result) error {
	if f.dryRun || res.New == 0 || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w (%s fetched so far wait for the next run, nothing was published; --keep-going publishes without what fails)", err, plural(res.New, "archive"))
}

func (f *mirrorFlags) writeMirrored(w io.Writer, res mirror.Result, requests int64, spent time.Duration) error {
	text := fmt.Sprintf("Mirrored %s (%s) into %s: %d new, %d unchanged, %d failed; %s in %s, %s\n",
		plural(res.Charts, "chart"), plural(res.Archives, "archive"), f.path, res.New, res.Unchanged, len(res.Failures),
		bytesText(res.Bytes), seconds(spent), plural(int(requests), "request"))
	return f.say(w, text, "mirrored", "charts", res.Charts, "archives", res.Archives, "repository", f.path, "new", res.New,
		"unchanged", res.Unchanged, "failed", len(res.Failures), "bytes", res.Bytes, "requests", requests, "seconds", spent.Seconds())
}

// writeListed prints what a dry run would fetch.
func writeListed(w io.Writer, res mirror.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVERSION\tSIZE\tSOURCE")
	total, unknown := int64(0), 0
	for _, i := range res.Listed {
		size := "?"
		if i.Size >= 0 {
			total += i.Size
			size = bytesText(i.Size)
		} else {
			unknown++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", oneLine(i.Name), oneLine(i.Version), size, oneLine(i.Source))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	note := ""
	if unknown > 0 {
		note = fmt.Sprintf(" and %d of unknown size", unknown)
	}
	_, err := fmt.Fprintf(w, "Total: %s to fetch, %s%s; %d there already\n", plural(len(res.Listed), "archive"), bytesText(total), note, res.Unchanged)
	return err
}

func isFile(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.Mode().IsRegular()
}

const mirrorLong = `Mirror copies charts of other repositories into a repository folder, byte for byte
and with their provenance, and publishes them there: "chartserve --repo-path DIR",
or any web server, serves the folder then.

A URL is that of a repository (https://charts.example.com/stable), of one archive
(it ends in .tgz), of a chart in a registry (oci://registry.example.com/charts/nova,
with :VERSION for one version), or the path of a folder of archives. --from reads a
list of them, each with its own filters and credentials; docs/air-gap.md has one.

Every archive is checked against its index and read whole before it is published,
and all are published at once. What is in the folder already is not fetched again; a
run without news costs one request a repository. After an interruption the next run
goes on where it stopped. The credentials of the command line go to the host of its
URLs alone. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured.

Exit status: 1 when anything is missing. An entry of an index that nobody could read
is left out with a warning.`

const mirrorExample = `  # Copy a whole repository, and serve the copy
  chartserve mirror https://charts.example.com/stable --repo-path site
  chartserve --repo-path site

  # Three versions of two charts, with what they depend on; look first
  chartserve mirror https://charts.example.com/stable --chart 'nova@^1.2.0' --chart mariadb \
    --latest 3 --with-dependencies --dry-run

  # One chart of a registry, with a password
  CHARTSERVE_PASSWORD=... chartserve mirror --username reader oci://registry.example.com/charts/nova

  # All that a site needs, as listed in a file
  chartserve mirror --from mirror.yaml --repo-path site --keep-going`
