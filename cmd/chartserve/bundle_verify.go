package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/bundle"
	"chartserve/internal/chart"
)

// bundleVerifyFlags are those of bundle verify.
type bundleVerifyFlags struct {
	limitFlags
	base   string
	output choice
}

func newBundleVerify() *cobra.Command {
	f := new(bundleVerifyFlags)
	cmd := &cobra.Command{
		Use:     "verify FILE...",
		Short:   "Say whether a bundle is complete and unchanged",
		Long:    bundleVerifyLong,
		Example: bundleVerifyExample,
		Args:    bundleArgs,
		RunE:    f.verify,
	}
	flags := cmd.Flags()
	f.limitFlags.registerSizes(flags)
	flags.StringVar(&f.base, "base", "", "where a delta's base is: a repository `DIR`, a manifest or a bundle")
	registerOutput(cmd, &f.output)
	return cmd
}

func (f *bundleVerifyFlags) verify(cmd *cobra.Command, args []string) error {
	rep, err := bundle.Verify(cmd.Context(), args, bundle.ReadOptions{
		Stdin: cmd.InOrStdin(), Limits: f.limits(), Progress: newProgress(cmd.ErrOrStderr(), nil).step, Base: f.base,
	})
	if err != nil {
		return err
	}
	write := f.text
	if f.output.value == "json" {
		write = writeVerifyJSON
	}
	if err := write(cmd.OutOrStdout(), rep); err != nil {
		return err
	}
	if len(rep.Findings) > 0 {
		return errReported
	}
	return nil
}

func (f *bundleVerifyFlags) text(w io.Writer, rep *bundle.Report) error {
	if n := len(rep.Findings); n > 0 {
		_, err := fmt.Fprintf(w, "The bundle is not what it should be, %s:\n%s", plural(n, "finding"), findingLines(rep.Findings, func(*chart.Error) string { return "  " }))
		return err
	}
	m, totals := rep.Manifest, rep.Manifest.Totals()
	text := fmt.Sprintf("Complete and unchanged: %s in %s (%d bytes)\n", bundleCounts(totals), plural(rep.Parts, "file"), totals.Bytes)
	if m.Base != "" {
		text += fmt.Sprintf("A delta: %s must be where it is loaded", plural(totals.InBase, "file"))
		if f.base != "" {
			text += ", and are in " + f.base
		}
		text += fmt.Sprintf("\nBase: SHA-256 of the manifest %s\n", m.Base)
	}
	_, err := fmt.Fprintf(w, "%sManifest: SHA-256 %s\n", text, m.Digest())
	return err
}

func writeVerifyJSON(w io.Writer, rep *bundle.Report) error {
	r := struct {
		Complete bool   `json:"complete"`
		Manifest string `json:"manifest,omitempty"` // its SHA-256
		Base     string `json:"base,omitempty"`     // that of the base's
		bundle.Totals
		Parts    int          `json:"parts"`
		Findings chart.Errors `json:"findings"`
	}{Complete: len(rep.Findings) == 0, Parts: rep.Parts, Findings: append(chart.Errors{}, rep.Findings...)} // a list, also when empty
	if m := rep.Manifest; m != nil {
		r.Manifest, r.Base, r.Totals = m.Digest(), m.Base, m.Totals()
	}
	return writeJSON(w, r)
}

const bundleVerifyLong = `Verify reads a bundle from end to end and says what is missing in it or was changed,
with the file and the remedy. It needs no network, and no disk space. Every archive
is checked as Helm would load it.

FILE is the bundle; or its parts, in any order; or its first part or its .sha256
file, when the others stand beside it; or - for standard input. A delta is checked
for what it brings; --base checks what it needs as well.

Exit status: 0 complete and unchanged, 1 not so.`

const bundleVerifyExample = `  # After the carrying
  chartserve bundle verify site.bundle.tar.001

  # A delta, against the folder that it will be loaded into
  chartserve bundle verify june.bundle.tar --base /srv/charts

  # For a script
  chartserve bundle verify site.bundle.tar --output json`
