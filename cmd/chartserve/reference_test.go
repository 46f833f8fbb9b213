package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReference: docs/reference says what the code says. With -update it is written.
//
// A page of a command is the source of its manual page too. Its form is fixed: the name is
// the heading, the line below it the summary; sections have headings of the second level, and
// groups of flags of the third. A paragraph that begins with ** is a term, and the next
// paragraph says what it is.
func TestReference(t *testing.T) {
	root := newRoot(func() {})
	pages := map[string]string{
		"environment.md": environmentPage(root),
		"settings.md":    settingsPage(root),
		"metrics.md":     metricsPage(t),
		"status.md":      schemaPage(t, "status"),
		"access.md":      schemaPage(t, "access"),
		"mirror.md":      schemaPage(t, "mirror"),
	}
	for _, cmd := range documented(root) {
		pages[pageOf(cmd)] = commandPage(cmd)
	}
	pages["README.md"] = indexPage(root)
	for name, page := range pages {
		golden(t, filepath.Join("reference", name), page)
	}
	there, err := os.ReadDir("../../docs/reference")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if pages[f.Name()] == "" && f.Name() != "routes.md" { // which is httpapi's
			t.Errorf("docs/reference/%s is of nothing that there is: remove it", f.Name())
		}
	}
}

// documented are the commands that have pages, in the order of the help.
func documented(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.Name() != "help" && cmd.Name() != "completion" { // its shells are in its own page
			all = append(all, documented(sub)...)
		}
	}
	return all
}

// pageOf is the name of a command's page, which is that of its manual page too.
func pageOf(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".md"
}

func commandPage(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n## Synopsis\n\n", cmd.CommandPath(), prose(cmd.Short))
	if !cmd.HasParent() || !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "**%s**%s\n\n", cmd.CommandPath(), synopsis(cmd))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "**%s** *COMMAND*\n\n", cmd.CommandPath())
	}
	long, exit := exitText(cmd.Long)
	fmt.Fprintf(&b, "## Description\n\n%s\n", paragraphs(long))
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n## Commands\n")
		for _, group := range commandGroups(cmd) {
			if !cmd.HasParent() {
				fmt.Fprintf(&b, "\n### %s\n", group.title)
			}
			for _, sub := range group.commands {
				fmt.Fprintf(&b, "\n%s\n\n%s.\n", link(sub), prose(sub.Short))
			}
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n## Examples\n\n```text\n%s\n```\n", unindent(cmd.Example))
	}
	switch {
	case !cmd.HasParent():
		fmt.Fprintf(&b, "\n## Flags\n\nThose of %s, and:\n\n**--version**\n\nPrint which chartserve this is.\n", link(find(cmd, "serve")))
	case cmd.LocalFlags().HasAvailableFlags():
		b.WriteString("\n## Flags\n")
		for _, title := range titles() {
			writeFlagsPage(&b, title, cmd)
		}
	}
	fmt.Fprintf(&b, "\n## Exit status\n\n%s\n\n## See also\n\n%s\n", paragraphs(exit), strings.Join(related(cmd), ", "))
	return b.String()
}

// synopsis is what follows a command's name on the command line.
func synopsis(cmd *cobra.Command) string {
	_, args, _ := strings.Cut(cmd.Use, " ")
	if args != "" {
		args = " *" + escape(args) + "*"
	}
	if cmd.LocalFlags().HasAvailableFlags() && !strings.Contains(args, "--") {
		args = " \\[*flags*\\]" + args
	}
	return args
}

// exitText takes what a description says of exit statuses out of it.
func exitText(long string) (rest, exit string) {
	parts := strings.Split(strings.TrimSpace(long), "\n\n")
	last := parts[len(parts)-1]
	for _, begin := range []string{"Exit status: ", "It exits with "} {
		if text, ok := strings.CutPrefix(last, begin); ok {
			return strings.Join(parts[:len(parts)-1], "\n\n"), strings.TrimSuffix(text, ".") + "."
		}
	}
	return long, "0 ok, 1 failure, 2 usage."
}

func writeFlagsPage(b *strings.Builder, title string, cmd *cobra.Command) {
	first := true
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || strings.Join(f.Annotations[titleAnnotation], "") != title {
			return
		}
		if first && title != "" {
			fmt.Fprintf(b, "\n### %s\n", title)
		}
		first = false
		fmt.Fprintf(b, "\n%s\n\n%s\n", flagTerm(f), flagText(f))
	})
}

