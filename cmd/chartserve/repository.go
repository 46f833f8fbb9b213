package main

import (
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// sourceFlags hold the SOURCEs of a settings file or of the environment. The command line
// has arguments for them, so that the flag is not shown.
type sourceFlags struct{ sources []string }

func (f *sourceFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.sources, "source", nil, "`SOURCE`, a directory or a glob, where the command line names none (repeatable)")
	_ = flags.MarkHidden("source") // it is there
}

// chosen are the SOURCEs to search: those on the command line, else those of the file or the
// environment, else the working directory, else, where only a repository folder was named, none.
func (f *sourceFlags) chosen(args []string, repoPathGiven bool) []string {
	switch {
	case len(args) > 0:
		return args
	case len(f.sources) == 0 && !repoPathGiven:
		return []string{"."}
	}
	return f.sources
}

// origin names where charts come from: the SOURCEs, else the repository folder.
func origin(sources []string, repoPath string) string {
	if len(sources) == 0 {
		return repoPath
	}
	return strings.Join(sources, ", ")
}

// closeRepo gives the folder free. What can't be saved then is only what makes
// the next start fast, so it is no failure of the command.
func closeRepo(r io.Closer, logger *slog.Logger) {
	if err := r.Close(); err != nil {
		logger.Warn("the state could not be saved; the next start reads everything again", "error", err)
	}
}

// completeDirs lets the shell complete arguments with directories.
func completeDirs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}
