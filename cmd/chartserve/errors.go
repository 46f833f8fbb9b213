package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// report prints err as one line on stderr and gives the exit status for it.
func report(stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailure
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "chartserve: interrupted")
		return exitFailure
	}
	fmt.Fprintf(stderr, "chartserve: %s\n", oneLine(err.Error()))
	if usage := (usageError{}); errors.As(err, &usage) {
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
	// cobra knows what is spelled alike, but only of commands.
	alike := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		alike.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if near := alike.SuggestionsFor(name); len(near) > 0 {
		return "did you mean --" + strings.Join(near, " or --") + "?"
	}
	for _, other := range cmd.Root().Commands() {
		if other.Flags().Lookup(name) != nil {
			return "it is a flag of " + other.CommandPath() + "; " + help
		}
	}
	return help
}
