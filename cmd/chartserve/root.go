package main

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/settings"
)

// newRoot is the tree of commands. started is called when a command line has
// been understood, environment included, before the command does anything.
func newRoot(started func()) *cobra.Command {
	// The root serves: it is the serve command under a shorter name.
	root := newServe()
	root.Use = "chartserve [SOURCE...]"
	root.Short = "Keep a Helm chart repository equal to chart source directories, and serve it"
	root.Long = rootLong
	root.Example = rootExample
	root.Args = rootArgs
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.Version = versionText(programVersion(), builtFrom)
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if name := settingsFile(cmd.Flags(), os.LookupEnv); name != "" {
			all, errs := settings.Read(name)
			errs = append(errs, applyFile(cmd.Flags(), keys(root), all, name)...)
			if err := firstOf(errs, name); err != nil {
				return err
			}
		}
		if err := applyEnv(cmd.Flags(), os.LookupEnv); err != nil {
			return err
		}
		for _, warning := range unknownEnv(root, os.Environ()) {
			complain(cmd, slog.LevelWarn, warning)
		}
		started()
		return nil
	}
	root.AddCommand(newServe(), newBuild(), newPackage(), newIndex(), newPrune(), newGC(), newMirror(), newBundle(), newPush(), newDelete(), newVerify(), newImages(), newToken(), newConfig(), newHealth(), newLicenses(), newVersion())
	registerConfig(root)
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			asGroup(cmd)
			cmd.Short, cmd.Long, cmd.Example = "Print a completion script", completionLong, completionExample
		case "help":
			cmd.Args = helpArgs
		}
	}
	describeEnv(root)
	return root
}

// commandWord is what a mistyped command looks like: it can't be a path with a
// separator, a glob, or a name with a dot or a digit.
var commandWord = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// asGroup makes cmd the group of its commands and of those in more: by itself it prints
// its help.
func asGroup(cmd *cobra.Command, more ...*cobra.Command) *cobra.Command {
	cmd.Args, cmd.RunE = groupArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(more...)
	return cmd
}

// groupArgs refuses what is none of a command's commands.
func groupArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("%s %s is no command: write %s %s", cmd.Name(), args[0], cmd.Name(), oneOf(names))
}

// helpArgs refuses what is no command at all.
func helpArgs(cmd *cobra.Command, args []string) error {
	if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
		return fmt.Errorf("help: %q is no command (chartserve --help lists them)", strings.Join(args, " "))
	}
	return nil
}

// rootArgs lets every SOURCE through; a first word that is neither a command nor
// anything on disk is more likely to be a mistyped command than a missing SOURCE.
func rootArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || !commandWord.MatchString(args[0]) {
		return nil
	}
	if _, err := os.Stat(args[0]); err == nil {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%q is neither a command nor a directory (did you mean %q?)", args[0], near[0])
	}
	return fmt.Errorf("%q is neither a command nor a directory (chartserve --help lists the commands)", args[0])
}

const rootLong = `chartserve keeps a Helm chart repository equal to a set of chart source
directories, and serves it: edit a chart, and the next "helm repo update" sees it.

"chartserve [SOURCE...]" is the same as "chartserve serve [SOURCE...]". SOURCE is a
directory or a glob (quote it), by default the working directory. A SOURCE that is
named like a command is written with its path: ./build.

Each flag can be set in a settings file, which --config names ("chartserve config --help"
has more), and by the environment variable that stands behind it. A flag that can be
given several times takes values separated by commas or newlines from its variable; an
empty variable counts as unset. The command line wins over the file, and the file over
the environment. CHARTSERVE_SOURCE, or source in the file, holds the SOURCEs where the
command line names none. SOURCE_DATE_EPOCH (seconds since 1970) sets the
timestamp inside archives, which is 1980-01-01 otherwise, and each "created" in the
index, which otherwise is when the same bytes were first published.

Exit status: 0 ok, 1 failure, 2 usage.`

const completionLong = `Completion prints a script by which a shell completes commands, flags, folders and the words
that flags take. "chartserve completion SHELL --help" says how to have it in each session.`

const completionExample = `  # For this session of bash, or of zsh
  source <(chartserve completion bash)
  source <(chartserve completion zsh)

  # For all sessions of fish
  chartserve completion fish > ~/.config/fish/completions/chartserve.fish`

const rootExample = `  # Serve the charts below ./charts on http://localhost:8879/charts
  chartserve charts

  # Serve all charts of a site to the whole network
  chartserve --address :8879 'taco-helm-charts/*' 'taco-addons/*'

  # Make the same repository once, for a static web server
  chartserve build --repo-path public charts

  # Serve what a file of settings says
  chartserve --config /etc/chartserve/chartserve.yaml`
