package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chartserve/internal/listen"
	"chartserve/internal/repo"
)

// Exit statuses.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// usageError is a command line, or an environment, that could not be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// errReported is a failure whose lines have been printed already.
var errReported = errors.New("reported")

// complain says on stderr what is wrong: a line, or a record with --log-format json.
func complain(cmd *cobra.Command, level slog.Level, text string) {
	if format := cmd.Flags().Lookup("log-format"); format != nil && format.Value.String() == "json" {
		newLogger(cmd.ErrOrStderr(), "json", "info").Log(context.Background(), level, text)
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "chartserve: %s\n", oneLine(text))
}

// report says err on stderr and returns the exit status for it.
func report(cmd *cobra.Command, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported) && errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errReported):
		return exitFailure
	case errors.Is(err, context.Canceled):
		complain(cmd, slog.LevelError, "interrupted")
		return exitFailure
	}
	complain(cmd, slog.LevelError, err.Error()+origins(cmd.Flags(), err.Error()))
	if errors.As(err, new(usageError)) || errors.As(err, new(repo.OptionError)) || errors.As(err, new(listen.ValueError)) {
		return exitUsage
	}
	return exitFailure
}

// oneLine joins the lines of text, so that an error is always one line in a log,
// and takes out what would move the cursor of a terminal: names of files and
// contents of charts come from anybody.
func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.Join(lines, "; "))
}

// flagError says what is wrong with a flag and what would be right.
func flagError(cmd *cobra.Command, err error) error {
	if unknown := new(pflag.NotExistError); errors.As(err, &unknown) {
		return usagef("%w (%s)", err, flagRemedy(cmd, unknown))
	}
	if invalid := new(pflag.InvalidValueError); errors.As(err, &invalid) {
		return usagef("invalid value %q for --%s: %s", invalid.GetValue(), invalid.GetFlag().Name, flagReason(err))
	}
	return usagef("%w (%s --help tells more)", err, cmd.CommandPath())
}

// flagRemedy looks for a flag that was probably meant: one spelled alike, or the
// same one of another command.
func flagRemedy(cmd *cobra.Command, unknown *pflag.NotExistError) string {
	help := cmd.CommandPath() + " --help lists the flags"
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return help
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := meant(name, names); len(near) > 0 {
		return "did you mean --" + strings.Join(near, " or --") + "?"
	}
	for _, other := range cmd.Root().Commands() {
		if other.Flags().Lookup(name) != nil {
			return "it is a flag of " + other.CommandPath() + "; " + help
		}
	}
	return help
}

// meant finds the flags among names that name was probably meant for.
func meant(name string, names []string) []string {
	if ours := ourName(name); slices.Contains(names, ours) {
		return []string{ours}
	}
	return alike(name, names)
}

// ourName is the flag that has another name in ChartMuseum, and in many servers; empty
// where there is none.
func ourName(name string) string {
	switch name {
	case "port", "host", "bind", "listen", "listen-host", "listen-address":
		return "address"
	case "storage-local-rootdir", "data-dir":
		return "repo-path"
	case "chart-url", "base-url":
		return "url"
	case "basic-auth-user", "basic-auth-pass", "basic-auth-password":
		return "htpasswd"
	case "auth-anonymous-get":
		return "anonymous-read"
	case "log-json":
		return "log-format"
	case "debug", "verbose":
		return "log-level"
	}
	return ""
}

// alike finds the names that are spelled like name. cobra knows that, but only of
// commands.
func alike(name string, names []string) []string {
	cmd := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, n := range names {
		cmd.AddCommand(&cobra.Command{Use: n, Run: func(*cobra.Command, []string) {}})
	}
	return cmd.SuggestionsFor(name)
}
