package main

import (
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// sourceVariable has the SOURCEs of serve and build that name none.
const sourceVariable = envPrefix + "SOURCE"

// sources are the SOURCEs to search: those on the command line, else those in the
// environment, else the working directory, else, where only a repository folder was
// named, none.
func sources(args []string, lookup func(string) (string, bool), repoPathGiven bool) []string {
	text, _ := lookup(sourceVariable)
	named := envList(text)
	switch {
	case len(args) > 0:
		return args
	case len(named) == 0 && !repoPathGiven:
		return []string{"."}
	}
	return named
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
