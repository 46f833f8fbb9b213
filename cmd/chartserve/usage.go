package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Titles of flags in a command's help and in its page. Flags without one come first.
const (
	severalTitle    = "Several repositories"
	listeningTitle  = "Listening"
	loginTitle      = "Who may"
	uploadTitle     = "Uploads"
	signatureTitle  = "Signatures"
	downloadTitle   = "Other repositories"
	limitTitle      = "Limits"
	seeingTitle     = "Logs and metrics"
	titleAnnotation = "chartserve_title"
)

// titles are those of the groups of flags, in their order.
func titles() []string {
	return []string{"", severalTitle, listeningTitle, loginTitle, uploadTitle, signatureTitle, downloadTitle, limitTitle, seeingTitle}
}

// titled puts the flags that are registered from now on, until the function that it
// returns is called, below a title, if they have none.
func titled(flags *pflag.FlagSet, title string) func() {
	before := map[string]bool{}
	flags.VisitAll(func(f *pflag.Flag) { before[f.Name] = true })
	return func() {
		flags.VisitAll(func(f *pflag.Flag) {
			if !before[f.Name] && f.Annotations[titleAnnotation] == nil {
				_ = flags.SetAnnotation(f.Name, titleAnnotation, []string{title}) // it is there
			}
		})
	}
}

// usage says how a command is called. It differs from cobra's own in that flags have
// titles, and their descriptions are wrapped.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if !cmd.HasAvailableSubCommands() || !cmd.HasParent() { // a group does nothing by itself
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", c.Name(), c.Short)
			}
		}
	}
	for _, title := range titles() {
		writeFlags(&b, title, cmd.LocalFlags())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help tells more about a command.\n", cmd.CommandPath())
	}
	_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
	return err
}

// writeFlags writes those with that title.
func writeFlags(b *strings.Builder, title string, all *pflag.FlagSet) {
	some := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.VisitAll(func(f *pflag.Flag) {
		if strings.Join(f.Annotations[titleAnnotation], "") == title {
			some.AddFlag(f)
		}
	})
	if !some.HasAvailableFlags() {
		return
	}
	if title == "" {
		title = "Flags"
	}
	fmt.Fprintf(b, "\n%s:\n%s", title, some.FlagUsagesWrapped(100))
}
