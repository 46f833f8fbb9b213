// Command chartserve keeps a Helm chart repository equal to a set of chart source
// directories, and serves it.
//
//	chartserve [SOURCE...]         serve the charts below SOURCE, live (also: chartserve serve)
//	chartserve build [SOURCE...]   make the same repository once, and exit
//	chartserve package CHART...    make archives of single charts, as helm package does
//	chartserve index DIR           write the index.yaml of a folder of archives
//	chartserve prune NAME...       take versions out of a repository's index
//	chartserve gc                  remove what was pushed and nothing refers to
//	chartserve mirror [URL...]     copy charts of other repositories into a repository folder
//	chartserve verify              prove that a repository is complete and unchanged
//	chartserve bundle COMMAND      carry a repository over an air gap: create, verify, load
//	chartserve images [CHART...]   list the container images that charts name
//	chartserve push CHART... URL   send charts to a repository that takes uploads
//	chartserve delete CHART... URL take versions out of such a repository
//	chartserve token create NAME   make a token that clients log in with
//	chartserve config check FILE   check a settings file
//	chartserve health              ask a running server whether it is alive, or ready
//	chartserve licenses            print the licences of what is linked into the program
//	chartserve version             print which chartserve this is
//	chartserve completion SHELL    print a completion script
//
// SOURCE is a directory or a glob, by default the working directory. A directory
// with a Chart.yaml is a chart; a .tgz outside a chart is published as it is.
// SOURCE trees are never written to: archives and index.yaml go to the
// repository folder (--repo-path), which any web server can serve as well.
//
// Each flag can be set in a settings file, which --config names: a YAML mapping of
// flags' names to values. It can also be set by an environment variable: CHARTSERVE_
// and the flag's name in capitals, with "_" for "-", so CHARTSERVE_REPO_PATH for
// --repo-path. A flag that can be given several times takes its values separated by
// commas or newlines there; an empty variable counts as unset. The command line wins
// over the file, and the file over the environment. CHARTSERVE_SOURCE, or source in
// the file, holds the SOURCEs where the command line names none.
// SOURCE_DATE_EPOCH sets the timestamp inside archives and the dates in the index.
//
// Results go to stdout, logs to stderr. The exit status is 0 when all went well,
// 1 when something failed, 2 when the command line could not be understood.
//
// This package holds flags, wiring and what a person reads. What is served and
// when it is made again is decided in internal/repo, how it is answered in
// internal/httpapi.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole command: args are without the program's name, the result is
// the exit status. It returns when the command is done, ctx ends, or SIGINT or
// SIGTERM arrives; a second signal ends the process at once.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The signals get their default action back as soon as the first has come.
	defer context.AfterFunc(ctx, stop)()
	ctx, end := withHelm(ctx)
	defer end()

	started := false
	root := newRoot(func() { started = true })
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		bareUsages(root)
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !started {
		// Whatever cobra refuses before a command starts is a matter of usage.
		err = usageError{err}
	}
	return report(cmd, err)
}
