package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/repo"
	"chartserve/internal/store"
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
	out, by, err := f.do(cmd.Context(), ask, o)
	if err != nil {
		return err
	}
	return writePruned(cmd.OutOrStdout(), ask, out, by)
}

// do prunes the folder, or has the chartserve that runs on it do that; by says which.
func (f *pruneFlags) do(ctx context.Context, ask repo.Prune, o repo.Options) (out repo.Pruned, by string, err error) {
	if _, err := os.Stat(f.path); err != nil {
		return out, "", fmt.Errorf("repository folder %q: %w (--repo-path names the folder)", f.path, err)
	}
	r, err := repo.Open(f.path, o)
	if errors.Is(err, store.ErrLocked) {
		return f.have(ctx, ask, o)
	}
	if err != nil {
		return out, "", err
	}
	defer closeRepo(r, o.Logger)
	out, err = r.Prune(ctx, ask)
	return out, "", err
}

// pruneWait is how long the owner of the folder is waited for; from time to time it is
// tried whether there still is one.
const (
	pruneWait  = 2 * time.Minute
	pruneEvery = 50 * time.Millisecond
	pruneRetry = 2 * time.Second
)

// have has the owner of the folder prune it.
func (f *pruneFlags) have(ctx context.Context, ask repo.Prune, o repo.Options) (out repo.Pruned, by string, err error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return out, "", err
	}
	q := store.Question{ID: rand.Text(), Text: text}
	if err := store.Ask(f.path, q); err != nil {
		return out, "", err
	}
	// What was answered is gone, and nothing is left to withdraw.
	defer func() { _ = store.Withdraw(f.path, q.ID) }()
	late, retry := time.After(pruneWait), time.NewTicker(pruneRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return out, "", context.Cause(ctx)
		case <-late:
			return out, "", fmt.Errorf("repository folder %q: the chartserve that runs on it has not answered in %v (see its log and /status); nothing was asked for any more", f.path, pruneWait)
		case <-retry.C:
			r, err := repo.Open(f.path, o)
			if errors.Is(err, store.ErrLocked) {
				continue
			}
			if err != nil {
				return out, "", err
			}
			defer closeRepo(r, o.Logger)
			out, err = r.Prune(ctx, ask) // which has the question before it
			return out, "", err
		case <-time.After(pruneEvery):
		}
		text, err := store.Answered(f.path, q.ID)
		if err != nil {
			return out, "", err
		}
		if text != nil {
			err := json.Unmarshal(text, &out)
			return out, " by the chartserve that runs on " + f.path, err
		}
	}
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
