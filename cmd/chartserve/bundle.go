package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/bundle"
)

// newBundle holds the commands that carry a repository over an air gap.
func newBundle() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bundle",
		Short:   "Carry a repository over an air gap: create, verify, load",
		Long:    bundleLong,
		Example: bundleExample,
	}
	return asGroup(cmd, newBundleCreate(), newBundleVerify(), newBundleLoad())
}

// bundleArgs asks for at least one FILE.
func bundleArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s needs a FILE: the bundle, its parts, its first part, or - for standard input", cmd.CommandPath())
	}
	for _, arg := range args {
		if arg == "-" && len(args) > 1 {
			return fmt.Errorf("- stands for a whole bundle on standard input: name no other FILE")
		}
	}
	return nil
}

// bundleCounts is "80 archives, 3 provenance files, 12 images".
func bundleCounts(t bundle.Totals) string {
	text := plural(t.Archives, "archive")
	if t.Provenance > 0 {
		text += ", " + plural(t.Provenance, "provenance file")
	}
	if t.Images > 0 {
		text += ", " + plural(t.Images, "image")
	}
	return text
}

const bundleLong = `Bundle carries a repository to a site without a network: one file, or parts of it
that fit the media, with archives, provenance, the index and the list of images,
and a manifest with the SHA-256 and size of each.

The same repository gives the same bundle. A bundle is a plain tar, which other
tools read too; docs/air-gap.md describes what is in it.`

const bundleExample = `  # Where there is a network: bundle the repository in .chartserve
  chartserve bundle create -o site.bundle.tar

  # At the site: is it all there and unchanged? Then take it in
  chartserve bundle verify site.bundle.tar
  chartserve bundle load site.bundle.tar --repo-path /srv/charts`
