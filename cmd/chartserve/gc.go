package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
	"chartserve/internal/store"
)

// gcFlags say what is collected.
type gcFlags struct {
	logFlags
	path     string
	untagged bool
	dryRun   bool
	output   choice
}

func newGC() *cobra.Command {
	f := new(gcFlags)
	cmd := &cobra.Command{
		Use:               "gc",
		Short:             "Remove what was pushed to a repository and nothing refers to",
		Long:              gcLong,
		Example:           gcExample,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return f.gc(cmd) },
	}
	f.logFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.path, "repo-path", store.DefaultFolder, "repository folder: the `DIR` to clean")
	_ = cmd.MarkFlagDirname("repo-path")
	flags.BoolVar(&f.untagged, "untagged", false, "remove manifests too that have no tag and that nothing with a tag refers to")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only say what would be removed")
	registerOutput(cmd, &f.output)
	return cmd
}

func (f *gcFlags) gc(cmd *cobra.Command) error {
	if _, err := os.Stat(f.path); err != nil {
		return fmt.Errorf("repository folder %q: %w (--repo-path names the folder)", f.path, err)
	}
	var removed []layout.Garbage
	o := layout.CollectOptions{Untagged: f.untagged, DryRun: f.dryRun, Removed: func(g layout.Garbage) { removed = append(removed, g) }}
	done, err := repo.CollectFolder(cmd.Context(), f.path, o, repo.Options{Logger: f.logger(cmd.ErrOrStderr())})
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("repository folder %q: %w, which removes by itself once an hour what nothing refers to (stop it first, if --untagged is what you want)", f.path, store.ErrLocked)
	}
	return errors.Join(f.writeCollected(cmd.OutOrStdout(), done, removed), err)
}

// writeCollected says what was removed, also where something else could not be.
func (f *gcFlags) writeCollected(w io.Writer, done layout.Collected, removed []layout.Garbage) error {
	if f.output.value == "json" {
		return writeJSON(w, struct {
			DryRun bool `json:"dryRun"`
			layout.Collected
			Removed []layout.Garbage `json:"removed"`
		}{f.dryRun, done, append([]layout.Garbage{}, removed...)})
	}
	verb := "Removed"
	if f.dryRun {
		verb = "Would remove"
	}
	var b strings.Builder
	for _, g := range removed {
		fmt.Fprintf(&b, "%s %s\n", verb, garbageText(g))
	}
	if done == (layout.Collected{}) {
		fmt.Fprintf(&b, "Nothing to remove in %s\n", f.path)
	} else {
		fmt.Fprintf(&b, "%s %s, %s and %s: %s\n", verb, plural(done.Manifests, "manifest"), plural(done.Blobs, "blob"), plural(done.Uploads, "upload"), bytesText(done.Bytes))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// garbageText is "manifest library/nginx:1.25 (sha256:4bc0...)".
func garbageText(g layout.Garbage) string {
	switch {
	case g.Kind == "upload":
		return fmt.Sprintf("upload to %s (%s)", g.Name, bytesText(g.Size))
	case g.Tag != "":
		return fmt.Sprintf("%s %s:%s (%s)", g.Kind, g.Name, g.Tag, g.Digest)
	}
	return fmt.Sprintf("%s %s@%s (%s)", g.Kind, g.Name, g.Digest, bytesText(g.Size))
}

const gcLong = `Gc removes what was pushed to a repository, as to an OCI registry, and nothing refers
to: blobs that no manifest of their name mentions, the manifests of chart versions that
have left the index, and uploads that nobody went on with for a day. What is younger than
an hour stays: it may belong to a push that was cut off and goes on.

A manifest without a tag stays, with all its blobs, because people deploy by digest.
--untagged removes those too, but for what a manifest with a tag refers to and for the
signatures of what stays.

A chartserve that runs on the folder does this by itself, once an hour. The command is for
a folder that nobody serves. Named repositories have folders of their own.`

const gcExample = `  # What would be removed?
  chartserve gc --dry-run

  # In the folder of a named repository, with old builds that lost their tags
  chartserve gc --repo-path /var/lib/chartserve/team --untagged`
