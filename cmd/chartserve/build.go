package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// buildFlags are those of repoFlags, whether a bad chart is a failure, whether there are
// pages, and where a summary goes.
type buildFlags struct {
	repoFlags
	strict, pages bool
	summary       summaryFlags
}

func newBuild() *cobra.Command {
	f := new(buildFlags)
	cmd := &cobra.Command{
		Use:               "build [SOURCE...]",
		Short:             "Make the repository of SOURCE directories once, and exit",
		Long:              buildLong,
		Example:           buildExample,
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.build(cmd, args)
		},
	}
	f.repoFlags.register(cmd)
	cmd.Flags().BoolVar(&f.strict, "strict", false, strictUsage)
	cmd.Flags().BoolVar(&f.pages, "pages", false, "write the pages of the repository beside index.yaml, for a web server that shows files")
	f.summary.register(cmd)
	return cmd
}

const strictUsage = "any bad chart is a failure, exit status 1"

func (f *buildFlags) build(cmd *cobra.Command, args []string) error {
	start := time.Now()
	defer setGarbage(startGarbage)()
	o, err := f.options(cmd, args)
	if err != nil {
		return err
	}
	o.Strict, o.Output = f.strict, outputs(false, f.summary.file)
	s, err := f.summary.begin(f.path)
	if err != nil {
		return err
	}
	r, err := repo.Open(f.path, o)
	if err == nil {
		defer closeRepo(r, o.Logger)
		err = f.run(cmd, r, o, start)
	}
	serr := s.end(r, origin(o.Sources, f.path), time.Since(start), err, o.Logger)
	return cmp.Or(err, serr)
}

// run builds r, and says what came of it.
func (f *buildFlags) run(cmd *cobra.Command, r *repo.Repository, o repo.Options, start time.Time) error {
	err := r.Build(cmd.Context())
	if err != nil && !errors.Is(err, repo.ErrBadCharts) {
		return err
	}
	if err := f.writePages(cmd.Context(), r, o); err != nil {
		return fmt.Errorf("the repository is built, and its pages are not: %w", err)
	}
	st, took := r.Status(), time.Since(start)
	from := origin(o.Sources, f.path)
	text := fmt.Sprintf("Built %s from %s into %s in %s (%d packaged, %d checked, %d reused)\n", counts(st), from, f.path,
		seconds(took), st.LastRebuild.Packaged, st.LastRebuild.Checked, st.LastRebuild.Reused)
	text += retiredText(st) + hint(st, from)
	werr := f.say(cmd.OutOrStdout(), text, "built", append(record(st, took), "repository", f.path)...)
	note := " (the exit status is 0 all the same: --strict makes it 1)"
	if f.strict {
		note = ""
	}
	f.sayFailures(cmd.ErrOrStderr(), st.Failures, note)
	return cmp.Or(werr, err)
}

// writePages writes the pages of what was built, unless they are there or nobody wants any.
func (f *buildFlags) writePages(ctx context.Context, r *repo.Repository, o repo.Options) error {
	site, err := r.Site()
	if !f.pages && (err != nil || site.Empty()) {
		return nil
	}
	if err != nil {
		return err
	}
	defer site.Close()
	if !f.pages {
		o.Logger.Warn("the pages in the folder are those of an earlier build: name --pages to renew them", "folder", f.path)
		return nil
	}
	frame := page.Frame{URL: f.url, Program: r.Status().Version}
	key := page.SiteKey(frame, r.View())
	if site.Whole(key) {
		return nil
	}
	err = page.WriteSite(ctx, frame, r.View(), site, func(done, total int) { o.Progress("pages written", done, total) })
	if err != nil {
		return err
	}
	return site.Finish(key)
}

const buildLong = `Build finds and packages the charts below each SOURCE, writes their archives and
index.yaml into the repository folder, and exits: what a make target or CI calls.
Any web server or object store can host the folder as it is.

With --sign what is built is signed; what others made is published only when it is
signed, with --require-signature.

With --pages it writes the pages too that a server would show: the list at index.html,
each chart, its versions and its graph, feeds and badges. A file that it did not write
itself stays as it is, and is an error where a page has to have its name. Name --pages
each time: without it the pages are those of the build before.

With --summary it appends to a file, in Markdown, how the index differs from the one
before: new versions, others of the same name, those that are gone, and what failed. It
is for the page of a job, and is written before the exit status says that a build
failed.

What has not changed since the last build is not made again, and the same charts
give the same bytes, on any machine.`

const buildExample = `  # Build the charts below ./charts into .chartserve
  chartserve build charts

  # In CI: fail when any chart is bad, write absolute URLs
  chartserve build --strict --repo-path public --url https://charts.example.com/stable charts

  # On GitHub: with a summary on the page of the job
  chartserve build --strict --summary "$GITHUB_STEP_SUMMARY" --repo-path public charts

  # For a pages host: what it shows to people too
  chartserve build --strict --pages --repo-path public charts`
