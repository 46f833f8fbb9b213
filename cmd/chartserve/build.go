package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/repo"
)

// buildFlags are those of repoFlags and whether a bad chart is a failure.
type buildFlags struct {
	repoFlags
	strict bool
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
	o.Strict = f.strict
	r, err := repo.Open(f.path, o)
	if err != nil {
		return err
	}
	defer closeRepo(r, o.Logger)
	err = r.Build(cmd.Context())
	if err != nil && !errors.Is(err, repo.ErrBadCharts) {
		return err
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

const buildLong = `Build finds and packages the charts below each SOURCE, writes their archives and
index.yaml into the repository folder, and exits: what a make target or CI calls.
Any web server or object store can host the folder as it is.

With --sign what is built is signed; what others made is published only when it is
signed, with --require-signature.

What has not changed since the last build is not made again, and the same charts
give the same bytes, on any machine.`

const buildExample = `  # Build the charts below ./charts into .chartserve
  chartserve build charts

  # In CI: fail when any chart is bad, write absolute URLs
  chartserve build --strict --repo-path public --url https://charts.example.com/stable charts`
