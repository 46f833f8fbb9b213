package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which chartserve this is",
		Long:    "Version prints the version of chartserve, the commit that it was built from where\nthat is known, and the Go version and platform that it was built for.",
		Example: `  chartserve version`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("version takes no argument, but got %q", args[0])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "chartserve version "+versionText(debug.ReadBuildInfo()))
			return err
		},
	}
}

// programVersion is the short form, for /status.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	version, _ := versionOf(info, ok)
	return version
}

// versionText is what "chartserve version" says after the name.
func versionText(info *debug.BuildInfo, ok bool) string {
	version, revision := versionOf(info, ok)
	platform := fmt.Sprintf("%s, %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if revision != "" {
		platform = "revision " + revision + ", " + platform
	}
	return version + " (" + platform + ")"
}

// versionOf is the module's version, "devel" where it was built from a working
// copy without one, and the commit, marked where there were changes on top.
func versionOf(info *debug.BuildInfo, ok bool) (version, revision string) {
	version = "devel"
	if !ok {
		return version, ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = v
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if revision != "" && changed {
		revision += " with changes"
	}
	return version, revision
}
