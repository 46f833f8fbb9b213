package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"chartserve/internal/repo"
)

// packageFlags are those of helm package that people use in make targets, and
// where dependencies are looked for.
type packageFlags struct {
	contentFlags
	keyringFlags
	signFlags
	overrideFlags
	destination   string
	strict, quiet bool
}

// overrideFlags say what single charts are packaged as, and with what.
type overrideFlags struct {
	version, appVersion string
	sources             []string
}

func (f *overrideFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.version, "version", "", "set the chart's version to this `SEMVER`")
	flags.StringVar(&f.appVersion, "app-version", "", "set the chart's appVersion to this `VERSION`")
	flags.StringArrayVar(&f.sources, "source", nil, "`SOURCE` where dependencies on this repository are found; each chart's parent directory without it (repeatable)")
}

func newPackage() *cobra.Command {
	f := new(packageFlags)
	cmd := &cobra.Command{
		Use:               "package CHART...",
		Short:             "Make archives of single charts, as helm package does",
		Long:              packageLong,
		Example:           packageExample,
		ValidArgsFunction: completeDirs,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("package needs a CHART: name the directory that holds its Chart.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.pack(cmd, args)
		},
	}
	f.contentFlags.register(cmd)
	f.keyringFlags.register(cmd, "the secret --key")
	f.signFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.destination, "destination", "d", ".", "`DIR` to write the archives to")
	_ = cmd.MarkFlagDirname("destination")
	f.overrideFlags.register(cmd)
	flags.BoolVar(&f.strict, "strict", false, strictUsage+", as it always is here")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the archives' paths and nothing else")
	return cmd
}

func (f *packageFlags) pack(cmd *cobra.Command, args []string) error {
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if len(f.keyrings) > 0 && !f.sign {
		o.Logger.Warn("--keyring does nothing without --sign")
	}
	key, err := f.signer(f.keyrings, cmd.InOrStdin(), o.Timestamp)
	if err != nil {
		return err
	}
	if key != nil {
		o.Signer = key
	}
	o.Sources, o.Strict = f.sources, f.strict
	paths, failures, err := repo.Package(cmd.Context(), args, f.destination, repo.PackageOptions{
		Options: o, Version: f.version, AppVersion: f.appVersion,
	})
	if werr := f.printPaths(cmd.OutOrStdout(), paths); werr != nil {
		return werr
	}
	for _, bad := range failures {
		complain(cmd, slog.LevelError, bad.Path+": "+bad.Reason)
	}
	switch {
	case err != nil && !errors.Is(err, repo.ErrBadCharts):
		return err
	case len(failures) > 0:
		return errReported
	}
	return err
}

// printPaths prints the line of helm package for each archive, to the letter:
// scripts cut the path out of it. The path is absolute, as Helm's is without -d.
func (f *packageFlags) printPaths(w io.Writer, paths []string) error {
	format := "Successfully packaged chart and saved it to: %s\n"
	if f.quiet {
		format = "%s\n"
	}
	for _, p := range paths {
		if _, err := fmt.Fprintf(w, format, p); err != nil {
			return err
		}
	}
	return nil
}

const packageLong = `Package makes NAME-VERSION.tgz of each CHART, a directory with a Chart.yaml, with
its dependencies inside: it stands in for helm dependency update and helm package
together, and writes nothing into the chart's directory. Archives of the charts that
it wrote earlier, in the destination or in the charts, are no part of them.

It prints the same line as helm package for each archive, so that scripts which
read that go on working; with --quiet, only the paths. With --sign the archive's
.prov is beside it, for helm verify; one of other bytes never is. The exit status is
1 when any CHART could not be packaged; the others are.`

const packageExample = `  # In a Makefile, in place of helm dep up and helm package
  chartserve package -d build charts/nova

  # A version for this commit, every file but Chart.yaml's version line as it is
  chartserve package --version 1.2.3 --build-metadata "$(git rev-parse --short HEAD)" charts/nova

  # Signed, as helm package --sign does it
  gpg --export-secret-keys ann@example.com >secret.gpg
  chartserve package --sign --key ann --keyring secret.gpg --passphrase-file pass charts/nova

  # The path, for a script
  archive=$(chartserve package -q charts/nova)`