// flagTerm is a flag as it is written on the command line.
func flagTerm(f *pflag.Flag) string {
	term := "**--" + f.Name + "**"
	if f.Shorthand != "" {
		term = "**-" + f.Shorthand + "**, " + term
	}
	value, _ := plainUsage(f)
	switch {
	case f.Value.Type() == "bool" && strings.HasPrefix(value, "["):
		term += escape(value)
	case f.Value.Type() != "bool":
		term += " *" + escape(value) + "*"
	}
	return term
}

// flagText is what a flag is for, its default and its variable.
func flagText(f *pflag.Flag) string {
	_, usage := plainUsage(f)
	text := sentence(usage)
	if d := shownDefault(f); d != "" {
		text += " Default: " + d + "."
	}
	if name := envName(f); name != "" {
		text += " Variable: `" + name + "`."
	}
	return text
}

// shownDefault is a default that says something.
func shownDefault(f *pflag.Flag) string {
	switch value := defaultOf(f).(type) {
	case nil, bool:
		return ""
	case []string:
		return "`" + strings.Join(value, "`, `") + "`"
	default:
		return fmt.Sprintf("`%v`", value)
	}
}

// related are the pages beside one.
func related(cmd *cobra.Command) (links []string) {
	if cmd.HasParent() {
		links = append(links, link(cmd.Parent()))
		for _, sub := range cmd.Parent().Commands() {
			if sub != cmd && cmd.Parent().HasParent() {
				links = append(links, link(sub))
			}
		}
	}
	return append(links, "[settings](settings.md)", "[environment](environment.md)")
}

func find(root *cobra.Command, name string) *cobra.Command {
	cmd, _, _ := root.Find([]string{name}) // it is there
	return cmd
}

// link is a command's name that leads to its page; shells have none.
func link(cmd *cobra.Command) string {
	if cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
		return "**" + cmd.CommandPath() + "**"
	}
	return "[**" + cmd.CommandPath() + "**](" + pageOf(cmd) + ")"
}

// special are the characters that Markdown takes for its own.
var special = regexp.MustCompile("[\\\\`*_\\[\\]<>&|]")

func escape(text string) string { return special.ReplaceAllString(text, `\$0`) }

// codeLike is what is set as code: command lines, flags, variables, globs; and pages, to which
// a link leads.
var codeLike = regexp.MustCompile(`"(?:chartserve|helm) [^"]*"|\bdocs/[a-z-]+\.md|--[a-z][a-z-]+[a-z](=[^\s,;:)]+)?|\bCHARTSERVE_[A-Z_]+|SOURCE_DATE_EPOCH|'[^' ]*[*][^' ]*'`)

// prose is plain text as Markdown.
func prose(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range codeLike.FindAllStringIndex(text, -1) {
		b.WriteString(escape(text[at:m[0]]))
		word := strings.Trim(strings.ReplaceAll(text[m[0]:m[1]], "\n", " "), `'"`)
		if page, ok := strings.CutPrefix(word, "docs/"); ok {
			fmt.Fprintf(&b, "[%s](../%s)", page, page)
		} else {
			b.WriteString("`" + word + "`")
		}
		at = m[1]
	}
	return b.String() + escape(text[at:])
}

// sentence begins with a capital letter and ends in a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return prose(strings.ToUpper(text[:1])+text[1:]) + "."
}

// paragraphs are those of a description; indented lines are an example.
func paragraphs(text string) string {
	var all []string
	for part := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(text), "\t", "    "), "\n\n") {
		if strings.HasPrefix(part, "  ") {
			all = append(all, "```text\n"+unindent(part)+"\n```")
			continue
		}
		all = append(all, prose(part))
	}
	return strings.Join(all, "\n\n")
}

// unindent takes off what all lines begin with.
func unindent(text string) string {
	lines := strings.Split(text, "\n")
	least := slices.MinFunc(lines, func(a, b string) int { return indent(a) - indent(b) })
	for i, line := range lines {
		lines[i] = strings.TrimRight(line[min(len(line), indent(least)):], " ")
	}
	return strings.Join(lines, "\n")
}

func indent(line string) int {
	if strings.TrimSpace(line) == "" {
		return 1000
	}
	return len(line) - len(strings.TrimLeft(line, " "))
}
