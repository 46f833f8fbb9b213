package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release and builtFrom are set by the linker where a release is made: its version, and the
// short commit. They are empty in every other build.
var release, builtFrom string

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which chartserve this is",
		Long:    "Version prints the version of chartserve, the commit where it is known, and the Go version\nand platform that it was built for.",
		Example: `  chartserve version`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("version takes no argument, but got %q", args[0])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "chartserve version "+versionText(programVersion(), builtFrom))
			return err
		},
	}
}

// programVersion is the release's version, or the module's, which names the commit where no
// tag does; "devel" where none is known.
func programVersion() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

// versionText is what "chartserve version" says after the name. commit may be empty.
func versionText(version, commit string) string {
	if commit != "" {
		commit = "commit " + commit + ", "
	}
	return fmt.Sprintf("%s (%s%s, %s/%s)", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
