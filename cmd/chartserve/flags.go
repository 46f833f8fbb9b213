package main

import (
	"io"
	"log/slog"
	"path"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
	"chartserve/internal/resolve"

	"chartserve/internal/store"
)

// logFlags are the flags of every command that does work.
type logFlags struct {
	format, level choice
}

func (f *logFlags) register(cmd *cobra.Command) {
	defer titled(cmd.Flags(), seeingTitle)()
	f.format = choice{value: "text", allowed: []string{"text", "json"}}
	f.level = choice{value: "info", allowed: []string{"debug", "info", "warn", "error"}}
	f.format.register(cmd, "log-format", "`FORM` of the log on stderr: text or json")
	f.level.register(cmd, "log-level", "least `LEVEL` that is logged: debug, info, warn, error")
}

// logger writes to w, which is stderr.
func (f *logFlags) logger(w io.Writer) *slog.Logger {
	return newLogger(w, f.format.value, f.level.value)
}

func newLogger(w io.Writer, format, least string) *slog.Logger {
	var level slog.Level
	// choice lets nothing through that slog doesn't know.
	_ = level.UnmarshalText([]byte(least))
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// limitFlags bound what is read and how many charts are worked on at once.
type limitFlags struct {
	file, chart byteSize
	jobs        int
}

// Helm 3's loader refuses larger ones, see pkgr.HelmMaxFile.
const (
	helmFileLimit  = 5 << 20
	helmChartLimit = 100 << 20
)

func (f *limitFlags) register(flags *pflag.FlagSet) {
	f.registerSizes(flags)
	f.registerJobs(flags)
}

func (f *limitFlags) registerJobs(flags *pflag.FlagSet) {
	defer titled(flags, limitTitle)()
	flags.IntVar(&f.jobs, "jobs", 0, "work on `N` charts at once; 0 is one for each CPU")
}

// registerSizes is for commands that read one chart after the other.
func (f *limitFlags) registerSizes(flags *pflag.FlagSet) {
	defer titled(flags, limitTitle)()
	f.file, f.chart = helmFileLimit, helmChartLimit
	flags.Var(&f.file, "max-file-size", "largest `SIZE` of a file in a chart, such as 512KiB or 20M; Helm 3, and 4 before 4.3, load no larger one than 5MiB")
	flags.Var(&f.chart, "max-chart-size", "largest `SIZE` of a chart, uncompressed; Helm 3 and 4 load only smaller ones than 100MiB")
}

// contentFlags decide what goes into archives that are made from sources.
type contentFlags struct {
	logFlags
	limitFlags
	fetchFlags
	ownURLs  []string
	metadata string
	rewriteFlags
}

func (f *contentFlags) register(cmd *cobra.Command) {
	f.registerContent(cmd)
	f.fetchFlags.register(cmd)
}

// registerContent adds the flags but those of fetchFlags.
func (f *contentFlags) registerContent(cmd *cobra.Command) {
	f.logFlags.register(cmd)
	flags := cmd.Flags()
	f.limitFlags.register(flags)
	flags.StringArrayVar(&f.ownURLs, "own-url", nil, "`[NAME=]URL[=SOURCE]` by which charts name this repository in their dependencies, http, https or oci://, besides "+resolve.DefaultOwnURL+"; with NAME also @NAME and alias:NAME; with SOURCE only what is in it (repeatable)")
	f.rewriteFlags.register(flags, "in charts that are packaged and in the index")
	flags.StringVar(&f.metadata, "build-metadata", "", "append +`SHA` to the version of each chart that is packaged")
}

// rewriteFlags say where dependencies point to.
type rewriteFlags struct{ rules []string }

// register adds the flag; where names the places that it changes.
func (f *rewriteFlags) register(flags *pflag.FlagSet, where string) {
	flags.StringArrayVar(&f.rules, "rewrite-repository", nil, "`FROM=TO`: let dependencies on the repository FROM point to TO, "+where+"; FROM * is every http, https and oci repository (repeatable, the first that fits)")
}

func (f *rewriteFlags) rewrites() (chart.Rewrites, error) {
	var rs chart.Rewrites
	for _, rule := range f.rules {
		r, err := chart.ParseRewrite(rule)
		if err != nil {
			return nil, usagef("invalid value for --rewrite-repository: %w", err)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// repoFlags are the flags of the commands that keep a repository folder.
type repoFlags struct {
	contentFlags
	sourceFlags
	path    string
	url     string
	format  choice
	exclude []string
	prune   bool
	digests bool
	retentionFlags
	keepReplaced time.Duration
	keyringFlags
	signFlags
	trustFlags
}

func (f *repoFlags) register(cmd *cobra.Command) {
	f.contentFlags.register(cmd)
	flags := cmd.Flags()
	f.sourceFlags.register(flags)
	flags.StringVar(&f.path, "repo-path", store.DefaultFolder, "repository folder: the `DIR` for archives and index.yaml; given without a SOURCE, what is in it is the whole repository")
	_ = cmd.MarkFlagDirname("repo-path")
	flags.StringVar(&f.url, "url", "", "`URL` prefix of the archives in the index; relative URLs without it")
	registerFormat(cmd, &f.format)
	flags.StringArrayVar(&f.exclude, "exclude", nil, "`GLOB` of directories and files to leave out, by name or by path below a SOURCE (repeatable)")
	flags.BoolVar(&f.prune, "prune", false, "drop archives whose source is gone")
	f.retentionFlags.register(flags, "keep in the index")
	registerDigests(flags, &f.digests)
	registerKeepReplaced(flags, &f.keepReplaced)
	f.keyringFlags.register(cmd, "the secret --key, or with the public keys for --require-signature")
	f.signFlags.register(cmd)
	f.trustFlags.register(cmd, "publish what others made (archives in a SOURCE and in the folder, uploads)")
}

func registerDigests(flags *pflag.FlagSet, digests *bool) {
	flags.BoolVar(digests, "digest-urls", false, "let the index point to archives by their digest, so that a URL never means other bytes")
}

func registerKeepReplaced(flags *pflag.FlagSet, d *time.Duration) {
	flags.DurationVar(d, "keep-replaced", time.Hour, "how long an archive can still be had after it was replaced, pruned or retired, as a `DURATION`; 0 is not at all")
}

// retentionFlags say which versions stay in the index though they are not live.
type retentionFlags struct {
	keep    int
	keepFor period
}

// register adds the flags; verb is what happens to the versions that they name.
func (f *retentionFlags) register(flags *pflag.FlagSet, verb string) {
	flags.IntVar(&f.keep, "keep", 0, verb+" the newest `N` versions of each chart, live ones included; others that are not live are retired; 0 is no such rule")
	flags.Var(&f.keepFor, "keep-for", verb+" the versions that were published less than a `DURATION` ago, such as 90d; older ones that are not live are retired, but for those that --keep keeps; 0 is no such rule")
}

func (f *retentionFlags) check() error {
	if f.keep < 0 {
		return usagef("invalid value %d for --keep: write 0 or more", f.keep)
	}
	return nil
}

func (f *retentionFlags) retention() repo.Retention {
	return repo.Retention{Keep: f.keep, KeepFor: time.Duration(f.keepFor)}
}

// options are what repo.Open needs, from the flags, the environment and the
// SOURCEs on the command line.
func (f *repoFlags) options(cmd *cobra.Command, args []string) (repo.Options, error) {
	o, err := f.contentFlags.options(cmd.ErrOrStderr())
	if err != nil {
		return repo.Options{}, err
	}
	for _, glob := range f.exclude {
		if _, err := path.Match(glob, ""); err != nil {
			return repo.Options{}, usagef("invalid value %q for --exclude: a [ is not closed, or stands empty", glob)
		}
	}
	o.Sources = f.chosen(args, cmd.Flags().Changed("repo-path"))
	o.Exclude = f.exclude
	o.IndexFormat = index.Format(f.format.value)
	o.URL = f.url
	o.Prune = f.prune
	if err := f.retentionFlags.check(); err != nil {
		return repo.Options{}, err
	}
	o.Retention = f.retention()
	o.DigestURLs, o.KeepReplaced = f.digests, f.keepReplaced
	return o, f.signatures(&o, cmd.InOrStdin())
}

// signatures sets who signs, and whose signatures count.
func (f *repoFlags) signatures(o *repo.Options, stdin io.Reader) error {
	if len(f.keyrings) > 0 && !f.sign && !f.require { // CHARTSERVE_KEYRING may be verify's
		o.Logger.Warn("--keyring does nothing without --sign or --require-signature")
	}
	key, err := f.signing(f.keyrings, stdin, o.Timestamp)
	if err != nil {
		return err
	}
	trusted, err := f.trust(f.keyrings)
	if err != nil {
		return err
	}
	if key != nil {
		o.Signer = key
	}
	if trusted != nil {
		o.Trust = trusted
	}
	return nil
}

// options are the part of repo.Options that decides about contents, and what is said
// of the work on stderr.
func (f *contentFlags) options(stderr io.Writer) (repo.Options, error) {
	if err := f.checkJobs(); err != nil {
		return repo.Options{}, err
	}
	if _, err := resolve.NewOwn(f.ownURLs...); err != nil {
		return repo.Options{}, usageError{err}
	}
	timestamp, err := sourceDateEpoch()
	if err != nil {
		return repo.Options{}, err
	}
	rewrites, err := f.rewrites()
	if err != nil {
		return repo.Options{}, err
	}
	logger := f.logger(stderr)
	o := repo.Options{
		OwnURLs:       f.ownURLs,
		Limits:        f.limits(),
		Timestamp:     timestamp,
		BuildMetadata: f.metadata,
		Jobs:          f.jobs,
		Rewrite:       rewrites,
		Version:       programVersion(),
		Logger:        logger,
		Progress:      newProgress(stderr, logger).step,
	}
	o.Fetcher, err = f.fetcher(o.Logger)
	return o, err
}

func (f *limitFlags) checkJobs() error {
	if f.jobs < 0 {
		return usagef("invalid value %d for --jobs: write 0 or more", f.jobs)
	}
	return nil
}

func (f *limitFlags) limits() pkgr.Limits {
	return pkgr.Limits{File: int64(f.file), Chart: int64(f.chart)}
}

func registerFormat(cmd *cobra.Command, format *choice) {
	*format = choice{value: "auto", allowed: []string{"yaml", "json", "auto"}}
	format.register(cmd, "index-format", "`FORM` of index.yaml: yaml, json (which is YAML too, and loads faster) or auto (json beyond 2,000 versions)")
}

func registerOutput(cmd *cobra.Command, output *choice) {
	*output = choice{value: "text", allowed: []string{"text", "json"}}
	output.register(cmd, "output", "`FORM` of the result: text or json")
}
