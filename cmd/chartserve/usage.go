package main

import (
	"fmt"
	"slices"
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
	for _, group := range commandGroups(cmd) {
		fmt.Fprintf(&b, "\n%s:\n", group.title)
		for _, c := range group.commands {
			fmt.Fprintf(&b, "  %-12s %s\n", c.Name(), c.Short)
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

// commandGroup is a part of the list of commands.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

// commandGroups are the commands below cmd: those of the program by what they are for.
func commandGroups(cmd *cobra.Command) (groups []commandGroup) {
	rest := slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
	if !cmd.HasParent() {
		for _, g := range [][]string{
			{"Make and serve", "serve", "build", "package", "index", "prune", "gc", "token", "health"},
			{"Publish", "push", "delete"},
			{"Carry and check", "mirror", "bundle", "verify", "images"},
		} {
			group := commandGroup{title: g[0]}
			for _, name := range g[1:] {
				if i := slices.IndexFunc(rest, func(c *cobra.Command) bool { return c.Name() == name }); i >= 0 {
					group.commands, rest = append(group.commands, rest[i]), slices.Delete(rest, i, i+1)
				}
			}
			groups = append(groups, group)
		}
	}
	if len(rest) > 0 {
		title := "Commands"
		if len(groups) > 0 {
			title = "More commands"
		}
		groups = append(groups, commandGroup{title, rest})
	}
	return groups
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
