package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// indexFlags are those of helm repo index, and how index.yaml is written.
type indexFlags struct {
	logFlags
	limitFlags
	url    string
	merge  string
	format choice
	strict bool
}

func newIndex() *cobra.Command {
	f := new(indexFlags)
	cmd := &cobra.Command{
		Use:               "index DIR",
		Short:             "Write the index.yaml of a folder of archives, as helm repo index does",
		Long:              indexLong,
		Example:           indexExample,
		ValidArgsFunction: completeDirs,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("index needs one DIR, the folder that holds the archives; it got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.index(cmd, args[0])
		},
	}
	f.logFlags.register(cmd)
	flags := cmd.Flags()
	f.limitFlags.register(flags)
	flags.StringVar(&f.url, "url", "", "`URL` prefix of the archives, of any scheme or a path; relative URLs without it")
	flags.StringVar(&f.merge, "merge", "", "`FILE`, an index whose entries are kept where DIR has no archive for them; it may be missing")
	registerFormat(cmd, &f.format)
	flags.BoolVar(&f.strict, "strict", false, "any bad archive is a failure, exit status 1, and index.yaml is left as it was")
	return cmd
}

func (f *indexFlags) index(cmd *cobra.Command, dir string) error {
	start := time.Now()
	defer setGarbage(startGarbage)()
	if err := f.checkJobs(); err != nil {
		return err
	}
	epoch, err := sourceDateEpoch()
	if err != nil {
		return err
	}
	logger := f.logger(cmd.ErrOrStderr())
	st, err := repo.IndexFolder(cmd.Context(), dir, f.merge, repo.Options{
		URL: f.url, Timestamp: epoch, IndexFormat: index.Format(f.format.value), Limits: f.limits(), Jobs: f.jobs, Strict: f.strict,
		Version: programVersion(), Logger: logger, Progress: newProgress(cmd.ErrOrStderr(), logger).step,
	})
	if err != nil && !errors.Is(err, repo.ErrBadCharts) {
		return err
	}
	took, file := time.Since(start), filepath.Join(dir, "index.yaml")
	message, text := "indexed", fmt.Sprintf("Indexed %s in %s in %s\n", counts(st), file, seconds(took))
	if err != nil {
		message, text = "left as it was", file+" is left as it was\n"
	}
	werr := f.say(cmd.OutOrStdout(), text, message, append(record(st, took), "file", file)...)
	f.sayFailures(cmd.ErrOrStderr(), st.Failures, "")
	return cmp.Or(werr, err)
}

const indexLong = `Index reads and checks every archive in DIR, at any depth, and writes DIR/index.yaml
in one step; archives that a chart in DIR holds are left alone. It stands in for
helm repo index, with three differences: versions that differ in build metadata
alone (1.0.0+a, 1.0.0+b) are all kept, an archive that can't be read is reported
with its reason and not passed over, and an archive that is indexed again keeps its
creation time, so that the same archives give the same index.

That time is SOURCE_DATE_EPOCH where it is set, else what the index.yaml that is
there says, else the time of Chart.yaml in the archive, else now.`

const indexExample = `  # Index a folder for a static web server
  chartserve index public --url https://charts.example.com/stable

  # Add new archives to the index of those that are hosted already
  chartserve index new --merge old/index.yaml --url https://charts.example.com/stable`
