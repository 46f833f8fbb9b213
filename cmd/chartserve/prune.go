package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/repo"
)

// pruneFlags say which versions are retired, and what the index is like where no
// chartserve runs on the folder that knows better.
type pruneFlags struct {
	deliveryFlags
	retentionFlags
	notLive      bool
	dryRun       bool
	digests      bool
	keepReplaced time.Duration
}

func newPrune() *cobra.Command {
	f := new(pruneFlags)
	cmd := &cobra.Command{
		Use:               "prune [NAME[@CONSTRAINT]...]",
		Short:             "Take versions out of a repository's index",
		Long:              pruneLong,
		Example:           pruneExample,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.prune(cmd, args)
		},
	}
	f.deliveryFlags.register(cmd, "take versions out of")
	flags := cmd.Flags()
	f.retentionFlags.register(flags, "spare")
	flags.BoolVar(&f.notLive, "not-live", false, "retire what has no source any more, and say nothing of what has")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only say what would be retired")
	registerDigests(flags, &f.digests)
	registerKeepReplaced(flags, &f.keepReplaced)
	return cmd
}

func (f *pruneFlags) prune(cmd *cobra.Command, args []string) error {
	ask := repo.Prune{Retention: f.retention(), NotLive: f.notLive, DryRun: f.dryRun}
	for _, arg := range args {
		p, err := chart.ParsePick(arg)
		if err != nil {
			return usagef("invalid chart %q: %w", arg, err)
		}
		ask.Charts = append(ask.Charts, p)
	}
	if err := f.retentionFlags.check(); err != nil {
		return err
	}
	if len(args) == 0 && ask.Retention == (repo.Retention{}) && !f.notLive {
		return usagef("prune needs to know what to retire: name charts, or give --keep N, --keep-for DURATION or --not-live")
	}
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	o.DigestURLs, o.KeepReplaced = f.digests, f.keepReplaced
	if _, err := os.Stat(f.path); err != nil {
		return fmt.Errorf("repository folder %q: %w (--repo-path names the folder)", f.path, err)
	}
	out, byOther, err := repo.PruneFolder(cmd.Context(), f.path, ask, o)
	if err != nil {
		return err
	}
	by := ""
	if byOther {
		by = " by the chartserve that runs on " + f.path
	}
	return writePruned(cmd.OutOrStdout(), ask, out, by)
}

// writePruned says what was done. What was named and stays is an error.
func writePruned(w io.Writer, ask repo.Prune, out repo.Pruned, by string) error {
	if out.Error != "" {
		return errors.New(out.Error)
	}
	var b strings.Builder
	verb := "Retired"
	if ask.DryRun {
		verb = "Would retire"
	}
	for _, r := range out.Retired {
		fmt.Fprintf(&b, "%s %s\n", verb, r)
	}
	named := 0
	for _, s := range out.Spared {
		fmt.Fprintf(&b, "Kept %s: %s\n", s.ChartVersion, oneLine(s.Reason))
		for _, p := range ask.Charts {
			if p.Name == s.Name && p.Names(s.Version) {
				named++
			}
		}
	}
	switch n := plural(len(out.Retired), "version"); {
	case len(out.Retired) == 0:
		b.WriteString("Nothing to retire\n")
	case ask.DryRun:
		fmt.Fprintf(&b, "%s would leave the index; nothing was changed\n", n)
	case out.Until.IsZero():
		fmt.Fprintf(&b, "%s left the index%s; the archives are gone\n", n, by)
	default:
		fmt.Fprintf(&b, "%s left the index%s; the archives can still be had until %s (--keep-replaced)\n", n, by, out.Until.Format(time.RFC3339))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	var unmet []string
	for _, p := range out.Unmet {
		unmet = append(unmet, p.String())
	}
	switch {
	case len(unmet) > 0:
		return fmt.Errorf("no version here is %s", strings.Join(unmet, ", "))
	case named > 0:
		return fmt.Errorf("%s that you named stayed", plural(named, "version"))
	}
	return nil
}

const pruneLong = `Prune retires versions of charts: they leave the index at once. Their archives can
still be had, under their names and by digest, for the time of --keep-replaced; then
they are gone.

NAME is every version of a chart, NAME@CONSTRAINT those that meet the constraint, and
a version that is named exactly is just that one. --keep and --keep-for spare some of
the others; without a NAME they speak of all charts. --not-live is all that has no
source.

Versions that are live are never retired: their source would bring them back. Change
or remove that first. Nor is the last version of a chart, unless it is named exactly.
An archive that lies in a SOURCE is a source as well.

It works beside a chartserve that runs on the folder: that one is asked to do it. Where
none runs, the flags say what the index is like, as for build, and what is live is what
was live when chartserve ran last.`

const pruneExample = `  # A version that was published by mistake
  chartserve prune nova@10.1.0

  # What would go if three versions of each chart stayed, and all of the last 90 days?
  chartserve prune --keep 3 --keep-for 90d --dry-run

  # Everything whose source is gone
  chartserve prune --not-live`
