package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/bundle"
)

// bundleLoadFlags are those of bundle load.
type bundleLoadFlags struct {
	deliveryFlags
	keyringFlags
	trustFlags
	replace bool
}

func newBundleLoad() *cobra.Command {
	f := new(bundleLoadFlags)
	cmd := &cobra.Command{
		Use:     "load FILE...",
		Short:   "Bring a bundle into a repository folder, all or nothing",
		Long:    bundleLoadLong,
		Example: bundleLoadExample,
		Args:    bundleArgs,
		RunE:    f.load,
	}
	flags := cmd.Flags()
	f.registerJobs(flags)
	flags.BoolVar(&f.replace, "replace", false, "take the bundle's archives in place of others of the same name and version")
	f.deliveryFlags.register(cmd, "load into")
	f.keyringFlags.register(cmd, "the public keys for --require-signature")
	f.trustFlags.register(cmd, "publish what is new in the bundle")
	return cmd
}

func (f *bundleLoadFlags) load(cmd *cobra.Command, args []string) error {
	if err := f.checkJobs(); err != nil {
		return err
	}
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	o.Jobs = f.jobs
	vouch, err := f.vouch(f.keyrings)
	if err != nil {
		return err
	}
	ctx, stdout := cmd.Context(), cmd.OutOrStdout()
	if err := f.prepare(cmd, o); err != nil {
		return err
	}
	done, err := bundle.Load(ctx, args, f.path, bundle.ReadOptions{
		Stdin: cmd.InOrStdin(), Limits: o.Limits, Replace: f.replace, Vouch: vouch, Progress: o.Progress,
	})
	if err != nil {
		return findingsError(cmd, err)
	}
	if done.Written+done.Resumed == 0 {
		text := fmt.Sprintf("%s has all of it already: %s\n", f.path, bundleCounts(done.Manifest.Totals()))
		return f.say(stdout, text, "nothing new", "repository", f.path, "contents", done.Manifest.Totals())
	}
	if err := f.summary(stdout, done); err != nil {
		return err
	}
	return f.takeIn(cmd, o)
}

func (f *bundleLoadFlags) summary(w io.Writer, done *bundle.Loaded) error {
	text := fmt.Sprintf("Loaded %s: %s new", bundleCounts(done.Manifest.Totals()), plural(done.Written+done.Resumed, "file"))
	if done.Resumed > 0 {
		text += fmt.Sprintf(" (%d from an earlier, interrupted load)", done.Resumed)
	}
	if done.Present > 0 {
		text += fmt.Sprintf(", %d there already", done.Present)
	}
	return f.say(w, text+"\n", "loaded", "contents", done.Manifest.Totals(), "written", done.Written, "resumed", done.Resumed, "present", done.Present)
}

const bundleLoadLong = `Load verifies a bundle while it copies what is new into the repository folder, and
publishes all of it in one step; a chartserve that runs on the folder serves it at
once. When anything is wrong, with the bundle, with a part, with what a delta needs
from the folder, nothing is published and the folder stays as it was.

It can be repeated: what is there already is not written again, neither by a second
load nor by one that goes on after an interruption. An archive that the folder has
with other bytes under the same name and version is an error, unless --replace.

FILE is what chartserve bundle verify takes, too.`

const bundleLoadExample = `  # Into the folder that chartserve --repo-path /srv/charts serves
  chartserve bundle load site.bundle.tar --repo-path /srv/charts

  # From parts on several media
  chartserve bundle load --repo-path /srv/charts \
    /media/a/site.bundle.tar.001 /media/b/site.bundle.tar.002

  # Over the one connection there is
  chartserve bundle create -o - |
    ssh site.example.com chartserve bundle load - --repo-path /srv/charts`
